/* SPDX-License-Identifier: Apache-2.0
 *
 * tcp_client.c - sends each line of its input to a server of the pool "capitals" over
 * TCP, and prints the answer. When the server does not answer, it says so to the
 * registrar, takes the next one, and asks again.
 */
#define _XOPEN_SOURCE 700
#include "example.h"

#include <signal.h>
#include <sys/time.h>

#define PATIENCE 2 /* seconds that a server may take to accept or to answer */
#define TRIES 20   /* for one line, until all servers count as gone */

static int connected_to(const struct rsp_addrinfo *server)
{
	struct timeval limit = {.tv_sec = PATIENCE};
	int fd = socket(server->ai_family, server->ai_socktype, server->ai_protocol);

	if (fd == -1)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)); /* also for connect() */
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (connect(fd, server->ai_addr, server->ai_addrlen) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Connects to the first server that lets it, and reports the others. Returns -1 when
 * none does. */
static int next_server(uint32_t *id)
{
	struct rsp_addrhints hints;
	struct rsp_addrinfo *servers, *i;
	int fd = -1;

	memset(&hints, 0, sizeof(hints));
	hints.protocol = IPPROTO_TCP;
	if (rsp_getaddrinfo("capitals", 8, &hints, &servers) == -1)
		stop();
	for (i = servers; i != NULL && fd == -1; i = i->ai_next) {
		fd = connected_to(i);
		if (fd == -1)
			rsp_pe_failure("capitals", 8, i->ai_pe_id);
		else
			*id = i->ai_pe_id;
	}
	rsp_freeaddrinfo(servers);
	return fd;
}

/* Sends one line and reads one; false when the server fails. */
static int ask(int fd, const char *line, size_t length, char *answer)
{
	size_t done = 0;
	ssize_t n;

	while (done < length) {
		n = write(fd, line + done, length - done);
		if (n == -1)
			return 0;
		done += (size_t)n;
	}
	for (done = 0; done < length; done += (size_t)n) {
		n = read(fd, answer + done, length - done);
		if (n <= 0)
			return 0;
	}
	return 1;
}

int main(void)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t length;
	uint32_t id = 0;
	int fd = -1;

	signal(SIGPIPE, SIG_IGN);
	while ((length = getline(&line, &room, stdin)) > 0) {
		char *answer = malloc((size_t)length);
		int tries;

		if (answer == NULL)
			return 1;
		for (tries = 0; fd == -1 || !ask(fd, line, (size_t)length, answer); tries++) {
			if (fd != -1) {
				close(fd);
				if (rsp_pe_failure("capitals", 8, id) == -1)
					stop();
			}
			if (tries == TRIES) {
				fprintf(stderr, "no server of the pool answers\n");
				return 1;
			}
			fd = next_server(&id);
			if (fd == -1)
				poll(NULL, 0, 500);
			else
				fprintf(stderr, "served by 0x%08" PRIx32 "\n", id);
		}
		fwrite(answer, 1, (size_t)length, stdout);
		fflush(stdout);
		free(answer);
	}
	free(line);
	if (fd != -1)
		close(fd);
	return 0;
}
