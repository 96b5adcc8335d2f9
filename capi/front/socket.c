/* SPDX-License-Identifier: Apache-2.0
 *
 * socket.c - beginning, making, binding, naming.
 */
#define _GNU_SOURCE
#include "front.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

int rsp_init(void)
{
	struct call call;
	int result;

	if (begin_new_call(&call, "rsp_init") == -1)
		return -1;
	result = call.go->rspgo_init(error_space());
	return (int)end_call(&call, result < 0 ? core_failed(-1, result) : 0);
}

#define TYPE_FLAGS (SOCK_CLOEXEC | SOCK_NONBLOCK)

static int check_kind(int domain, int type, int protocol)
{
	if (domain != AF_INET && domain != AF_INET6)
		return fail(-1, EAFNOSUPPORT, "rsp_socket: domain %d is not supported; use AF_INET or AF_INET6",
		            domain);
	if (type != SOCK_DGRAM && type != SOCK_SEQPACKET && type != SOCK_STREAM)
		return fail(-1, ESOCKTNOSUPPORT,
		            "rsp_socket: type %d is not supported; use SOCK_SEQPACKET, SOCK_DGRAM or SOCK_STREAM",
		            type);
	if (protocol != IPPROTO_SCTP && protocol != 0)
		return fail(-1, EPROTONOSUPPORT, "rsp_socket: protocol %d is not supported; use IPPROTO_SCTP",
		            protocol);
	return 0;
}

int rsp_socket(int domain, int type, int protocol)
{
	struct call call;
	int fd;

	if (begin_new_call(&call, "rsp_socket") == -1)
		return -1;
	if (check_kind(domain, type & ~TYPE_FLAGS, protocol) == -1)
		return (int)end_call(&call, -1);
	fd = call.go->rspgo_socket(domain, (type & ~TYPE_FLAGS) == SOCK_STREAM, error_space());
	if (fd < 0)
		return (int)end_call(&call, core_failed(-1, fd));
	if ((type & SOCK_NONBLOCK) != 0)
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	return (int)end_call(&call, fd);
}

static int bind_call(struct call *call, const struct sockaddr *addr, socklen_t len)
{
	struct sockaddr_storage copy;
	int result;

	if (addr == NULL)
		return fail(call->fd, EFAULT, "rsp_bind: the address is NULL");
	if (len > sizeof(copy))
		return fail(call->fd, EINVAL, "rsp_bind: no address is %lu bytes long", (unsigned long)len);
	memcpy(&copy, addr, len);
	result = call->go->rspgo_bind(call->ino, &copy, len, error_space());
	return result < 0 ? core_failed(call->fd, result) : 0;
}

int rsp_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	struct call call;

	if (begin_call(&call, "rsp_bind", fd) == -1)
		return -1;
	return (int)end_call(&call, bind_call(&call, addr, len));
}

static int name_call(struct call *call, int peer, void *pool, size_t *pool_len, uint32_t *pe_id)
{
	size_t none = 0;
	int result;

	if (pool_len == NULL)
		pool_len = &none;
	if (pool == NULL && *pool_len > 0)
		return fail(call->fd, EFAULT, "%s: the place for the pool handle is NULL", call->function);
	result = call->go->rspgo_name(call->ino, peer, pool, pool_len, pe_id, error_space());
	return result < 0 ? core_failed(call->fd, result) : 0;
}

int rsp_getsockname(int fd, void *pool, size_t *pool_len, uint32_t *pe_id)
{
	struct call call;

	if (begin_call(&call, "rsp_getsockname", fd) == -1)
		return -1;
	return (int)end_call(&call, name_call(&call, 0, pool, pool_len, pe_id));
}

int rsp_getpeername(int fd, void *pool, size_t *pool_len, uint32_t *pe_id)
{
	struct call call;

	if (begin_call(&call, "rsp_getpeername", fd) == -1)
		return -1;
	return (int)end_call(&call, name_call(&call, 1, pool, pool_len, pe_id));
}
