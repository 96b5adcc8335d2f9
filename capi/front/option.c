/* SPDX-License-Identifier: Apache-2.0
 *
 * option.c - options; what they are is the core's business.
 */
#define _GNU_SOURCE
#include "front.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

/* The two that the front itself has: how long waits last is an option of the
 * descriptor for setsockopt(2), and no other place is needed. */
static int is_timeout(int option)
{
	return option == RSP_RCVTIMEO || option == RSP_SNDTIMEO;
}

static int name_of_timeout(int option)
{
	return option == RSP_RCVTIMEO ? SO_RCVTIMEO : SO_SNDTIMEO;
}

/* That the descriptor is of this library is known to the core only. */
static int check_timeout(struct call *call, uint32_t session, size_t len)
{
	int any, result;
	size_t room = sizeof(any);

	result = call->go->rspgo_getopt(call->ino, 0, RSP_NODELAY, &any, &room, error_space());
	if (result < 0)
		return core_failed(call->fd, result);
	if (session != 0)
		return fail(call->fd, ENOPROTOOPT,
		            "%s: RSP_RCVTIMEO and RSP_SNDTIMEO are options of sockets, and not of single sessions",
		            call->function);
	if (len != sizeof(int))
		return fail(call->fd, EINVAL, "%s: the value has %zu bytes; it is an int, of %zu", call->function, len,
		            sizeof(int));
	return 0;
}

static int set_timeout(struct call *call, uint32_t session, int option, const void *value, socklen_t len)
{
	struct timeval limit;
	int ms;

	if (check_timeout(call, session, len) == -1)
		return -1;
	memcpy(&ms, value, sizeof(ms));
	if (ms < 0)
		return fail(call->fd, EINVAL, "rsp_setsockopt: a time of %d ms; 0 is for ever", ms);
	limit.tv_sec = ms / 1000;
	limit.tv_usec = ms % 1000 * 1000;
	if (setsockopt(call->fd, SOL_SOCKET, name_of_timeout(option), &limit, sizeof(limit)) == -1)
		return fail(call->fd, errno, "rsp_setsockopt: %s", strerror(errno));
	return 0;
}

static int get_timeout(struct call *call, uint32_t session, int option, void *value, socklen_t *len)
{
	struct timeval limit;
	socklen_t size = sizeof(limit);
	int ms;

	if (check_timeout(call, session, *len < sizeof(ms) ? *len : sizeof(ms)) == -1)
		return -1;
	if (getsockopt(call->fd, SOL_SOCKET, name_of_timeout(option), &limit, &size) == -1)
		return fail(call->fd, errno, "rsp_getsockopt: %s", strerror(errno));
	ms = limit.tv_sec < INT_MAX / 1000 ? (int)(limit.tv_sec * 1000 + limit.tv_usec / 1000) : INT_MAX;
	memcpy(value, &ms, sizeof(ms));
	*len = sizeof(ms);
	return 0;
}

static int set_call(struct call *call, uint32_t session, int option, const void *value, socklen_t len)
{
	int result;

	if (value == NULL)
		return fail(call->fd, EFAULT, "rsp_setsockopt: the value is NULL");
	if (len > INT32_MAX)
		return fail(call->fd, EINVAL, "rsp_setsockopt: no value is %lu bytes long", (unsigned long)len);
	if (is_timeout(option))
		return set_timeout(call, session, option, value, len);
	result = call->go->rspgo_setopt(call->ino, session, option, (void *)(uintptr_t)value, len, error_space());
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
	if (is_timeout(option))
		return get_timeout(call, session, option, value, len);
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
