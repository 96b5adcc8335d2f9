/* SPDX-License-Identifier: Apache-2.0
 *
 * rsp_init(), and what it is for: programs that change their root directory and
 * their user. Each test runs in a process of its own, named by the argument. Needs a
 * registrar.
 */
#include "support.h"

#include <grp.h>
#include <sched.h>
#include <sys/stat.h>

enum { NOT_RUN = 77 };

static void again(void)
{
	CHECK(setenv("RSERPOOL_PORT", "none", 1) == 0);
	CHECK_ERROR(rsp_init(), EINVAL);
	CHECK_EXPLAINED("RSERPOOL_PORT");
	CHECK(unsetenv("RSERPOOL_PORT") == 0);
	CHECK(rsp_init() == 0);
	CHECK(rsp_init() == 0);
	serve_and_ask("again");
}

static void change_root(void)
{
	char empty[] = "/tmp/rserpool-XXXXXX";
	int root = geteuid() == 0;

	CHECK(mkdtemp(empty) != NULL);
	if (chmod(empty, 0755) == -1 || (!root && unshare(CLONE_NEWUSER) == -1) || chroot(empty) == -1) {
		printf("SKIPPED: this user may not change the root directory\n");
		rmdir(empty);
		exit(NOT_RUN);
	}
	CHECK(chdir("/") == 0);
	if (root)
		CHECK(setgroups(0, NULL) == 0 && setgid(65534) == 0 && setuid(65534) == 0);
}

/* All that was named by files is there, although the files are not. */
static void before_chroot(void)
{
	char config[] = "/tmp/rserpool-XXXXXX", line[128];
	int file = mkstemp(config), length;

	length = snprintf(line, sizeof(line), "RSERPOOL_REGISTRARS=%s\n", getenv("RSERPOOL_REGISTRARS"));
	CHECK(file >= 0 && write(file, line, (size_t)length) == length && close(file) == 0);
	CHECK(unsetenv("RSERPOOL_REGISTRARS") == 0 && setenv("RSERPOOL_EMBEDDED", "off", 1) == 0);
	CHECK(setenv("RSERPOOL_CONFIG", config, 1) == 0);
	CHECK(rsp_init() == 0);
	CHECK(unlink(config) == 0);
	change_root();
	serve_and_ask("chroot");
}

static void without(void)
{
	change_root();
	CHECK_ERROR(rsp_socket(AF_INET, SOCK_SEQPACKET, 0), ELIBACC);
	CHECK_EXPLAINED("call rsp_init before");
	CHECK_ERROR(rsp_init(), ELIBACC);
}

static const struct check_test tests[] = {TEST(again), TEST(before_chroot), TEST(without)};

CHECK_MAIN(tests)
