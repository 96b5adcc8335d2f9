/* SPDX-License-Identifier: Apache-2.0
 *
 * tcp_server.c - an ordinary TCP server that is an element of the pool "capitals":
 * it writes back what it reads, in capitals. One call lets clients find it, one ends
 * that; everything between is the socket API.
 */
#define _XOPEN_SOURCE 700
#include "example.h"

#include <ctype.h>
#include <pthread.h>
#include <signal.h>

static int listener;
static volatile sig_atomic_t stopped;

/* Whichever thread it runs in, accept() then fails. */
static void on_signal(int number)
{
	(void)number;
	stopped = 1;
	shutdown(listener, SHUT_RD);
}

static void fatal(const char *what)
{
	perror(what);
	exit(1);
}

static void *serve(void *argument)
{
	int fd = *(int *)argument;
	char buf[4096];
	ssize_t n, i, sent;

	free(argument);
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		for (i = 0; i < n; i++)
			buf[i] = (char)toupper((unsigned char)buf[i]);
		for (sent = 0; sent < n; sent += i)
			if ((i = write(fd, buf + sent, (size_t)(n - sent))) == -1)
				break;
		if (sent < n)
			break;
	}
	close(fd);
	return NULL;
}

/* A socket that listens at a port that is free. */
static int listening(struct sockaddr_in *here)
{
	socklen_t len = sizeof(*here);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	memset(here, 0, sizeof(*here));
	here->sin_family = AF_INET;
	here->sin_addr.s_addr = htonl(INADDR_ANY);
	if (fd == -1 || bind(fd, (struct sockaddr *)here, len) == -1 || listen(fd, 16) == -1 ||
	    getsockname(fd, (struct sockaddr *)here, &len) == -1)
		fatal("cannot listen");
	return fd;
}

int main(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	struct sockaddr_in here;
	struct rsp_addrinfo where;
	struct rsp_loadinfo load;
	uint32_t id;

	listener = listening(&here);
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);

	memset(&where, 0, sizeof(where));
	memset(&load, 0, sizeof(load));
	where.ai_protocol = IPPROTO_TCP;
	where.ai_addr = (struct sockaddr *)&here;
	where.ai_addrlen = sizeof(here);
	if (rsp_pe_registration("capitals", 8, &where, &load, &id) == -1)
		stop();
	printf("element 0x%08" PRIx32 "\n", id);
	fflush(stdout);

	while (!stopped) {
		pthread_t thread;
		int *client = malloc(sizeof(*client));

		if (client == NULL)
			fatal("no memory");
		*client = accept(listener, NULL, NULL);
		if (*client == -1) {
			free(client);
			if (!stopped && errno != EINTR && errno != ECONNABORTED)
				fatal("cannot accept");
		} else if (pthread_create(&thread, NULL, serve, client) == 0) {
			pthread_detach(thread);
		} else {
			close(*client);
			free(client);
		}
	}
	if (rsp_pe_deregistration("capitals", 8, id) == -1)
		stop();
	return 0;
}
