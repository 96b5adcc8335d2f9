/* SPDX-License-Identifier: Apache-2.0
 *
 * O_NONBLOCK: what takes its time goes on in the background. Needs a registrar.
 */
#include "support.h"

static int nonblocking_socket(void)
{
	int fd = rsp_socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO_SCTP);

	CHECK(fd >= 0);
	return fd;
}

static void wait_for_the_end(int fd)
{
	CHECK(events_of(fd, POLLOUT, 3 * LONG) == POLLOUT);
}

static void connect_succeeds(void)
{
	struct echo pe;
	char buf[8];
	int fd;

	echo_start(&pe, "background");
	fd = nonblocking_socket();
	CHECK_ERROR(rsp_connect(fd, "background", 10), EINPROGRESS);
	wait_for_the_end(fd);
	CHECK_ERROR(rsp_connect(fd, "background", 10), EISCONN);
	say(fd, "hello");
	CHECK(events_of(fd, POLLIN, LONG) == POLLIN);
	CHECK(rsp_recvmsg(fd, buf, sizeof(buf), NULL, 0) == 5);
	CHECK_ERROR(rsp_recvmsg(fd, buf, sizeof(buf), NULL, 0), EAGAIN);
	CHECK(rsp_close(fd) == 0);
	echo_stop(&pe);
}

static void connect_fails(void)
{
	int fd = nonblocking_socket();

	CHECK_ERROR(rsp_connect(fd, "nobody", 6), EINPROGRESS);
	wait_for_the_end(fd);
	CHECK(strstr(check_message(fd), "nobody") != NULL); /* it is known already */
	CHECK_ERROR(rsp_connect(fd, "nobody", 6), ENOENT);
	CHECK_ERROR(rsp_connect(fd, "nobody", 6), EINPROGRESS); /* a new attempt */
	wait_for_the_end(fd);
	CHECK_ERROR(rsp_connect(fd, "nobody", 6), ENOENT);
	CHECK(rsp_close(fd) == 0);
}

static int error_of(int fd)
{
	socklen_t len = sizeof(int);
	int error = -1;

	CHECK(rsp_getsockopt(fd, 0, RSP_ERROR, &error, &len) == 0 && len == sizeof(int));
	return error;
}

/* As SO_ERROR: the outcome, once. */
static void outcome_as_option(void)
{
	struct echo pe;
	int fd = nonblocking_socket(), set = 1;

	CHECK(error_of(fd) == 0);
	CHECK_ERROR(rsp_connect(fd, "nobody", 6), EINPROGRESS);
	wait_for_the_end(fd);
	CHECK(error_of(fd) == ENOENT);
	CHECK(strstr(check_message(fd), "nobody") != NULL);
	CHECK(error_of(fd) == 0);
	echo_start(&pe, "outcome");
	CHECK_ERROR(rsp_connect(fd, "outcome", 7), EINPROGRESS); /* the old outcome is out of the way */
	wait_for_the_end(fd);
	CHECK(error_of(fd) == 0);
	say(fd, "hello");
	CHECK_ERROR(rsp_connect(fd, "outcome", 7), EISCONN);
	CHECK_ERROR(rsp_setsockopt(fd, 0, RSP_ERROR, &set, sizeof(set)), EACCES);
	CHECK(rsp_close(fd) == 0);
	echo_stop(&pe);
}

/* Nobody answers, so it goes on for some time. */
static void connect_goes_on(void)
{
	char address[32];
	char *before = strdup(getenv("RSERPOOL_REGISTRARS"));
	int udp = silent_peer(address);
	int fd;

	CHECK(setenv("RSERPOOL_REGISTRARS", address, 1) == 0);
	fd = nonblocking_socket();
	CHECK(setenv("RSERPOOL_REGISTRARS", before, 1) == 0);
	free(before);
	CHECK_ERROR(rsp_connect(fd, "echo", 4), EINPROGRESS);
	CHECK_ERROR(rsp_connect(fd, "echo", 4), EALREADY);
	CHECK(events_of(fd, POLLOUT | POLLIN, 50) == 0);
	CHECK(rsp_close(fd) == 0);
	close(udp);
}

static void register_and_deregister(void)
{
	struct rsp_loadinfo load;
	int fd = nonblocking_socket();
	uint32_t id;

	memset(&load, 0, sizeof(load));
	load.policy = RSP_LEAST_USED;
	CHECK_ERROR(rsp_register(fd, "offstage", 8, &load), EINPROGRESS);
	wait_for_the_end(fd);
	CHECK(rsp_register(fd, "offstage", 8, &load) == 0); /* the outcome */
	CHECK(rsp_getsockname(fd, NULL, NULL, &id) == 0);
	load.load = 17;
	CHECK_ERROR(rsp_register(fd, "offstage", 8, &load), EINPROGRESS); /* another request */
	wait_for_the_end(fd);
	load.load = 18;
	CHECK_ERROR(rsp_register(fd, "offstage", 8, &load), EINPROGRESS); /* whose outcome is not asked for */
	wait_for_the_end(fd);
	CHECK(rsp_register(fd, "offstage", 8, &load) == 0);
	CHECK_ERROR(rsp_deregister(fd), EINPROGRESS);
	wait_for_the_end(fd);
	CHECK(rsp_deregister(fd) == 0);
	CHECK_ERROR(rsp_getsockname(fd, NULL, NULL, &id), ENOTCONN);
	CHECK(rsp_close(fd) == 0);
}

static void register_fails(void)
{
	struct rsp_loadinfo load;
	int first = bound_socket();
	int fd = nonblocking_socket();

	memset(&load, 0, sizeof(load));
	CHECK(rsp_register(first, "taken", 5, &load) == 0);
	load.policy = RSP_RANDOM;
	CHECK_ERROR(rsp_register(fd, "taken", 5, &load), EINPROGRESS);
	wait_for_the_end(fd);
	CHECK_ERROR(rsp_register(fd, "taken", 5, &load), EINVAL);
	CHECK(rsp_close(fd) == 0);
	CHECK(rsp_close(first) == 0);
}

/* F_SETFL changes the mode at any time. */
static void mode_changes(void)
{
	struct echo pe;
	char buf[8];
	int fd;

	echo_start(&pe, "modes");
	fd = connected("modes");
	CHECK(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0);
	CHECK_ERROR(rsp_recvmsg(fd, buf, sizeof(buf), NULL, 0), EAGAIN);
	CHECK(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK) == 0);
	say(fd, "hello");
	expect(fd, "hello");
	CHECK(rsp_close(fd) == 0);
	echo_stop(&pe);
}

static const struct check_test tests[] = {
        TEST(connect_succeeds),        TEST(connect_fails),  TEST(outcome_as_option), TEST(connect_goes_on),
        TEST(register_and_deregister), TEST(register_fails), TEST(mode_changes),
};

CHECK_MAIN(tests)
