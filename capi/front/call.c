/* SPDX-License-Identifier: Apache-2.0
 *
 * call.c - what every call begins and ends with.
 */
#define _GNU_SOURCE
#include "front.h"

#include <errno.h>
#include <sys/stat.h>

static int identify(int fd, const char *function, uint64_t *ino)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		return fail(fd, EBADF, "%s: descriptor %d is not open; rsp_socket makes one", function, fd);
	if (!S_ISSOCK(status.st_mode))
		return fail(fd, ENOTSOCK, "%s: descriptor %d is no socket; use one that rsp_socket made", function, fd);
	*ino = status.st_ino;
	return 0;
}

/* All but the signals that a fault of the thread itself raises. */
static void hold_signals(sigset_t *before)
{
	static const int never[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT};
	sigset_t held;
	size_t i;

	sigfillset(&held);
	for (i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		sigdelset(&held, never[i]);
	pthread_sigmask(SIG_BLOCK, &held, before);
}

int begin_new_call(struct call *call, const char *function)
{
	call->go = core();
	if (call->go == NULL)
		return -1;
	call->function = function;
	call->fd = -1;
	call->lead.waits = 0;
	call->lead.count = call->lead.ready = 0;
	call->until = 0;
	hold_signals(&call->before);
	return 0;
}

int begin_call(struct call *call, const char *function, int fd)
{
	call->go = core();
	call->closes = closings();
	if (call->go == NULL || identify(fd, function, &call->ino) == -1)
		return -1;
	call->function = function;
	call->fd = fd;
	call->lead.waits = 0;
	call->lead.count = call->lead.ready = 0;
	call->until = 0;
	hold_signals(&call->before);
	return 0;
}

ssize_t end_call(struct call *call, ssize_t result)
{
	int error = errno;

	if (call->lead.waits) {
		call->go->rspgo_leave(&call->lead);
		errno = error;
	}
	pthread_sigmask(SIG_SETMASK, &call->before, NULL);
	return result;
}
