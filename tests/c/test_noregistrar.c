/* SPDX-License-Identifier: Apache-2.0
 *
 * Without a registrar every call ends, and says what was tried.
 */
#include "support.h"

static void nobody_answers(void)
{
	struct rsp_loadinfo load;
	char address[32];
	int udp = silent_peer(address);
	int fd;

	CHECK(setenv("RSERPOOL_REGISTRARS", address, 1) == 0);
	CHECK(setenv("RSERPOOL_EMBEDDED", "off", 1) == 0);
	memset(&load, 0, sizeof(load));
	fd = bound_socket();
	errno = 0;
	CHECK(rsp_connect(fd, "echo", 4) == -1);
	CHECK(errno == EHOSTUNREACH || errno == ETIMEDOUT);
	CHECK_EXPLAINED(address);
	errno = 0;
	CHECK(rsp_register(fd, "echo", 4, &load) == -1);
	CHECK(errno == EHOSTUNREACH || errno == ETIMEDOUT);
	CHECK_EXPLAINED(address);
	CHECK(strstr(check_message(fd), address) != NULL);
	CHECK_ERROR(rsp_sendmsg(fd, "x", 1, NULL, 0), ENOTCONN);
	/* A kernel that has SCTP opens the association for the silent one, and the
	 * registrar that it could be is told of the end, which it does not answer. */
	CHECK(rsp_close(fd) == 0 || errno == ETIMEDOUT);
	close(udp);
}

static const struct check_test tests[] = {TEST(nobody_answers)};

CHECK_MAIN(tests)
