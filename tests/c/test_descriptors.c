/* SPDX-License-Identifier: Apache-2.0
 *
 * A descriptor of this library is a real one: it may be duplicated, closed by
 * close(2), and its number may come back for something else. Nothing is left.
 * Needs a registrar.
 */
#include "support.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/resource.h>

static int open_descriptors(void)
{
	DIR *list = opendir("/proc/self/fd");
	int count = 0;

	while (readdir(list) != NULL)
		count++;
	closedir(list);
	return count;
}

/* What is closed in the background takes a moment. */
static void wait_for_descriptors(int most)
{
	long long end = now_ms() + LONG;

	while (open_descriptors() > most && now_ms() < end)
		usleep(10000);
	CHECK(open_descriptors() <= most);
}

/* The sockets of a process share a few descriptors, at most two for each
 * processor, which stay: here they are all there. */
static void warm_up(void)
{
	long i, most = 2 * sysconf(_SC_NPROCESSORS_ONLN);
	int *fds = malloc(sizeof(*fds) * (size_t)most);

	CHECK(fds != NULL);
	for (i = 0; i < most; i++)
		fds[i] = bound_socket();
	for (i = 0; i < most; i++)
		CHECK(rsp_close(fds[i]) == 0);
	free(fds);
}

static void nothing_is_left(void)
{
	struct echo pe;
	int before, i, fd;

	warm_up();
	echo_start(&pe, "leaks");
	fd = connected("leaks");
	before = open_descriptors();
	for (i = 0; i < 50; i++) {
		int one = connected("leaks");

		say(one, "hello");
		expect(one, "hello");
		CHECK(rsp_close(one) == 0);
	}
	wait_for_descriptors(before);
	CHECK(rsp_close(fd) == 0);
	echo_stop(&pe);
}

/* close(2) instead of rsp_close frees everything as well. */
static void plain_close(void)
{
	struct rsp_loadinfo load;
	int before, i, fd;

	memset(&load, 0, sizeof(load));
	warm_up();
	fd = bound_socket();
	before = open_descriptors();
	for (i = 0; i < 20; i++) {
		int one = bound_socket();

		CHECK(rsp_register(one, "plain", 5, &load) == 0);
		CHECK(close(one) == 0);
	}
	wait_for_descriptors(before);
	/* They have left the pool, too. */
	CHECK_ERROR(rsp_connect(fd, "plain", 5), ENOENT);
	CHECK(rsp_close(fd) == 0);
}

/* A number that came back for another file is not ours any more. */
static void reused_number(void)
{
	int pipes[2], fd = bound_socket();
	int udp = socket(AF_INET, SOCK_DGRAM, 0);
	char buf[8];

	CHECK(pipe(pipes) == 0);
	CHECK(dup2(pipes[0], fd) == fd); /* closes the socket */
	CHECK_ERROR(rsp_recvmsg(fd, buf, sizeof(buf), NULL, 0), ENOTSOCK);
	CHECK(dup2(udp, fd) == fd);
	CHECK_ERROR(rsp_recvmsg(fd, buf, sizeof(buf), NULL, 0), ENOTSOCK);
	CHECK_ERROR(rsp_close(fd), ENOTSOCK);
	close(fd);
	close(udp);
	close(pipes[0]);
	close(pipes[1]);
}

/* dup(2) makes a second name of the same socket; the first may go. */
static void duplicated(void)
{
	struct echo pe;
	char buf[8];
	int fd, twin;

	echo_start(&pe, "twins");
	fd = connected("twins");
	twin = dup(fd);
	CHECK(twin >= 0);
	say(twin, "one");
	expect(fd, "one");
	CHECK(close(fd) == 0);
	say(twin, "two");
	CHECK(events_of(twin, POLLIN, LONG) == POLLIN);
	expect(twin, "two");
	CHECK(events_of(twin, POLLIN, 0) == 0);
	CHECK_ERROR(rsp_recvmsg(twin, buf, sizeof(buf), NULL, MSG_DONTWAIT), EAGAIN);
	CHECK(rsp_close(twin) == 0);
	echo_stop(&pe);
}

/* rsp_close on one name ends the socket for the others. */
static void closed_twin(void)
{
	int fd = bound_socket();
	int twin = dup(fd);
	char buf[8];

	CHECK(rsp_close(fd) == 0);
	CHECK((events_of(twin, POLLIN, 0) & POLLHUP) != 0);
	errno = 0;
	CHECK(rsp_recvmsg(twin, buf, sizeof(buf), NULL, 0) == -1);
	CHECK(errno == EBADF || errno == ENOTSOCK);
	close(twin);
}

/* Descriptors run out. */
static void no_descriptors(void)
{
	struct rlimit limit;
	int filler[1100], count = 0, fd, before;

	fd = bound_socket();
	CHECK(rsp_close(fd) == 0);
	before = open_descriptors();
	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = 1024;
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	while (count < 1100 && (filler[count] = dup(0)) != -1)
		count++;
	CHECK(errno == EMFILE);
	CHECK_ERROR(rsp_socket(AF_INET, SOCK_DGRAM, IPPROTO_SCTP), EMFILE);
	CHECK_EXPLAINED("ulimit");
	while (count > 0)
		close(filler[--count]);
	CHECK(open_descriptors() <= before);
	fd = bound_socket();
	CHECK(rsp_close(fd) == 0);
}

static const struct check_test tests[] = {
        TEST(nothing_is_left), TEST(plain_close), TEST(reused_number),
        TEST(duplicated),      TEST(closed_twin), TEST(no_descriptors),
};

CHECK_MAIN(tests)
