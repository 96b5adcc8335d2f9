/* SPDX-License-Identifier: Apache-2.0
 *
 * wait.c - all waiting is done here, in C: EINTR and pthread_cancel(3) then work
 * as they do with the socket calls.
 */
#define _GNU_SOURCE
#include "front.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>

struct waiter {
	struct call *call;
	int fd;
	void (*cancelled)(struct call *, int fd);
};

static void cancel(void *argument)
{
	struct waiter *waiter = argument;

	if (waiter->cancelled != NULL)
		waiter->cancelled(waiter->call, waiter->fd);
	end_call(waiter->call, 0);
}

int wait_ready(struct call *call, int fd, short events, void (*cancelled)(struct call *, int fd))
{
	struct waiter waiter = {.call = call, .fd = fd, .cancelled = cancelled};
	struct pollfd wait = {.fd = fd, .events = events};
	int ready;

	pthread_cleanup_push(cancel, &waiter);
	ready = ppoll(&wait, 1, NULL, &call->before);
	pthread_cleanup_pop(0);
	if (ready == -1)
		return fail(call->fd, errno, "%s: interrupted while waiting: %s", call->function,
		            strerror(errno));
	if ((wait.revents & POLLNVAL) != 0)
		return fail(call->fd, EBADF, "%s: another thread closed the descriptor", call->function);
	return 0;
}

int may_wait(struct call *call, int64_t result, int flags)
{
	int status;

	if (result != -EAGAIN || (flags & MSG_DONTWAIT) != 0)
		return 0;
	status = fcntl(call->fd, F_GETFL);
	return status == -1 || (status & O_NONBLOCK) == 0;
}

ssize_t tried(struct call *call, int waited, int64_t result)
{
	if (result >= 0)
		return (ssize_t)result;
	/* After a wait it is known to have been a socket of ours. */
	if (waited && result == -ENOTSOCK)
		return fail(call->fd, EBADF, "%s: another thread closed the socket", call->function);
	return core_failed(call->fd, result);
}

static int check_process(const char *function)
{
	if (!forked())
		return 0;
	return fail(-1, EOWNERDEAD, "%s: this process was forked after the first rsp_ call of its parent",
	            function);
}

int rsp_select(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds, struct timeval *timeout)
{
	struct timespec limit;
	int ready;

	if (check_process("rsp_select") == -1)
		return -1;
	if (timeout != NULL) {
		limit.tv_sec = timeout->tv_sec;
		limit.tv_nsec = (long)timeout->tv_usec * 1000;
	}
	ready = pselect(nfds, readfds, writefds, exceptfds, timeout != NULL ? &limit : NULL, NULL);
	return ready == -1 ? fail(-1, errno, "rsp_select: %s", strerror(errno)) : ready;
}

int rsp_poll(struct pollfd *fds, nfds_t nfds, int timeout)
{
	int ready;

	if (check_process("rsp_poll") == -1)
		return -1;
	ready = poll(fds, nfds, timeout);
	return ready == -1 ? fail(-1, errno, "rsp_poll: %s", strerror(errno)) : ready;
}
