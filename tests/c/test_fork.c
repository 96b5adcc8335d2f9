/* SPDX-License-Identifier: Apache-2.0
 *
 * fork(2) before the first call works, after it fails clearly. Each test runs in
 * a process of its own, named by the argument. Needs a registrar.
 */
#include "support.h"

static void finish(pid_t child)
{
	int status;

	CHECK(child > 0);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void prefork(void)
{
	pid_t workers[4];
	char pool[32];
	int i;

	CHECK(strcmp(rsp_version(), RSP_VERSION) == 0); /* starts nothing */
	CHECK(rsp_poll(NULL, 0, 0) == 0);
	for (i = 0; i < 4; i++) {
		workers[i] = fork();
		if (workers[i] == 0) {
			snprintf(pool, sizeof(pool), "prefork-%d", i);
			serve_and_ask(pool);
			exit(0);
		}
	}
	for (i = 0; i < 4; i++)
		finish(workers[i]);
	serve_and_ask("prefork-parent"); /* the parent may still begin */
}

/* daemon(3) forks and leaves the directory, which matters when the library was
 * found by a relative LD_LIBRARY_PATH. */
static void daemonized(void)
{
	int report[2];
	char done = 0;

	CHECK(pipe(report) == 0);
	if (fork() == 0) {
		close(report[0]);
		CHECK(daemon(0, 1) == 0);
		serve_and_ask("daemon");
		CHECK(write(report[1], "y", 1) == 1);
		exit(0);
	}
	close(report[1]);
	CHECK(read(report[0], &done, 1) == 1 && done == 'y');
	CHECK(wait(NULL) > 0);
}

static void every_function_fails(int fd)
{
	struct rsp_loadinfo load;
	struct sockaddr_in any;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct timeval now = {0, 0};
	struct rsp_addrinfo *list = NULL;
	socklen_t none = 0;
	struct rsp_mmsghdr one = {.len = 1};
	char buf[256];

	memset(&load, 0, sizeof(load));
	memset(&any, 0, sizeof(any));
	any.sin_family = AF_INET;
	one.buf = buf;
	CHECK_ERROR(rsp_init(), EOWNERDEAD);
	CHECK_ERROR(rsp_socket(AF_INET, SOCK_DGRAM, IPPROTO_SCTP), EOWNERDEAD);
	CHECK_EXPLAINED("forked");
	CHECK_ERROR(rsp_bind(fd, (struct sockaddr *)&any, sizeof(any)), EOWNERDEAD);
	CHECK_ERROR(rsp_connect(fd, "echo", 4), EOWNERDEAD);
	CHECK_ERROR(rsp_register(fd, "echo", 4, &load), EOWNERDEAD);
	CHECK_ERROR(rsp_deregister(fd), EOWNERDEAD);
	CHECK_ERROR(rsp_sendmsg(fd, "x", 1, NULL, 0), EOWNERDEAD);
	CHECK_ERROR(rsp_recvmsg(fd, buf, sizeof(buf), NULL, 0), EOWNERDEAD);
	CHECK_ERROR(rsp_rcvmsg(fd, buf, sizeof(buf), NULL, 0), EOWNERDEAD);
	CHECK_ERROR(rsp_select(fd + 1, NULL, NULL, NULL, &now), EOWNERDEAD);
	CHECK_ERROR(rsp_poll(&p, 1, 0), EOWNERDEAD);
	CHECK_ERROR(rsp_getsockname(fd, NULL, NULL, NULL), EOWNERDEAD);
	CHECK_ERROR(rsp_getpeername(fd, NULL, NULL, NULL), EOWNERDEAD);
	CHECK_ERROR(rsp_sendmmsg(fd, &one, 1, 0), EOWNERDEAD);
	CHECK_ERROR(rsp_recvmmsg(fd, &one, 1, 0), EOWNERDEAD);
	CHECK_ERROR(rsp_close_session(fd, 0, 0), EOWNERDEAD);
	CHECK_ERROR(rsp_set_log(NULL, NULL, 0), EOWNERDEAD);
	CHECK_ERROR(rsp_bindx(fd, (struct sockaddr *)&any, 1, 0), EOWNERDEAD);
	CHECK_ERROR(rsp_getpeeraddrs(fd, 0, NULL, &none), EOWNERDEAD);
	CHECK_ERROR(rsp_getlocaladdrs(fd, 0, NULL, &none), EOWNERDEAD);
	CHECK_ERROR(rsp_close(fd), EOWNERDEAD);
	CHECK_ERROR(rsp_getaddrinfo("echo", 4, NULL, &list), EOWNERDEAD);
	CHECK_ERROR(rsp_pe_registration("echo", 4, NULL, &load, NULL), EOWNERDEAD);
	CHECK_ERROR(rsp_pe_deregistration("echo", 4, 1), EOWNERDEAD);
	CHECK_ERROR(rsp_pe_failure("echo", 4, 1), EOWNERDEAD);
	rsp_freeaddrinfo(list);
	CHECK(rsp_errmsg(fd, buf, sizeof(buf)) > 10 && strstr(buf, "forked") != NULL);
}

static void after_use(void)
{
	struct echo pe;
	pid_t child;
	int fd;

	echo_start(&pe, "after-use");
	fd = connected("after-use");
	child = fork();
	if (child == 0) {
		pid_t grandchild;

		every_function_fails(fd);
		grandchild = fork();
		if (grandchild == 0) {
			every_function_fails(fd);
			_exit(0);
		}
		finish(grandchild);
		_exit(0);
	}
	finish(child);
	/* The parent's session is unharmed by all that. */
	say(fd, "hello");
	expect(fd, "hello");
	CHECK(rsp_close(fd) == 0);
	echo_stop(&pe);
}

/* execve(2) starts anew, and descriptors do not leak into the new program. */
static void exec_after_use(void)
{
	int fd = bound_socket();
	pid_t child = fork();
	char number[16];

	snprintf(number, sizeof(number), "%d", fd);
	if (child == 0) {
		execl("/proc/self/exe", "test_fork", "fresh_program", number, (char *)NULL);
		_exit(1);
	}
	finish(child);
	CHECK(system("exit 0") == 0);
	CHECK(rsp_close(fd) == 0);
}

static void fresh_program(void)
{
	serve_and_ask("fresh");
}

static const struct check_test tests[] = {
        TEST(prefork), TEST(daemonized), TEST(after_use), TEST(exec_after_use), TEST(fresh_program),
};

int main(int argc, char **argv)
{
	if (argc > 2)
		CHECK(fcntl(atoi(argv[2]), F_GETFD) == -1);
	return check_main(argc > 2 ? 2 : argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
