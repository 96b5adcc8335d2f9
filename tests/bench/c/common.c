/* SPDX-License-Identifier: Apache-2.0
 *
 * common.c - clocks, numbers and the end of programs that cannot go on.
 */
#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

void stop(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

void stop_errno(const char *what)
{
	stop(what, strerror(errno));
}

uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t nanoseconds(const struct timeval *t)
{
	return (uint64_t)t->tv_sec * 1000000000u + (uint64_t)t->tv_usec * 1000u;
}

uint64_t spent_time(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage) == -1)
		stop_errno("getrusage");
	return nanoseconds(&usage.ru_utime) + nanoseconds(&usage.ru_stime);
}

uint64_t wanted(const char *text, const char *what)
{
	char *end;
	uint64_t number = strtoull(text, &end, 10);

	if (*text < '0' || *text > '9' || *end != '\0' || number == 0)
		stop(text, what);
	return number;
}

void *memory(size_t size)
{
	void *all = calloc(1, size);

	if (all == NULL)
		stop_errno("calloc");
	return all;
}

void number_message(void *message, char kind, uint64_t number)
{
	memcpy(message, &kind, 1);
	memcpy((char *)message + 1, &number, sizeof(number));
}

void check_number(const void *message, size_t length, size_t expected_length, uint64_t number)
{
	uint64_t got = 0;

	if (length == expected_length)
		memcpy(&got, (const char *)message + 1, sizeof(got));
	if (length == expected_length && got == number)
		return;
	fprintf(stderr,
	        "message %" PRIu64 " of %zu bytes was to come, but what came is %" PRIu64 " of %zu: one was lost\n",
	        number, expected_length, got, length);
	exit(1);
}

static void lose_patience(int number)
{
	static const char why[] =
	        "not done after a minute: a message was lost, the other side has ended, or messages are too many\n";

	(void)number;
	_exit(write(STDERR_FILENO, why, sizeof(why) - 1) == -1 ? 2 : 1);
}

void start_patience(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = lose_patience;
	action.sa_flags = SA_ONSTACK;
	sigaction(SIGALRM, &action, NULL);
	alarm(PATIENCE);
}

void tell(const char *name, double value)
{
	printf("%s %.3f\n", name, value);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

void tell_times(uint64_t *times, size_t count)
{
	qsort(times, count, sizeof(*times), compare);
	tell("p50", (double)times[count / 2]);
	tell("p99", (double)times[count * 99 / 100]);
}

struct sockaddr_in loopback(void)
{
	struct sockaddr_in here;

	memset(&here, 0, sizeof(here));
	here.sin_family = AF_INET;
	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return here;
}

void write_address(char address[ADDRESS_SIZE], const char *scheme, unsigned port)
{
	snprintf(address, ADDRESS_SIZE, "%s127.0.0.1:%u", scheme, port);
}

struct sockaddr_in read_address(const char *address)
{
	struct sockaddr_in there = loopback();
	const char *port = strrchr(address, ':');

	if (port == NULL)
		stop(address, "not an address; take what the element has printed");
	there.sin_port = htons((in_port_t)wanted(port + 1, "not a port; take what the element has printed"));
	return there;
}

void bound_address(int fd, char address[ADDRESS_SIZE])
{
	struct sockaddr_in here;
	socklen_t size = sizeof(here);

	if (getsockname(fd, (struct sockaddr *)&here, &size) == -1)
		stop_errno("getsockname");
	write_address(address, "", ntohs(here.sin_port));
}
