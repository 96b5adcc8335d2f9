/* SPDX-License-Identifier: Apache-2.0
 *
 * check.h - what the C tests are written with. A test is a function; a failed
 * check prints where and what, and ends the program.
 */
#ifndef CHECK_H
#define CHECK_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <rserpool.h>

#define CHECK(condition)                                                                                               \
	do {                                                                                                           \
		if (!(condition))                                                                                      \
			check_failed(__FILE__, __LINE__, #condition);                                                  \
	} while (0)

/* The call must fail with -1 and this errno, and rsp_errmsg must explain it. */
#define CHECK_ERROR(call, error)                                                                                       \
	do {                                                                                                           \
		errno = 0;                                                                                             \
		if ((call) != -1 || errno != (error))                                                                  \
			check_failed(__FILE__, __LINE__, #call " gives -1 and " #error);                               \
		if (strlen(check_message(-1)) < 5)                                                                     \
			check_failed(__FILE__, __LINE__, #call " leaves a sentence");                                  \
	} while (0)

/* The last failure of this thread was explained with these words. */
#define CHECK_EXPLAINED(words) CHECK(strstr(check_message(-1), (words)) != NULL)

static inline const char *check_message(int fd)
{
	static _Thread_local char text[2048];
	int before = errno;

	rsp_errmsg(fd, text, sizeof(text));
	errno = before;
	return text;
}

static inline void check_failed(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: failed: %s (errno %d: %s; rsp_errmsg: %s)\n", file, line, what, errno, strerror(errno),
	        check_message(-1));
	exit(1);
}

struct check_test {
	const char *name;
	void (*run)(void);
};

/* clang-format takes the braces for those of a block. */
/* clang-format off */
#define TEST(function) {#function, function}
/* clang-format on */

/* A name that is mistyped would else be a test that passes. */
static inline void check_names(int argc, char **argv, const struct check_test *tests, size_t count)
{
	size_t i;
	int j;

	for (j = 1; j < argc; j++) {
		for (i = 0; i < count && strcmp(argv[j], tests[i].name) != 0; i++)
			;
		if (i == count) {
			fprintf(stderr, "failed: no test has the name %s\n", argv[j]);
			exit(2);
		}
	}
}

/* Runs all tests, or those that the arguments name. */
static inline int check_main(int argc, char **argv, const struct check_test *tests, size_t count)
{
	size_t i;
	int j;

	setvbuf(stdout, NULL, _IOLBF, 0);
	check_names(argc, argv, tests, count);
	for (i = 0; i < count; i++) {
		for (j = 1; j < argc && strcmp(argv[j], tests[i].name) != 0; j++)
			;
		if (argc > 1 && j == argc)
			continue;
		printf("%s\n", tests[i].name);
		tests[i].run();
	}
	return 0;
}

#define CHECK_MAIN(tests)                                                                                              \
	int main(int argc, char **argv)                                                                                \
	{                                                                                                              \
		return check_main(argc, argv, (tests), sizeof(tests) / sizeof((tests)[0]));                            \
	}

static inline long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What poll(2) says about fd at the moment, or after up to ms milliseconds. */
static inline short events_of(int fd, short events, int ms)
{
	struct pollfd p = {.fd = fd, .events = events};

	CHECK(poll(&p, 1, ms) >= 0);
	return p.revents;
}

#define LONG 10000 /* ms; a limit for what should come, never a measure */

#endif
