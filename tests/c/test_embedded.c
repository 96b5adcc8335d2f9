/* SPDX-License-Identifier: Apache-2.0
 *
 * With nothing configured a pool element brings its own registrar, on loopback,
 * and users of other processes find it there.
 */
#include "support.h"

/* A port that is free at the moment. */
static void choose_port(void)
{
	char address[32];
	int udp = silent_peer(address);

	close(udp);
	CHECK(setenv("RSERPOOL_PORT", strchr(address, ':') + 1, 1) == 0);
	CHECK(unsetenv("RSERPOOL_REGISTRARS") == 0);
	CHECK(unsetenv("RSERPOOL_EMBEDDED") == 0);
}

static void user_in_another_process(void)
{
	int report[2], status;
	pid_t user;
	struct echo pe;
	char go;

	choose_port();
	CHECK(pipe(report) == 0);
	user = fork();
	if (user == 0) {
		int fd;

		CHECK(read(report[0], &go, 1) == 1);
		fd = connected("embedded");
		say(fd, "hello");
		expect(fd, "hello");
		CHECK(rsp_close(fd) == 0);
		exit(0);
	}
	echo_start(&pe, "embedded");
	CHECK(write(report[1], "x", 1) == 1);
	CHECK(waitpid(user, &status, 0) == user && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	echo_stop(&pe);
}

static void forbidden(void)
{
	struct rsp_loadinfo load;
	int fd;

	choose_port();
	CHECK(setenv("RSERPOOL_EMBEDDED", "off", 1) == 0);
	memset(&load, 0, sizeof(load));
	fd = bound_socket();
	errno = 0;
	CHECK(rsp_register(fd, "embedded", 8, &load) == -1);
	CHECK(errno == EHOSTUNREACH || errno == ETIMEDOUT);
	CHECK_EXPLAINED(getenv("RSERPOOL_PORT"));
	CHECK(rsp_close(fd) == 0);
}

static const struct check_test tests[] = {TEST(user_in_another_process), TEST(forbidden)};

CHECK_MAIN(tests)
