/* SPDX-License-Identifier: Apache-2.0
 *
 * support.h - pool elements and pool users for the tests.
 */
#ifndef SUPPORT_H
#define SUPPORT_H

#include "check.h"

/* A pool element that echoes in a thread of its own. */
struct echo {
	int fd;
	pthread_t thread;
};

/* A socket on the loopback, port chosen. */
int bound_socket(void);

/* Joins the pool; returns once the registrar knows it. */
void echo_start(struct echo *pe, const char *pool);
/* Leaves the pool gracefully. */
void echo_stop(struct echo *pe);

/* A socket with a session in the pool. */
int connected(const char *pool);

/* A socket that is an element of the pool. */
int pool_element(const char *pool);

/* Sends and receives one text. */
void say(int fd, const char *text);
void expect(int fd, const char *text);

/* What a whole program does: an echo element, and a text sent to it and back. */
void serve_and_ask(const char *pool);

/* A socket on the loopback that nobody reads, as "address:port": of the kernel's
 * SCTP where the library uses that, which accepts associations and no more, or
 * else of UDP, which never answers. */
int silent_peer(char address[32]);

/* The registrar, 120 ms away, as "address:port"; 0 with SCTP of the kernel, which
 * no relay can slow down. Once per program. */
int slow_registrar(char address[32]);

#endif
