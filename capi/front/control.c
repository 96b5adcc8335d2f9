/* SPDX-License-Identifier: Apache-2.0
 *
 * control.c - the calls that wait for somebody else: the core does the work and
 * makes an eventfd readable at its end; the waiting is done here.
 */
#define _GNU_SOURCE
#include "front.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags != -1 && (flags & O_NONBLOCK) != 0;
}

int check_handle(struct call *call, const void *pool, size_t size)
{
	if (pool == NULL)
		return fail(call->fd, EFAULT, "%s: the pool handle is NULL", call->function);
	if (size == 0)
		return fail(call->fd, EINVAL, "%s: the pool handle is empty; give 1 to %d bytes", call->function,
		            RSP_POOL_MAX);
	if (size > RSP_POOL_MAX)
		return fail(call->fd, EINVAL, "%s: a pool handle of %zu bytes is too long; give 1 to %d bytes",
		            call->function, size, RSP_POOL_MAX);
	return 0;
}

static int start(struct call *call, enum rspgo_verb verb, const void *pool, size_t size, struct rspgo_loadinfo *info)
{
	return call->go->rspgo_start(call->fd, call->ino, (int)verb, (void *)(uintptr_t)pool, size, info,
	                             nonblocking(call->fd), error_space());
}

static int start_and_wait(struct call *call, enum rspgo_verb verb, const void *pool, size_t size,
                          struct rspgo_loadinfo *info)
{
	return wait_outcome(call, start(call, verb, pool, size, info), NULL);
}

int rsp_connect(int fd, const void *pool, size_t pool_len)
{
	struct call call;

	if (begin_call(&call, "rsp_connect", fd) == -1)
		return -1;
	if (check_handle(&call, pool, pool_len) == -1)
		return (int)end_call(&call, -1);
	return (int)end_call(&call, start_and_wait(&call, RSPGO_CONNECT, pool, pool_len, NULL));
}

int check_loadinfo(struct call *call, const struct rsp_loadinfo *info)
{
	size_t i;

	if (info == NULL)
		return fail(call->fd, EFAULT, "%s: the load information is NULL", call->function);
	for (i = 0; i < sizeof(info->reserved) / sizeof(info->reserved[0]); i++)
		if (info->reserved[i] != 0)
			return fail(call->fd, EINVAL,
			            "%s: a reserved member of struct rsp_loadinfo is not zero; set the whole "
			            "structure to zero before filling it",
			            call->function);
	return 0;
}

struct rspgo_loadinfo load_of(const struct rsp_loadinfo *info)
{
	return (struct rspgo_loadinfo){
	        .policy = info->policy,
	        .weight = info->weight,
	        .priority = info->priority,
	        .load = info->load,
	        .degradation = info->degradation,
	        .life = info->life,
	        .pe_id = info->pe_id,
	};
}

int rsp_register(int fd, const void *pool, size_t pool_len, const struct rsp_loadinfo *info)
{
	struct rspgo_loadinfo load;
	struct call call;

	if (begin_call(&call, "rsp_register", fd) == -1)
		return -1;
	if (check_handle(&call, pool, pool_len) == -1 || check_loadinfo(&call, info) == -1)
		return (int)end_call(&call, -1);
	load = load_of(info);
	return (int)end_call(&call, start_and_wait(&call, RSPGO_REGISTER, pool, pool_len, &load));
}

int rsp_deregister(int fd)
{
	struct call call;

	if (begin_call(&call, "rsp_deregister", fd) == -1)
		return -1;
	return (int)end_call(&call, start_and_wait(&call, RSPGO_DEREGISTER, NULL, 0, NULL));
}

int rsp_deregister_flags(int fd, int flags)
{
	struct call call;

	if (flags == 0)
		return rsp_deregister(fd);
	if (begin_call(&call, "rsp_deregister_flags", fd) == -1)
		return -1;
	if (flags != RSP_DRAIN)
		return (int)end_call(&call, fail(fd, EINVAL,
		                                 "rsp_deregister_flags: flags %#x are unknown; "
		                                 "RSP_DRAIN is all there is",
		                                 (unsigned)flags));
	return (int)end_call(&call, start_and_wait(&call, RSPGO_DRAIN, NULL, 0, NULL));
}

static int setload_call(struct call *call, const struct rsp_loadinfo *info)
{
	struct rspgo_loadinfo load;
	int result;

	if (check_loadinfo(call, info) == -1)
		return -1;
	load = load_of(info);
	result = call->go->rspgo_setload(call->ino, &load, error_space());
	return result < 0 ? core_failed(call->fd, result) : 0;
}

int rsp_setload(int fd, const struct rsp_loadinfo *info)
{
	struct call call;

	if (begin_call(&call, "rsp_setload", fd) == -1)
		return -1;
	return (int)end_call(&call, setload_call(&call, info));
}

int rsp_close(int fd)
{
	struct call call;
	int result;

	if (begin_call(&call, "rsp_close", fd) == -1)
		return -1;
	result = start(&call, RSPGO_CLOSE, NULL, 0, NULL);
	if (result >= 0) {
		/* The socket is gone for everybody; what is left is to wait until
		 * the other side has everything. */
		await_waiters(call.ino);
		close(fd);
		call.fd = -1;
	}
	return (int)end_call(&call, wait_outcome(&call, result, NULL));
}
