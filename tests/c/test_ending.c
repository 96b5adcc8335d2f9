/* SPDX-License-Identifier: Apache-2.0
 *
 * How sockets and programs end: nothing that was sent is lost by exit(3), and what
 * remains of a closed socket is told apart. Needs a registrar.
 */
#include "support.h"

enum { MESSAGES = 80, SIZE = 40000 }; /* less than a send buffer: sending does not wait */

static char message[SIZE];

/* What a program does that is in a hurry. */
static void send_and_exit(const char *how)
{
	int fd = connected("ending"), i;

	for (i = 0; i < MESSAGES; i++)
		CHECK(rsp_sendmsg(fd, message, sizeof(message), NULL, 0) == sizeof(message));
	if (strcmp(how, "background") == 0) {
		CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
		CHECK(rsp_close(fd) == 0);
	} else if (strcmp(how, "close") == 0) {
		CHECK(close(fd) == 0);
	}
	exit(0);
}

static void nothing_is_lost(void)
{
	static const char *const ways[] = {"open", "background", "close"};
	struct rsp_loadinfo load;
	int fd = bound_socket(), limit = LONG, status;
	size_t i, got;

	memset(&load, 0, sizeof(load));
	CHECK(rsp_register(fd, "ending", 6, &load) == 0);
	CHECK(rsp_setsockopt(fd, 0, RSP_RCVTIMEO, &limit, sizeof(limit)) == 0);
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		pid_t child = fork();

		if (child == 0) {
			execl("/proc/self/exe", "test_ending", "sender", ways[i], (char *)NULL);
			_exit(1);
		}
		for (got = 0; got < MESSAGES * SIZE;) {
			ssize_t n = rsp_recvmsg(fd, message, sizeof(message), NULL, 0);

			CHECK(n > 0);
			got += (size_t)n;
		}
		CHECK(waitpid(child, &status, 0) == child && status == 0);
	}
	CHECK(rsp_close(fd) == 0);
}

/* A second name outlives the socket, as a number. */
static void second_name(void)
{
	struct echo pe;
	char buf[8];
	int fd, again;

	echo_start(&pe, "names");
	fd = connected("names");
	again = dup(fd);
	CHECK(again >= 0 && rsp_close(fd) == 0);
	CHECK_ERROR(rsp_close(fd), EBADF);
	CHECK((events_of(again, POLLIN, LONG) & POLLHUP) != 0);
	CHECK(rsp_recvmsg(again, buf, sizeof(buf), NULL, 0) == -1 && (errno == EBADF || errno == ENOTSOCK));
	CHECK(rsp_close(again) == -1 && (errno == EBADF || errno == ENOTSOCK));
	CHECK(close(again) == 0); /* it still was a number */
	echo_stop(&pe);
}

static void *close_late(void *fd)
{
	usleep(50000);
	CHECK(rsp_close(*(int *)fd) == 0);
	return NULL;
}

/* In words of this library. */
static void words(void)
{
	pthread_t thread;
	int fd = bound_socket();
	char buf[8];

	CHECK(pthread_create(&thread, NULL, close_late, &fd) == 0);
	CHECK_ERROR(rsp_recvmsg(fd, buf, sizeof(buf), NULL, 0), EBADF);
	CHECK(strstr(check_message(-1), "closed") != NULL);
	CHECK(strstr(check_message(-1), "network connection") == NULL);
	CHECK(pthread_join(thread, NULL) == 0);
}

static const struct check_test tests[] = {TEST(nothing_is_lost), TEST(second_name), TEST(words)};

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "sender") == 0)
		send_and_exit(argv[2]);
	return check_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
