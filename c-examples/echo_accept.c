/* SPDX-License-Identifier: Apache-2.0
 *
 * echo_accept.c - an echo element written like a server of TCP: it listens, accepts,
 * and gives each session a descriptor and a thread of its own. At the first SIGTERM
 * or SIGINT it moves its sessions to other elements of the pool "echo" and ends.
 */
#define _GNU_SOURCE
#include "example.h"

#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>

/* Echoes until the pool user has ended the session (0), or is lost (-1). */
static void *serve(void *arg)
{
	int session = *(int *)arg;
	char *message = malloc(1 << 20);
	struct rsp_sndrcvinfo info;
	ssize_t n;

	free(arg);
	while (message != NULL && (n = rsp_recvmsg(session, message, 1 << 20, &info, 0)) > 0)
		if (rsp_sendmsg(session, message, (size_t)n, &info, 0) == -1)
			break;
	free(message);
	rsp_close(session);
	return NULL;
}

static void accept_session(int fd)
{
	int *session = malloc(sizeof(*session));
	pthread_t thread;

	if (session == NULL)
		return; /* it waits */
	*session = rsp_accept(fd, NULL, NULL);
	if (*session == -1)
		stop();
	if (pthread_create(&thread, NULL, serve, session) != 0) {
		rsp_close(*session); /* its pool user goes on with another element */
		free(session);
		return;
	}
	pthread_detach(thread);
}

/* Blocks them here and in all threads: they are read from a descriptor. */
static int catch_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

int main(void)
{
	struct pollfd ready[2] = {{.events = POLLIN}, {.events = POLLIN}};
	struct rsp_loadinfo load;

	memset(&load, 0, sizeof(load));
	ready[1].fd = catch_signals();
	ready[0].fd = rsp_socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP);
	if (ready[0].fd == -1 || rsp_listen(ready[0].fd, 16) == -1)
		stop();
	join(ready[0].fd, "echo", &load);
	while (ready[1].revents == 0)
		if (rsp_poll(ready, 2, -1) > 0 && ready[0].revents != 0)
			accept_session(ready[0].fd);
	if (rsp_deregister_flags(ready[0].fd, RSP_DRAIN) == -1)
		stop();
	return rsp_close(ready[0].fd) == -1;
}
