/* SPDX-License-Identifier: Apache-2.0
 *
 * address.c - several addresses: to be bound to, and where the two ends of a
 * session are.
 */
#define _GNU_SOURCE
#include "front.h"

#include <errno.h>

static int bindx_call(struct call *call, const struct sockaddr *addrs, int count, int flags)
{
	int result;

	if (addrs == NULL)
		return fail(call->fd, EFAULT, "rsp_bindx: the addresses are NULL");
	if (count < 1 || count > RSP_ADDRS_MAX)
		return fail(call->fd, EINVAL, "rsp_bindx: %d addresses; give 1 to %d", count, RSP_ADDRS_MAX);
	if (flags != 0)
		return fail(call->fd, EINVAL, "rsp_bindx: flags %#x; there are none", (unsigned)flags);
	result = call->go->rspgo_bindx(call->ino, (void *)(uintptr_t)addrs, count, error_space());
	return result < 0 ? core_failed(call->fd, result) : 0;
}

int rsp_bindx(int fd, const struct sockaddr *addrs, int count, int flags)
{
	struct call call;

	if (begin_call(&call, "rsp_bindx", fd) == -1)
		return -1;
	return (int)end_call(&call, bindx_call(&call, addrs, count, flags));
}

static int addresses_call(struct call *call, uint32_t session, int peer, struct sockaddr *addrs, socklen_t *len)
{
	size_t room;
	int count;

	if (len == NULL)
		return fail(call->fd, EFAULT, "%s: the length of the addresses is NULL", call->function);
	if (addrs == NULL && *len > 0)
		return fail(call->fd, EFAULT, "%s: the place for the addresses is NULL", call->function);
	room = *len;
	count = call->go->rspgo_addresses(call->ino, session, peer, addrs, &room, error_space());
	if (count < 0)
		return core_failed(call->fd, count);
	*len = (socklen_t)room;
	return count;
}

int rsp_getpeeraddrs(int fd, uint32_t session, struct sockaddr *addrs, socklen_t *len)
{
	struct call call;

	if (begin_call(&call, "rsp_getpeeraddrs", fd) == -1)
		return -1;
	return (int)end_call(&call, addresses_call(&call, session, 1, addrs, len));
}

int rsp_getlocaladdrs(int fd, uint32_t session, struct sockaddr *addrs, socklen_t *len)
{
	struct call call;

	if (begin_call(&call, "rsp_getlocaladdrs", fd) == -1)
		return -1;
	return (int)end_call(&call, addresses_call(&call, session, 0, addrs, len));
}
