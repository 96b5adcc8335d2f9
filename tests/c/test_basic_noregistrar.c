/* SPDX-License-Identifier: Apache-2.0
 *
 * The basic mode without a registrar: every call ends, in time, and says what was
 * tried; signals and cancellation end waits.
 */
#include "support.h"

#include <arpa/inet.h>

static struct sockaddr_in here;
static struct rsp_addrinfo where;
static struct rsp_loadinfo load;
static char address[32];

static void timeout(void)
{
	struct rsp_addrinfo *list;
	struct rsp_addrhints hints;

	memset(&hints, 0, sizeof(hints));
	hints.timeout = 100;
	CHECK_ERROR(rsp_getaddrinfo("basic", 5, &hints, &list), ETIMEDOUT);
	CHECK_EXPLAINED(address);
	CHECK(list == NULL);
	CHECK(rsp_pe_failure("basic", 5, 1) == 0); /* nobody waits for that */
}

static void on_alarm(int number)
{
	(void)number;
}

static void alarm_soon(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = on_alarm;
	action.sa_flags = SA_RESTART;
	CHECK(sigaction(SIGALRM, &action, NULL) == 0);
	CHECK(ualarm(100000, 0) == 0);
}

static void interrupted(void)
{
	struct rsp_addrinfo *list;

	alarm_soon();
	CHECK_ERROR(rsp_getaddrinfo("basic", 5, NULL, &list), EINTR);
	load.pe_id = 9;
	alarm_soon();
	CHECK_ERROR(rsp_pe_registration("basic", 5, &where, &load, NULL), EINTR);
	load.pe_id = 0;
}

static void *wait_for_ever(void *unused)
{
	struct rsp_addrinfo *list;

	(void)unused;
	rsp_getaddrinfo("basic", 5, NULL, &list);
	return NULL;
}

static void cancelled(void)
{
	pthread_t thread;
	void *result;

	CHECK(pthread_create(&thread, NULL, wait_for_ever, NULL) == 0);
	usleep(50000);
	CHECK(pthread_cancel(thread) == 0);
	CHECK(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED);
}

static void nobody_registers(void)
{
	errno = 0;
	CHECK(rsp_pe_registration("basic", 5, &where, &load, NULL) == -1);
	CHECK(errno == EHOSTUNREACH || errno == ETIMEDOUT);
	CHECK_EXPLAINED(address);
}

static const struct check_test tests[] = {TEST(timeout), TEST(interrupted), TEST(cancelled), TEST(nobody_registers)};

int main(int argc, char **argv)
{
	int udp = silent_peer(address);

	CHECK(setenv("RSERPOOL_REGISTRARS", address, 1) == 0);
	CHECK(setenv("RSERPOOL_EMBEDDED", "off", 1) == 0);
	here.sin_family = AF_INET;
	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	here.sin_port = htons(7);
	where.ai_protocol = IPPROTO_TCP;
	where.ai_addr = (struct sockaddr *)&here;
	where.ai_addrlen = sizeof(here);
	check_main(argc, argv, tests, sizeof(tests) / sizeof(tests[0]));
	close(udp);
	return 0;
}
