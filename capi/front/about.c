/* SPDX-License-Identifier: Apache-2.0
 *
 * about.c - what the library says about failures and about itself.
 */
#define _GNU_SOURCE
#include "front.h"

#include <errno.h>
#include <stdio.h>

const char *rsp_version(void)
{
	return RSP_VERSION;
}

/* What the core remembers of a descriptor, also from the background. */
static const char *core_text(int fd, struct rspgo_error *space)
{
	struct call call;

	if (begin_call(&call, "rsp_errmsg", fd) == -1)
		return last_error(-1); /* it explained itself */
	space->text[0] = '\0';
	call.go->rspgo_last_error(call.ino, space);
	end_call(&call, 0);
	return space->text;
}

int rsp_errmsg(int fd, char *buf, size_t len)
{
	int before = errno;
	struct rspgo_error space;
	const char *text = last_error(fd);
	int length;

	if (buf == NULL && len > 0)
		return fail(fd, EFAULT, "rsp_errmsg: the buffer is NULL");
	length = snprintf(buf, len, "%s", text != NULL ? text : core_text(fd, &space));
	errno = before;
	return length;
}
