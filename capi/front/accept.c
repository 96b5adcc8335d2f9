/* SPDX-License-Identifier: Apache-2.0
 *
 * accept.c - a descriptor for each session.
 */
#define _GNU_SOURCE
#include "front.h"

#include <errno.h>
#include <string.h>

static int listen_call(struct call *call, int backlog)
{
	int result = call->go->rspgo_listen(call->ino, backlog, error_space());

	return result < 0 ? core_failed(call->fd, result) : 0;
}

int rsp_listen(int fd, int backlog)
{
	struct call call;

	if (begin_call(&call, "rsp_listen", fd) == -1)
		return -1;
	return (int)end_call(&call, listen_call(&call, backlog));
}

static int accept_call(struct call *call, struct sockaddr *addr, socklen_t *len)
{
	struct sockaddr_storage peer;
	int waited, fd;
	size_t size;

	if (addr != NULL && len == NULL)
		return fail(call->fd, EFAULT, "rsp_accept: the length of the address is NULL");
	for (waited = 0;; waited = 1) {
		size = sizeof(peer);
		fd = call->go->rspgo_accept(call->fd, call->ino, &peer, &size, error_space());
		if (!may_wait(call, fd, 0))
			break;
		if (wait_ready(call, POLLIN) == -1)
			return -1;
		step(call);
	}
	if (fd >= 0 && addr != NULL) {
		memcpy(addr, &peer, size < *len ? size : *len);
		*len = (socklen_t)size;
	}
	return (int)tried(call, waited, fd);
}

int rsp_accept(int fd, struct sockaddr *addr, socklen_t *len)
{
	struct call call;

	if (begin_call(&call, "rsp_accept", fd) == -1)
		return -1;
	return (int)end_call(&call, accept_call(&call, addr, len));
}
