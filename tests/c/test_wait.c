/* SPDX-License-Identifier: Apache-2.0
 *
 * Waiting for a pool or a registrar that is not there yet. Needs a registrar, which
 * knows no pool at first.
 */
#include "support.h"

#include <pthread.h>

/* An element that joins a pool when somebody waits for it already. */
struct late {
	const char *pool;
	struct echo pe;
	pthread_t thread;
};

static void *begin(void *argument)
{
	struct late *late = argument;

	usleep(300000);
	echo_start(&late->pe, late->pool);
	return NULL;
}

static void later(struct late *late, const char *pool)
{
	late->pool = pool;
	CHECK(pthread_create(&late->thread, NULL, begin, late) == 0);
}

static void end(struct late *late)
{
	CHECK(pthread_join(late->thread, NULL) == 0);
	echo_stop(&late->pe);
}

static int waiting_socket(int type, int milliseconds)
{
	int fd = rsp_socket(AF_INET, type, IPPROTO_SCTP);

	CHECK(rsp_setsockopt(fd, 0, RSP_CONNECT_WAIT, &milliseconds, sizeof(milliseconds)) == 0);
	return fd;
}

static void option(void)
{
	static const int values[] = {0, -1, 1, INT32_MAX};
	int fd, value = -99;
	socklen_t len = sizeof(value);
	char *set = strdup(getenv("RSERPOOL_WAIT"));
	size_t i;

	CHECK(unsetenv("RSERPOOL_WAIT") == 0);
	fd = rsp_socket(AF_INET, SOCK_SEQPACKET, 0);
	CHECK(rsp_getsockopt(fd, 0, RSP_CONNECT_WAIT, &value, &len) == 0 && value == 2000 && len == sizeof(int));
	CHECK(rsp_close(fd) == 0);
	CHECK(setenv("RSERPOOL_WAIT", set, 1) == 0);
	free(set);
	fd = rsp_socket(AF_INET, SOCK_SEQPACKET, 0);
	CHECK(rsp_getsockopt(fd, 0, RSP_CONNECT_WAIT, &value, &len) == 0 && value == 100);
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		CHECK(rsp_setsockopt(fd, 0, RSP_CONNECT_WAIT, &values[i], sizeof(int)) == 0);
		CHECK(rsp_getsockopt(fd, 0, RSP_CONNECT_WAIT, &value, &len) == 0 && value == values[i]);
	}
	value = -2;
	CHECK_ERROR(rsp_setsockopt(fd, 0, RSP_CONNECT_WAIT, &value, sizeof(value)), EINVAL);
	CHECK_ERROR(rsp_setsockopt(fd, 5, RSP_CONNECT_WAIT, &values[0], sizeof(int)), ENOPROTOOPT);
	CHECK_ERROR(rsp_getsockopt(fd, 5, RSP_CONNECT_WAIT, &value, &len), ENOPROTOOPT);
	CHECK(rsp_close(fd) == 0);
}

static void connect_first(void)
{
	struct late pe;
	int fd = waiting_socket(SOCK_SEQPACKET, -1);

	later(&pe, "late");
	CHECK(rsp_connect(fd, "late", 4) == 0);
	say(fd, "hello");
	expect(fd, "hello");
	CHECK(rsp_close(fd) == 0);
	end(&pe);
}

static void in_the_background(void)
{
	struct late pe;
	int fd = waiting_socket(SOCK_SEQPACKET | SOCK_NONBLOCK, -1);

	CHECK_ERROR(rsp_connect(fd, "evening", 7), EINPROGRESS);
	CHECK_ERROR(rsp_connect(fd, "evening", 7), EALREADY);
	CHECK(events_of(fd, POLLOUT, 100) == 0);
	later(&pe, "evening");
	CHECK(events_of(fd, POLLOUT, 3 * LONG) == POLLOUT);
	CHECK_ERROR(rsp_connect(fd, "evening", 7), EISCONN);
	CHECK(rsp_close(fd) == 0);
	end(&pe);
}

static void on_alarm(int number)
{
	(void)number;
}

/* A signal ends the wait of the thread, and another call joins it. */
static void interrupted(void)
{
	struct sigaction action;
	struct late pe;
	int fd = waiting_socket(SOCK_SEQPACKET, -1);

	memset(&action, 0, sizeof(action));
	action.sa_handler = on_alarm;
	CHECK(sigaction(SIGALRM, &action, NULL) == 0);
	CHECK(ualarm(100000, 0) == 0);
	CHECK_ERROR(rsp_connect(fd, "night", 5), EINTR);
	later(&pe, "night");
	CHECK(rsp_connect(fd, "night", 5) == 0);
	CHECK(rsp_close(fd) == 0);
	end(&pe);
}

static void *close_soon(void *argument)
{
	usleep(200000);
	CHECK(rsp_close(*(int *)argument) == 0);
	return NULL;
}

static void closed(void)
{
	pthread_t thread;
	int fd = waiting_socket(SOCK_SEQPACKET, -1);

	CHECK(pthread_create(&thread, NULL, close_soon, &fd) == 0);
	CHECK_ERROR(rsp_connect(fd, "never", 5), EBADF);
	CHECK(pthread_join(thread, NULL) == 0);
}

static void not_at_all(void)
{
	int fd = waiting_socket(SOCK_SEQPACKET, 0);

	CHECK_ERROR(rsp_connect(fd, "never", 5), ENOENT);
	CHECK_EXPLAINED("never");
	CHECK(rsp_close(fd) == 0);
}

/* The basic mode: its time ends the wait, and then it is said what for. */
static void resolution(void)
{
	struct rsp_addrinfo *list;
	struct rsp_addrhints hints;
	struct late pe;

	memset(&hints, 0, sizeof(hints));
	hints.wait = -1;
	hints.timeout = 200;
	CHECK_ERROR(rsp_getaddrinfo("morning", 7, &hints, &list), ENOENT);
	CHECK_EXPLAINED("morning");
	hints.timeout = 0;
	later(&pe, "morning");
	CHECK(rsp_getaddrinfo("morning", 7, &hints, &list) == 0);
	CHECK(list->ai_protocol == IPPROTO_SCTP && list->ai_next == NULL);
	rsp_freeaddrinfo(list);
	end(&pe);
	hints.wait = 1;
	hints.stale = -1; /* the cache has it still */
	CHECK_ERROR(rsp_getaddrinfo("morning", 7, &hints, &list), ENOENT);
}

static const struct check_test tests[] = {
        TEST(option), TEST(connect_first), TEST(in_the_background), TEST(interrupted),
        TEST(closed), TEST(not_at_all),    TEST(resolution),
};

CHECK_MAIN(tests)
