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
#include <stdatomic.h>
#include <string.h>
#include <time.h>

static int64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* poll(2) looks a number up again each time that it wakes: who waits for a descriptor
 * that is closed, and whose number is used again at once, would go on to wait for what
 * stands there now. So the threads that wait are noted here, by the socket that they
 * wait for, and rsp_close() lets go of the number when they have left. A place is taken
 * without a lock; with all taken the wait is not noted. */
enum { PLACES = 1024, LEAVING = 1000 /* ms */ };
static _Atomic uint64_t places[PLACES];
static atomic_uint closed;

unsigned closings(void)
{
	return atomic_load(&closed);
}

static _Atomic uint64_t *take_place(uint64_t ino)
{
	size_t first = (size_t)((uintptr_t)&errno >> 6) % PLACES; /* of this thread */
	size_t i;

	for (i = 0; i < PLACES; i++) {
		_Atomic uint64_t *place = &places[(first + i) % PLACES];
		uint64_t none = 0;

		if (atomic_compare_exchange_strong(place, &none, ino))
			return place;
	}
	return NULL;
}

static void leave_place(_Atomic uint64_t *place)
{
	if (place != NULL)
		atomic_store(place, 0);
}

/* The core has woken them. One that is suspended, or whose handler of signals does not
 * return, is waited for no longer than that. */
void await_waiters(uint64_t ino)
{
	struct timespec pause = {.tv_nsec = 20000};
	int64_t end = 0;
	size_t i;

	atomic_fetch_add(&closed, 1);
	for (i = 0; i < PLACES; i++)
		while (atomic_load(&places[i]) == ino) {
			if (end == 0)
				end = now() + LEAVING;
			else if (now() > end)
				return;
			nanosleep(&pause, NULL);
		}
}

struct waiter {
	struct call *call;
	_Atomic uint64_t *place;
	int done;              /* eventfd of the core, or -1 */
	struct timespec space; /* of the wait */
};

static void cancel(void *argument)
{
	struct waiter *waiter = argument;

	leave_place(waiter->place);
	if (waiter->done != -1)
		waiter->call->go->rspgo_abandon(waiter->done);
	end_call(waiter->call, 0);
}

/* How long the calls of this descriptor wait is kept where setsockopt(2) keeps it,
 * too: with the descriptor. */
static int64_t end_of_wait(const struct call *call, short events)
{
	struct timeval limit;
	socklen_t size = sizeof(limit);

	if (getsockopt(call->fd, SOL_SOCKET, events == POLLIN ? SO_RCVTIMEO : SO_SNDTIMEO, &limit, &size) == -1 ||
	    (limit.tv_sec == 0 && limit.tv_usec == 0))
		return -1;
	return now() + (int64_t)limit.tv_sec * 1000 + (limit.tv_usec + 999) / 1000;
}

void limit_wait(struct call *call, short events)
{
	if (call->until == 0)
		call->until = end_of_wait(call, events);
}

/* What is left until the end of the wait; NULL is for ever. */
static struct timespec *time_left(const struct call *call, struct timespec *left)
{
	int64_t ms;

	if (call->until <= 0)
		return NULL;
	ms = call->until - now();
	if (ms < 0)
		ms = 0;
	left->tv_sec = (time_t)(ms / 1000);
	left->tv_nsec = (long)(ms % 1000) * 1000000;
	return left;
}

void step(struct call *call)
{
	if (call->lead.ready != 0)
		call->go->rspgo_step(&call->lead);
	call->lead.ready = 0;
}

/* Adds what the thread leads to what it waits for, and returns how many descriptors
 * that makes. Not for a call without a socket, nor for one whose socket is closed. */
static nfds_t led_too(struct call *call, struct pollfd *fds)
{
	unsigned i;

	if (!call->lead.waits && call->fd != -1)
		call->go->rspgo_wait(call->ino, &call->lead);
	for (i = 0; i < call->lead.count; i++)
		fds[1 + i] = (struct pollfd){.fd = call->lead.fds[i], .events = POLLIN};
	return 1 + call->lead.count;
}

static void note_readable(struct call *call, const struct pollfd *fds)
{
	unsigned i;

	call->lead.ready = 0;
	for (i = 0; i < call->lead.count; i++)
		if (fds[1 + i].revents != 0)
			call->lead.ready |= 1u << i;
}

/* Waits until fds[0] is ready, or, unless there is an outcome to wait for, until there
 * is something to read. */
static int wait_leading(struct call *call, struct pollfd *fds, struct waiter *waiter)
{
	nfds_t count = led_too(call, fds);
	int ready;

	for (;;) {
		ready = ppoll(fds, count, time_left(call, &waiter->space), &call->before);
		if (ready <= 0)
			return ready;
		note_readable(call, fds);
		if (waiter->done == -1 || fds[0].revents != 0)
			return ready;
		step(call);
	}
}

static int wait_for(struct call *call, struct pollfd wait, int done)
{
	struct waiter waiter = {.call = call, .done = done};
	struct pollfd fds[1 + RSPGO_LED] = {wait};
	int ready;

	if (done == -1) {
		unsigned closes;

		waiter.place = take_place(call->ino);
		closes = closings();
		if (closes != call->closes) { /* perhaps this one: the core knows */
			call->closes = closes;
			leave_place(waiter.place);
			return 0;
		}
	}
	pthread_cleanup_push(cancel, &waiter);
	ready = wait_leading(call, fds, &waiter);
	pthread_cleanup_pop(0);
	leave_place(waiter.place);
	if (ready == 0)
		return fail(call->fd, EAGAIN, "%s: the time is over that RSP_RCVTIMEO or RSP_SNDTIMEO has set",
		            call->function);
	if (ready == -1)
		return fail(call->fd, errno, "%s: interrupted while waiting: %s", call->function, strerror(errno));
	if ((fds[0].revents & POLLNVAL) != 0)
		return fail(call->fd, EBADF, "%s: another thread closed the descriptor", call->function);
	return 0;
}

int wait_ready(struct call *call, short events)
{
	limit_wait(call, events);
	return wait_for(call, (struct pollfd){.fd = call->fd, .events = events}, -1);
}

int wait_outcome(struct call *call, int done, struct rspgo_outcome *outcome)
{
	int result = done;

	if (done == RSPGO_ENDED)
		return 0;
	if (done >= 0) {
		if (wait_for(call, (struct pollfd){.fd = done, .events = POLLIN}, done) == -1) {
			call->go->rspgo_abandon(done);
			return -1;
		}
		result = call->go->rspgo_finish(done, outcome, error_space());
	}
	return result < 0 ? core_failed(call->fd, result) : 0;
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
	return fail(-1, EOWNERDEAD, "%s: this process was forked after the first rsp_ call of its parent", function);
}

int rsp_select(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds, struct timeval *timeout)
{
	struct timespec limit;
	int ready;

	if (check_process("rsp_select") == -1)
		return -1;
	if (timeout != NULL) { /* select(2) takes any number of microseconds */
		limit.tv_sec = timeout->tv_sec + timeout->tv_usec / 1000000;
		limit.tv_nsec = (long)(timeout->tv_usec % 1000000) * 1000;
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
