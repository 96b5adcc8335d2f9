/* SPDX-License-Identifier: Apache-2.0
 *
 * SIGURG is the program's, whose handler runs on the program's stack, whether it
 * was there before the library began or came later. Needs a registrar.
 */
#include "support.h"

static volatile sig_atomic_t caught, others, first, second;

static void count(const siginfo_t *info)
{
	volatile char stack[256 << 10]; /* more than a small stack has */
	size_t i;

	for (i = 0; i < sizeof(stack); i += 1024)
		stack[i] = 1;
	caught++;
	others += info->si_code != SI_TIMER;
}

static void on_first(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	first++;
	count(info);
}

static void on_second(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	second++;
	count(info);
}

static void handle(void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = handler;
	action.sa_flags = SA_SIGINFO;
	CHECK(sigaction(SIGURG, &action, NULL) == 0);
}

static void echo_until(int fd, volatile sig_atomic_t *count, int wanted)
{
	char buf[16];

	while (*count < wanted) {
		while (rsp_sendmsg(fd, "hello", 5, NULL, 0) == -1)
			CHECK(errno == EINTR);
		while (rsp_recvmsg(fd, buf, sizeof(buf), NULL, 0) == -1)
			CHECK(errno == EINTR);
	}
}

static void urgent(void)
{
	struct itimerspec storm = {{0, 1000000}, {0, 1000000}}, calm = {{0, 0}, {0, 0}};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGURG};
	struct sigaction now;
	struct pollfd none;
	struct echo pe;
	timer_t timer;
	int fd;

	handle(on_first);
	echo_start(&pe, "urgent");
	fd = connected("urgent");
	CHECK(sigaction(SIGURG, NULL, &now) == 0 && now.sa_sigaction == on_first);
	CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	CHECK(timer_settime(timer, 0, &storm, NULL) == 0);
	echo_until(fd, &first, 300);
	handle(on_second);
	echo_until(fd, &second, 300);
	CHECK_ERROR(rsp_poll(&none, 0, LONG), EINTR);
	CHECK(timer_settime(timer, 0, &calm, NULL) == 0);
	CHECK(others == 0);
	CHECK(rsp_close(fd) == 0);
	echo_stop(&pe);
}

static const struct check_test tests[] = {TEST(urgent)};

CHECK_MAIN(tests)
