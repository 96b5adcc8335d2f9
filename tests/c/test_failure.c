/* SPDX-License-Identifier: Apache-2.0
 *
 * A session whose pool has no element left fails when it has looked for one for
 * as long as RSERPOOL_FAILOVER says. Needs a registrar.
 */
#include "support.h"

/* It makes the descriptor ready, and then every call says why. */
static void no_element_left(void)
{
	char buf[8];
	struct echo pe;
	int user;

	CHECK(setenv("RSERPOOL_FAILOVER", "1", 1) == 0);
	echo_start(&pe, "failing");
	user = connected("failing");
	say(user, "hello");
	expect(user, "hello");
	echo_stop(&pe);
	CHECK(events_of(user, POLLIN, LONG) == POLLIN);
	CHECK_ERROR(rsp_recvmsg(user, buf, sizeof(buf), NULL, MSG_DONTWAIT), EHOSTUNREACH);
	CHECK_EXPLAINED("failing");
	CHECK(events_of(user, POLLIN | POLLOUT, 0) == (POLLIN | POLLOUT));
	errno = 0;
	CHECK(rsp_sendmsg(user, "x", 1, NULL, MSG_DONTWAIT) == -1);
	CHECK(errno == EHOSTUNREACH || errno == ENOTCONN);
	/* The same socket can begin again. */
	CHECK_ERROR(rsp_connect(user, "failing", 7), ENOENT);
	echo_start(&pe, "failing");
	CHECK(rsp_connect(user, "failing", 7) == 0);
	say(user, "hello");
	expect(user, "hello");
	CHECK(rsp_close(user) == 0);
	echo_stop(&pe);
}

static const struct check_test tests[] = {TEST(no_element_left)};

CHECK_MAIN(tests)
