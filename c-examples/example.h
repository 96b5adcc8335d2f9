/* SPDX-License-Identifier: Apache-2.0
 *
 * example.h - what the examples share: a program that cannot go on says why.
 */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rserpool.h>

_Noreturn static inline void stop(void)
{
	char why[1024];

	rsp_errmsg(-1, why, sizeof(why));
	fprintf(stderr, "%s\n", why);
	exit(1);
}

static inline int new_socket(void)
{
	int fd = rsp_socket(AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP);

	if (fd == -1)
		stop();
	return fd;
}

static inline void set_option(int fd, int option, int value)
{
	if (rsp_setsockopt(fd, 0, option, &value, sizeof(value)) == -1)
		stop();
}

/* Joins the pool, on a free port, and says which element it is. */
static inline void join(int fd, const char *pool, const struct rsp_loadinfo *load)
{
	uint32_t id;

	if (rsp_register(fd, pool, strlen(pool), load) == -1 || rsp_getsockname(fd, NULL, NULL, &id) == -1)
		stop();
	printf("element 0x%08" PRIx32 "\n", id);
	fflush(stdout);
}

/* Receives, and goes on after a signal. */
static inline ssize_t receive(int fd, void *buf, size_t size, struct rsp_sndrcvinfo *info)
{
	ssize_t n;

	do
		n = rsp_recvmsg(fd, buf, size, info, 0);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		stop();
	return n;
}

#endif
