/* SPDX-License-Identifier: Apache-2.0
 *
 * What the process lacks is an errno with a sentence, and never the end of the
 * program; and what it lacked it may have at the next call.
 */
#include "check.h"

#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum { WORKS = 0, EXPLAINED = 10, WRONG = 11 };

/* What the first call does, as the exit status of a child. */
static int first_call(int error)
{
	int fd = rsp_socket(AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP);

	if (fd >= 0)
		return rsp_close(fd) == 0 ? WORKS : WRONG;
	if (errno == error && strlen(check_message(-1)) > 20)
		return EXPLAINED;
	fprintf(stderr, "errno %d: %s; %s\n", errno, strerror(errno), check_message(-1));
	return WRONG;
}

static int status_of(pid_t child)
{
	int status;

	CHECK(child > 0 && waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status) && (WEXITSTATUS(status) == WORKS || WEXITSTATUS(status) == EXPLAINED));
	return WEXITSTATUS(status);
}

static void be_nothing(void) {}

static int limited_to(int resource, rlim_t limit, int error, void (*be)(void))
{
	struct rlimit r = {limit, limit};
	pid_t child = fork();

	if (child == 0) {
		be();
		CHECK(setrlimit(resource, &r) == 0);
		_exit(first_call(error));
	}
	return status_of(child);
}

/* All limits from one with which nothing goes to one with which everything does. */
static void sweep(int resource, rlim_t first, rlim_t last, rlim_t step, int error, void (*be)(void))
{
	rlim_t limit;

	CHECK(limited_to(resource, first, error, be) == EXPLAINED);
	for (limit = first; limit < last; limit += step)
		limited_to(resource, limit, error, be);
	CHECK(limited_to(resource, last, error, be) == WORKS);
}

static void descriptors(void)
{
	sweep(RLIMIT_NOFILE, 0, 64, 1, EMFILE, be_nothing);
}

static void addresses(void)
{
	sweep(RLIMIT_AS, 64 << 20, (rlim_t)3 << 30, 96 << 20, ENOMEM, be_nothing);
}

static void data(void)
{
	sweep(RLIMIT_DATA, 4 << 20, (rlim_t)1 << 30, 24 << 20, ENOMEM, be_nothing);
}

/* Somebody whom limits of processes concern, and who may read any file. */
static void be_limited(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct sets[2] = {
	        {.effective = 1U << CAP_DAC_OVERRIDE, .permitted = 1U << CAP_DAC_OVERRIDE}};

	CHECK(setreuid(65533, (uid_t)-1) == 0);
	CHECK(syscall(SYS_capset, &header, sets) == 0);
}

static void threads(void)
{
	if (geteuid() != 0) {
		printf("not run: only root can become somebody who has no threads yet\n");
		return;
	}
	sweep(RLIMIT_NPROC, 1, 256, 5, ENOMEM, be_limited);
}

static int with_variable(const char *variable, int error)
{
	pid_t child = fork();
	char number[16];

	if (child == 0) {
		char *arguments[] = {"test_needs", "child", number, NULL};
		char *environment[] = {"RSERPOOL_CONFIG=/dev/null", (char *)(uintptr_t)variable, NULL};

		snprintf(number, sizeof(number), "%d", error);
		execve("/proc/self/exe", arguments, environment);
		_exit(WRONG);
	}
	return status_of(child);
}

static void variables(void)
{
	static const char *const bad[] = {
	        "GOMEMLIMIT=abc",
	        "GOMEMLIMIT=-1",
	        "GOMEMLIMIT=10MB",
	        "GOMEMLIMIT=9000000TiB",
	        "GOMEMLIMIT=10KiB ",
	        "GOMAXPROCS=2000000000",
	        "GOMAXPROCS=100000",
	        "GODEBUG=fips140=on",
	        "GODEBUG=fips140=never",
	        "GODEBUG=cgocheck=2",
	        "GODEBUG=a=b,,fips140=only",
	        "GODEBUG=fips140=off,cgocheck=12",
	};
	static const char *const good[] = {
	        "GOMEMLIMIT=",       "GOMEMLIMIT=off",       "GOMEMLIMIT=512MiB",  "GOMEMLIMIT=1000000000B",
	        "GOMAXPROCS=abc",    "GOMAXPROCS=3",         "GOGC=abc",           "GOTRACEBACK=abc",
	        "GODEBUG=abc,=,a=b", "GODEBUG=fips140=off,", "GODEBUG=cgocheck=1", "GODEBUG=fips140=,",
	        "NO=GOMEMLIMIT=abc",
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (with_variable(bad[i], EINVAL) != EXPLAINED)
			check_failed(__FILE__, __LINE__, bad[i]);
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (with_variable(good[i], EINVAL) != WORKS)
			check_failed(__FILE__, __LINE__, good[i]);
}

/* No file is read without end, or waited for. */
static void files(void)
{
	char fifo[] = "/tmp/rserpool-XXXXXX", variable[64];

	CHECK(mkdtemp(fifo) != NULL);
	CHECK(rmdir(fifo) == 0 && mkfifo(fifo, 0600) == 0);
	snprintf(variable, sizeof(variable), "RSERPOOL_POOL_KEY=%s", fifo);
	CHECK(with_variable(variable, EINVAL) == EXPLAINED);
	CHECK(setenv("RSERPOOL_CONFIG", fifo, 1) == 0);
	CHECK_ERROR(rsp_socket(AF_INET, SOCK_SEQPACKET, 0), EINVAL);
	CHECK_EXPLAINED("RSERPOOL_CONFIG");
	CHECK(setenv("RSERPOOL_CONFIG", "/dev/null", 1) == 0);
	CHECK(unlink(fifo) == 0);
	CHECK(with_variable("RSERPOOL_POOL_KEY=/dev/zero", EINVAL) == EXPLAINED);
}

static void later(void)
{
	struct rlimit before, none = {0, 0};
	struct rsp_addrinfo *list;
	pid_t child = fork();

	if (child == 0) {
		CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
		none.rlim_max = before.rlim_max;
		CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
		CHECK_ERROR(rsp_socket(AF_INET, SOCK_SEQPACKET, 0), EMFILE);
		CHECK_ERROR(rsp_getaddrinfo("pool", 4, NULL, &list), EMFILE);
		CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
		child = fork(); /* nothing has begun yet: this may use the library as well */
		if (child == 0)
			_exit(first_call(0));
		CHECK(status_of(child) == WORKS);
		_exit(first_call(0));
	}
	CHECK(status_of(child) == WORKS);
}

static const struct check_test tests[] = {
        TEST(descriptors), TEST(addresses), TEST(data), TEST(threads), TEST(variables), TEST(later), TEST(files),
};

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "child") == 0)
		return first_call(atoi(argv[2]));
	return check_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
}
