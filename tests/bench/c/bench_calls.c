/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_calls.c - measures what only this library does: beginning, connecting to a
 * pool, finding its elements.
 *
 *   bench_calls POOL connect TIMES
 *   bench_calls POOL cached|asked TIMES      rsp_getaddrinfo()
 *   bench_calls POOL sockets NUMBER          that are open and not used
 *   bench_calls POOL first TIMES             the first rsp_socket(), of this process: once
 *   bench_calls POOL idle MESSAGES           a program that has talked, and waits
 *
 * Times are in nanoseconds.
 */
#include "bench.h"
#include "support.h"

#include <sys/resource.h>

/* A line of /proc/self/status, such as "Threads:	5". */
static double status_value(const char *name)
{
	char line[256];
	size_t length = strlen(name);
	FILE *status = fopen("/proc/self/status", "r");

	CHECK(status != NULL);
	while (fgets(line, sizeof(line), status) != NULL)
		if (strncmp(line, name, length) == 0) {
			fclose(status);
			return strtod(line + length, NULL);
		}
	stop(name, "/proc/self/status has no such line");
}

static int new_socket(void)
{
	int fd = rsp_socket(AF_INET, SOCK_DGRAM, IPPROTO_SCTP);

	CHECK(fd >= 0);
	return fd;
}

/* A fresh socket each time: it looks for a registrar, asks it, and connects. */
static uint64_t time_connect(const char *pool)
{
	uint64_t begin, took;
	int fd = new_socket();

	begin = now();
	CHECK(rsp_connect(fd, pool, strlen(pool)) == 0);
	took = now() - begin;
	CHECK(rsp_close(fd) == 0);
	return took;
}

static uint64_t time_lookup(const char *pool, int32_t stale)
{
	struct rsp_addrhints hints = {.stale = stale};
	struct rsp_addrinfo *list;
	uint64_t begin = now(), took;

	CHECK(rsp_getaddrinfo(pool, strlen(pool), &hints, &list) == 0);
	took = now() - begin;
	rsp_freeaddrinfo(list);
	return took;
}

static uint64_t time_cached(const char *pool)
{
	return time_lookup(pool, 0);
}

static uint64_t time_asked(const char *pool)
{
	return time_lookup(pool, -1);
}

/* The first one, with which the library begins, does not count. */
static void measure_times(uint64_t (*once)(const char *), const char *pool, uint64_t times)
{
	uint64_t *all = memory(times * sizeof(*all)), i;

	once(pool);
	for (i = 0; i < times; i++)
		all[i] = once(pool);
	tell_times(all, times);
	free(all);
}

static void measure_connect(const char *pool, uint64_t times)
{
	measure_times(time_connect, pool, times);
}

static void measure_cached(const char *pool, uint64_t times)
{
	measure_times(time_cached, pool, times);
}

static void measure_asked(const char *pool, uint64_t times)
{
	measure_times(time_asked, pool, times);
}

static void measure_first(const char *pool, uint64_t times)
{
	uint64_t begin = now();

	(void)pool;
	(void)times;
	new_socket();
	tell("p50", (double)(now() - begin));
}

/* Each takes two descriptors and more. */
static void measure_sockets(const char *pool, uint64_t number)
{
	struct rlimit files;

	(void)pool;
	CHECK(getrlimit(RLIMIT_NOFILE, &files) == 0);
	files.rlim_cur = files.rlim_max;
	CHECK(setrlimit(RLIMIT_NOFILE, &files) == 0);
	while (number-- > 0)
		new_socket();
	tell("resident", status_value("VmRSS:") * 1024);
}

static void measure_idle(const char *pool, uint64_t messages)
{
	int fd = connected(pool);

	while (messages-- > 0) {
		say(fd, "echo");
		expect(fd, "echo");
	}
	sleep(1); /* what the library does after a message is over by then */
	tell("threads", status_value("Threads:"));
}

static const struct {
	const char *name;
	void (*run)(const char *pool, uint64_t number);
} measures[] = {
        {"connect", measure_connect}, {"cached", measure_cached},   {"asked", measure_asked},
        {"first", measure_first},     {"sockets", measure_sockets}, {"idle", measure_idle},
};

int main(int argc, char **argv)
{
	size_t i;

	start_patience();
	for (i = 0; argc == 4 && i < sizeof(measures) / sizeof(measures[0]); i++)
		if (strcmp(argv[2], measures[i].name) == 0) {
			measures[i].run(argv[1], wanted(argv[3], "not a number"));
			return 0;
		}
	fprintf(stderr, "usage: bench_calls POOL MEASURE NUMBER; see the head of bench_calls.c\n");
	return 2;
}
