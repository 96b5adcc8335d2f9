/* SPDX-License-Identifier: Apache-2.0
 *
 * What the library says, to a function of the program. Needs a registrar.
 */
#include "support.h"

#include <arpa/inet.h>
#include <stdatomic.h>

static struct {
	pthread_mutex_t lock;
	int lines, most;
	char text[1 << 16];
} heard = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void forget(void)
{
	pthread_mutex_lock(&heard.lock);
	heard.lines = heard.most = 0;
	heard.text[0] = '\0';
	pthread_mutex_unlock(&heard.lock);
}

static void hear(void *arg, int level, const char *text)
{
	CHECK(arg == &heard);
	CHECK(level >= RSP_LOG_ERROR && level <= RSP_LOG_DEBUG);
	CHECK(text[0] != '\0' && strchr(text, '\n') == NULL);
	pthread_mutex_lock(&heard.lock);
	heard.lines++;
	heard.most = level > heard.most ? level : heard.most;
	strncat(heard.text, text, sizeof(heard.text) - strlen(heard.text) - 1);
	pthread_mutex_unlock(&heard.lock);
}

static void listen_to(int level)
{
	forget();
	CHECK(rsp_set_log(hear, &heard, level) == 0);
}

/* No lock is needed behind it. */
static void stop(void)
{
	CHECK(rsp_set_log(NULL, NULL, 0) == 0);
}

/* Also a socket that was there before speaks, and none does afterwards. */
static void everything_and_nothing(void)
{
	int before = rsp_socket(AF_INET, SOCK_SEQPACKET, 0);
	struct sockaddr_in here;
	int lines;

	memset(&here, 0, sizeof(here));
	here.sin_family = AF_INET;
	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listen_to(RSP_LOG_DEBUG);
	CHECK(rsp_bind(before, (struct sockaddr *)&here, sizeof(here)) == 0);
	stop();
	CHECK(heard.most == RSP_LOG_DEBUG && strstr(heard.text, "local=") != NULL);
	lines = heard.lines;
	CHECK(rsp_close(before) == 0);
	CHECK(rsp_close(bound_socket()) == 0);
	CHECK(heard.lines == lines);
}

/* What is less important than asked for is not told. */
static void levels(void)
{
	struct echo pe;
	int fd;

	listen_to(RSP_LOG_WARNING);
	echo_start(&pe, "log-levels");
	fd = connected("log-levels");
	CHECK(rsp_close(fd) == 0);
	stop();
	CHECK(heard.most == 0 || heard.most <= RSP_LOG_WARNING);
	listen_to(RSP_LOG_INFO);
	fd = connected("log-levels");
	CHECK(rsp_close(fd) == 0);
	stop();
	CHECK(heard.most == RSP_LOG_INFO);
	echo_stop(&pe);
}

static atomic_int inside, enough;

/* The function uses the socket that the line is about, and others, and sets itself
 * again; still it is called once at a time. */
static void use(void *arg, int level, const char *text)
{
	struct rsp_status status;
	socklen_t len = sizeof(status), none = 0;
	int fd = *(int *)arg, other;
	char buf[256];

	hear(&heard, level, text);
	if (heard.lines > 20)
		return; /* each call of it brings about more */
	CHECK(atomic_fetch_add(&inside, 1) == 0);
	CHECK(rsp_getlocaladdrs(fd, 0, NULL, &none) == 1);
	rsp_getsockopt(fd, 0, RSP_STATUS, &status, &len);
	rsp_sendmsg(fd, "from within", 11, NULL, MSG_DONTWAIT);
	rsp_recvmsg(fd, buf, sizeof(buf), NULL, MSG_DONTWAIT);
	rsp_errmsg(fd, buf, sizeof(buf));
	other = bound_socket();
	rsp_connect(other, "log-nobody", 10);
	CHECK(rsp_close(other) == 0);
	if (!atomic_load(&enough))
		CHECK(rsp_set_log(use, arg, RSP_LOG_DEBUG) == 0);
	CHECK(atomic_fetch_sub(&inside, 1) == 1);
}

static void calls_from_within(void)
{
	struct echo pe;
	int fd = bound_socket();

	echo_start(&pe, "log-within");
	forget();
	CHECK(rsp_set_log(use, &fd, RSP_LOG_DEBUG) == 0);
	CHECK(rsp_connect(fd, "log-within", 10) == 0);
	say(fd, "hello");
	while (rsp_set_log(use, &fd, RSP_LOG_DEBUG) == 0 && heard.lines == 0)
		usleep(1000);
	atomic_store(&enough, 1);
	stop();
	stop(); /* a call that had begun may have set it again */
	CHECK(atomic_load(&inside) == 0);
	CHECK(rsp_close(fd) == 0);
	echo_stop(&pe);
}

/* Whoever logs goes on while the function does not return. */
static void block(void *arg, int level, const char *text)
{
	char c;

	(void)level;
	(void)text;
	CHECK(read(*(int *)arg, &c, 1) >= 0);
}

static void function_that_waits(void)
{
	struct echo pe;
	int ends[2], fd;

	CHECK(pipe(ends) == 0);
	CHECK(rsp_set_log(block, &ends[0], RSP_LOG_DEBUG) == 0);
	echo_start(&pe, "log-blocked");
	fd = connected("log-blocked");
	say(fd, "hello");
	expect(fd, "hello");
	CHECK(rsp_close(fd) == 0);
	echo_stop(&pe);
	close(ends[1]);
	stop();
	close(ends[0]);
}

/* The signals of the program go to its own threads. */
static void look_at_mask(void *arg, int level, const char *text)
{
	sigset_t mask;

	(void)level;
	(void)text;
	pthread_sigmask(SIG_BLOCK, NULL, &mask);
	*(int *)arg +=
	        sigismember(&mask, SIGUSR1) && sigismember(&mask, SIGTERM) && sigismember(&mask, SIGALRM) ? 1 : 1000;
}

static void blocked_signals(void)
{
	int calls = 0;

	CHECK(rsp_set_log(look_at_mask, &calls, RSP_LOG_DEBUG) == 0);
	CHECK(rsp_close(bound_socket()) == 0);
	stop();
	CHECK(calls > 0 && calls < 1000);
}

static void wrong_level(void)
{
	CHECK_ERROR(rsp_set_log(hear, &heard, 0), EINVAL);
	CHECK_ERROR(rsp_set_log(hear, &heard, RSP_LOG_DEBUG + 1), EINVAL);
	CHECK_EXPLAINED("RSP_LOG_ERROR");
}

static const struct check_test tests[] = {
        TEST(everything_and_nothing), TEST(levels),          TEST(calls_from_within),
        TEST(function_that_waits),    TEST(blocked_signals), TEST(wrong_level),
};

CHECK_MAIN(tests)
