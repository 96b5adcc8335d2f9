/* SPDX-License-Identifier: Apache-2.0
 *
 * The environment counts as it is when a socket is made, also after setenv(3);
 * wrong settings are named.
 */
#include "check.h"

static void settings_are_named(void)
{
	CHECK(setenv("RSERPOOL_TRANSPORT", "pigeon", 1) == 0);
	CHECK_ERROR(rsp_socket(AF_INET, SOCK_DGRAM, IPPROTO_SCTP), EINVAL);
	CHECK_EXPLAINED("RSERPOOL_TRANSPORT");
	CHECK_EXPLAINED("pigeon");
	CHECK(setenv("RSERPOOL_PORT", "70000", 1) == 0);
	CHECK(unsetenv("RSERPOOL_TRANSPORT") == 0);
	CHECK_ERROR(rsp_socket(AF_INET, SOCK_DGRAM, IPPROTO_SCTP), EINVAL);
	CHECK_EXPLAINED("RSERPOOL_PORT");
	CHECK(unsetenv("RSERPOOL_PORT") == 0);
	CHECK(rsp_close(rsp_socket(AF_INET, SOCK_DGRAM, IPPROTO_SCTP)) == 0);
}

static const struct check_test tests[] = {TEST(settings_are_named)};

CHECK_MAIN(tests)
