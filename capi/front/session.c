/* SPDX-License-Identifier: Apache-2.0
 *
 * session.c - single sessions of a socket.
 */
#define _GNU_SOURCE
#include "front.h"

#include <errno.h>

static int close_call(struct call *call, uint32_t session, int flags)
{
	int result;

	if (flags != 0 && flags != RSP_ABORT)
		return fail(call->fd, EINVAL, "rsp_close_session: flags %#x are unknown; RSP_ABORT is all there is",
		            (unsigned)flags);
	result = call->go->rspgo_close_session(call->ino, session, flags == RSP_ABORT, error_space());
	return result < 0 ? core_failed(call->fd, result) : 0;
}

int rsp_close_session(int fd, uint32_t session, int flags)
{
	struct call call;

	if (begin_call(&call, "rsp_close_session", fd) == -1)
		return -1;
	return (int)end_call(&call, close_call(&call, session, flags));
}
