/* SPDX-License-Identifier: Apache-2.0
 *
 * option.c - options; what they are is the core's business.
 */
#define _GNU_SOURCE
#include "front.h"

#include <errno.h>

static int set_call(struct call *call, uint32_t session, int option, const void *value, socklen_t len)
{
	int result;

	if (value == NULL)
		return fail(call->fd, EFAULT, "rsp_setsockopt: the value is NULL");
	if (len > INT32_MAX)
		return fail(call->fd, EINVAL, "rsp_setsockopt: no value is %lu bytes long", (unsigned long)len);
	result = call->go->rspgo_setopt(call->ino, session, option, (void *)(uintptr_t)value, len,
	                                error_space());
	return result < 0 ? core_failed(call->fd, result) : 0;
}

int rsp_setsockopt(int fd, uint32_t session, int option, const void *value, socklen_t len)
{
	struct call call;

	if (begin_call(&call, "rsp_setsockopt", fd) == -1)
		return -1;
	return (int)end_call(&call, set_call(&call, session, option, value, len));
}

static int get_call(struct call *call, uint32_t session, int option, void *value, socklen_t *len)
{
	size_t room;
	int result;

	if (value == NULL || len == NULL)
		return fail(call->fd, EFAULT, "rsp_getsockopt: the place for the value or its length is NULL");
	room = *len;
	result = call->go->rspgo_getopt(call->ino, session, option, value, &room, error_space());
	if (result < 0)
		return core_failed(call->fd, result);
	*len = (socklen_t)room;
	return 0;
}

int rsp_getsockopt(int fd, uint32_t session, int option, void *value, socklen_t *len)
{
	struct call call;

	if (begin_call(&call, "rsp_getsockopt", fd) == -1)
		return -1;
	return (int)end_call(&call, get_call(&call, session, option, value, len));
}
