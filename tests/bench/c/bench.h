/* SPDX-License-Identifier: Apache-2.0
 *
 * bench.h - what the programs of make bench-capi share. bench_pe.c echoes and
 * bench_pu.c measures; each is built once for every transport, so that all are
 * measured by the same code. ../../../docs/reports/benchmarks-capi.md has what came out.
 */
#ifndef BENCH_H
#define BENCH_H

#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>

/* The kernel counts that much for a message in a buffer besides its bytes. */
enum { MESSAGE_MAX = 1 << 16, MESSAGE_COST = 1280, ADDRESS_SIZE = 64 };

/* One end of a conversation, as the transport keeps it. */
struct end;

/* What a transport can do. What fails ends the program. */
struct transport {
	size_t longest; /* the longest message */
	size_t credit;  /* bytes and costs that may be under way before some are lost; 0: it holds the sender back */
	int alternates; /* each message waits for the answer to the one before it */
	/* How to wait for several descriptors, in place of poll(2). */
	int (*wait)(struct pollfd *fds, nfds_t count, int timeout);
	/* The end of an element, which takes messages of all users; and where they find it. */
	struct end *(*serve)(char address[ADDRESS_SIZE]);
	/* The end of a user, connected. */
	struct end *(*open)(const char *address);
	/* That of an element sends to where the last message came from. */
	void (*send)(struct end *end, const void *message, size_t length);
	size_t (*receive)(struct end *end, void *message, size_t size);
	/* To wait for a message with; NULL: there is none. */
	int (*descriptor)(const struct end *end);
};
extern const struct transport transport;

/* What the first byte of a message asks for. */
enum { ECHO = 'e', COUNT = 'c', REPORT = 'r' };

/* What an element answers to REPORT: what it has done so far. */
struct report {
	uint64_t cpu;   /* processor time, in nanoseconds */
	uint64_t bytes; /* of the messages that it was to count */
};

/* Messages are numbered, so that one that is lost, or comes twice, is noticed. */
void number_message(void *message, char kind, uint64_t number);
void check_number(const void *message, size_t length, size_t expected_length, uint64_t number);

/* A user takes no longer than that. */
enum { PATIENCE = 60 /* s */ };
void start_patience(void);

uint64_t now(void);        /* ns */
uint64_t spent_time(void); /* by all threads of this process on processors, in ns */
uint64_t wanted(const char *text, const char *what);
void *memory(size_t size);

/* One value of the result, for the program that runs this one. */
void tell(const char *name, double value);
/* The same for two percentiles of times in nanoseconds, which it sorts. */
void tell_times(uint64_t *times, size_t count);

/* Says what failed, why, and ends the program. */
_Noreturn void stop(const char *what, const char *why);
_Noreturn void stop_errno(const char *what);

/* The loopback, port chosen by the system. */
struct sockaddr_in loopback(void);
/* From and to "127.0.0.1:port". */
void write_address(char address[ADDRESS_SIZE], const char *scheme, unsigned port);
struct sockaddr_in read_address(const char *address);
/* What a bound socket is reached at. */
void bound_address(int fd, char address[ADDRESS_SIZE]);

/* The measures that need a file of their own: sockets that are waited for together. */
void measure_crowd(const char *address, const char *how, size_t sockets, uint64_t messages);

#endif
