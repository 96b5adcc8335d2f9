/* SPDX-License-Identifier: Apache-2.0
 *
 * event_loop.c - an echo element around epoll(7), in which nothing waits: the
 * socket is one descriptor among others, here of a signal. At the first SIGTERM
 * or SIGINT it moves its sessions to other elements of the pool "echo" and ends.
 */
#define _GNU_SOURCE
#include "example.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

static int loop, fd;
static char message[1 << 20];
static struct rsp_sndrcvinfo info;
static ssize_t held; /* length of a message that could not be echoed yet */

/* EPOLLOUT is only asked for while there is something to wait for. */
static void watch(uint32_t events)
{
	struct epoll_event event = {.events = events, .data.fd = fd};

	epoll_ctl(loop, EPOLL_CTL_MOD, fd, &event);
}

static void echo(void)
{
	for (;;) {
		if (held <= 0)
			held = rsp_recvmsg(fd, message, sizeof(message), &info, 0);
		if (held == -1 && errno == EAGAIN)
			return;
		if (held == -1)
			stop();
		if (rsp_sendmsg(fd, message, (size_t)held, &info, 0) == -1 && errno == EAGAIN)
			return;
		held = 0;
	}
}

/* Returns 1 when it has ended well. */
static int leave(void)
{
	if (rsp_deregister_flags(fd, RSP_DRAIN) == 0)
		return 1;
	if (errno != EINPROGRESS && errno != EALREADY)
		stop();
	return 0;
}

static int catch_signals(void)
{
	struct epoll_event event = {.events = EPOLLIN};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	event.data.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	epoll_ctl(loop, EPOLL_CTL_ADD, event.data.fd, &event);
	return event.data.fd;
}

int main(void)
{
	struct epoll_event event = {.events = EPOLLIN};
	struct rsp_loadinfo load;
	int signals, leaving = 0, ended = 0;

	memset(&load, 0, sizeof(load));
	loop = epoll_create1(EPOLL_CLOEXEC);
	signals = catch_signals();
	fd = new_socket();
	join(fd, "echo", &load);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	event.data.fd = fd;
	epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event);
	while (!ended) {
		if (epoll_wait(loop, &event, 1, -1) == -1)
			continue;
		if (event.data.fd == signals) {
			struct signalfd_siginfo which;

			leaving = read(signals, &which, sizeof(which)) > 0 || leaving;
			ended = leave();
		} else {
			echo();
			if (leaving && (event.events & EPOLLOUT) != 0)
				ended = leave(); /* the outcome */
		}
		watch(EPOLLIN | (held > 0 || leaving ? EPOLLOUT : 0));
	}
	fcntl(fd, F_SETFL, 0);
	return rsp_close(fd) == -1;
}
