/* SPDX-License-Identifier: Apache-2.0
 *
 * Signals end waits with EINTR, threads can be cancelled while they wait, and
 * the core's threads take no signals of the program. Needs a registrar.
 */
#include "support.h"

#include <arpa/inet.h>
#include <dirent.h>

static volatile sig_atomic_t caught;
static volatile pthread_t caught_by;

static void note_signal(int number)
{
	(void)number;
	caught++;
	caught_by = pthread_self();
}

static void handle(int number, int flags)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = note_signal;
	action.sa_flags = flags;
	CHECK(sigaction(number, &action, NULL) == 0);
	caught = 0;
}

static void alarm_ms(long ms)
{
	struct itimerval timer = {.it_value = {.tv_usec = ms * 1000}};

	CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

static void receive_is_interrupted(void)
{
	static const int flags[] = {0, SA_RESTART, SA_ONSTACK};
	char buf[8];
	size_t i;
	int fd = bound_socket();

	for (i = 0; i < 3; i++) {
		handle(SIGALRM, flags[i]);
		alarm_ms(50);
		CHECK_ERROR(rsp_recvmsg(fd, buf, sizeof(buf), NULL, 0), EINTR);
		CHECK(caught == 1);
	}
	CHECK(rsp_close(fd) == 0);
}

static void select_and_poll_are_interrupted(void)
{
	struct pollfd p = {.events = POLLIN};
	fd_set set;
	int fd = bound_socket();

	handle(SIGALRM, 0);
	FD_ZERO(&set);
	FD_SET(fd, &set);
	alarm_ms(50);
	CHECK_ERROR(rsp_select(fd + 1, &set, NULL, NULL, NULL), EINTR);
	p.fd = fd;
	alarm_ms(50);
	CHECK_ERROR(rsp_poll(&p, 1, -1), EINTR);
	CHECK(caught == 2);
	CHECK(rsp_close(fd) == 0);
}

/* connect goes on; the next call waits for the same connection. */
static void connect_is_interrupted(void)
{
	char address[32];
	char *before = strdup(getenv("RSERPOOL_REGISTRARS"));
	int udp = silent_peer(address);
	int fd;

	CHECK(setenv("RSERPOOL_REGISTRARS", address, 1) == 0);
	fd = bound_socket();
	CHECK(setenv("RSERPOOL_REGISTRARS", before, 1) == 0);
	free(before);
	handle(SIGALRM, 0);
	alarm_ms(50);
	CHECK_ERROR(rsp_connect(fd, "echo", 4), EINTR);
	alarm_ms(50);
	CHECK_ERROR(rsp_connect(fd, "echo", 4), EINTR);
	CHECK(caught == 2);
	CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
	CHECK_ERROR(rsp_connect(fd, "echo", 4), EALREADY);
	CHECK(rsp_close(fd) == 0);
	close(udp);
}

static void alarms_every(long us)
{
	struct itimerval timer = {{0, us}, {0, us}};

	CHECK(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

/* What a signal took away is over when its session is ended: the next call begins anew,
 * whatever the pool, and what it says is about that. */
static void connect_ended_after_interrupt(void)
{
	struct echo pe;
	char buf[8];
	int i, fd, wait = -1;

	handle(SIGALRM, 0);
	echo_start(&pe, "anew");
	for (i = 0; i < 20; i++) {
		fd = rsp_socket(AF_INET, SOCK_DGRAM, IPPROTO_SCTP);
		CHECK(rsp_setsockopt(fd, 0, RSP_CONNECT_WAIT, &wait, sizeof(wait)) == 0);
		alarms_every(1000 * (1 + i));
		CHECK_ERROR(rsp_connect(fd, "not-there", 9), EINTR);
		alarms_every(0);
		CHECK(rsp_close_session(fd, 0, 0) == 0);
		CHECK(rsp_connect(fd, "anew", 4) == 0);
		say(fd, "hello");
		CHECK(rsp_recvmsg(fd, buf, sizeof(buf), NULL, 0) == 5);
		CHECK(rsp_close(fd) == 0);
	}
	echo_stop(&pe);
}

/* The loop that everybody writes. A signal may come at any moment, also when the
 * connection stands but nobody has been told yet. */
static void connect_under_signals(void)
{
	struct echo pe;
	int i;

	echo_start(&pe, "loops");
	handle(SIGALRM, 0);
	for (i = 0; i < 300; i++) {
		int fd = rsp_socket(AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP), result;

		CHECK(fd >= 0);
		alarms_every(100 + i);
		while ((result = rsp_connect(fd, "loops", 5)) == -1 && errno == EINTR)
			;
		alarms_every(0);
		CHECK(result == 0);
		while (rsp_close(fd) == -1)
			CHECK(errno == EINTR);
	}
	CHECK(caught > 100);
	echo_stop(&pe);
}

#define RETRIED(call)                                                                                                  \
	while ((call) == -1)                                                                                           \
	CHECK(errno == EINTR)

/* No call lasts as long as the registrar's answer takes; the work goes on. */
static void basic_mode_under_signals(void)
{
	struct sockaddr_in at = {
	        .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct rsp_addrinfo where = {
	        .ai_protocol = IPPROTO_TCP, .ai_addr = (struct sockaddr *)&at, .ai_addrlen = sizeof(at)};
	struct rsp_addrinfo *list;
	struct rsp_addrhints hints = {.stale = -1};
	struct rsp_loadinfo load = {.policy = RSP_ROUND_ROBIN};
	char *before = strdup(getenv("RSERPOOL_REGISTRARS")), address[32];
	uint32_t id = 0;

	if (slow_registrar(address))
		CHECK(setenv("RSERPOOL_REGISTRARS", address, 1) == 0);
	handle(SIGALRM, 0);
	alarms_every(50000);
	RETRIED(rsp_pe_registration("slow", 4, &where, &load, &id));
	CHECK(id != 0);
	RETRIED(rsp_getaddrinfo("slow", 4, &hints, &list));
	CHECK(list->ai_pe_id == id && list->ai_next == NULL); /* one registration, however many calls */
	rsp_freeaddrinfo(list);
	RETRIED(rsp_pe_deregistration("slow", 4, id));
	alarms_every(0);
	CHECK_ERROR(rsp_pe_deregistration("slow", 4, id), ENOTCONN);
	CHECK_ERROR(rsp_getaddrinfo("slow", 4, &hints, &list), ENOENT);
	CHECK(setenv("RSERPOOL_REGISTRARS", before, 1) == 0);
	free(before);
}

/* A handler without SA_ONSTACK that needs some stack, at a high rate, while the
 * core is at work: it runs on the program's stack only. */
static void deep(int number)
{
	volatile char stack[16384];
	size_t i;

	for (i = 0; i < sizeof(stack); i += 64)
		stack[i] = (char)number;
	caught++;
}

static void storm_of_signals(void)
{
	struct itimerval storm = {{0, 1000}, {0, 1000}}, calm = {{0, 0}, {0, 0}};
	struct sigaction action;
	struct echo pe;
	char buf[16];
	int fd;

	echo_start(&pe, "storm");
	fd = connected("storm");
	memset(&action, 0, sizeof(action));
	action.sa_handler = deep;
	CHECK(sigaction(SIGALRM, &action, NULL) == 0);
	caught = 0;
	CHECK(setitimer(ITIMER_REAL, &storm, NULL) == 0);
	while (caught < 300) {
		while (rsp_sendmsg(fd, "hello", 5, NULL, 0) == -1)
			CHECK(errno == EINTR);
		while (rsp_recvmsg(fd, buf, sizeof(buf), NULL, 0) == -1)
			CHECK(errno == EINTR);
	}
	CHECK(setitimer(ITIMER_REAL, &calm, NULL) == 0);
	CHECK(rsp_close(fd) == 0);
	sigaction(SIGALRM, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
	while (rsp_close(pe.fd) == -1)
		CHECK(errno == EINTR);
	CHECK(pthread_join(pe.thread, NULL) == 0);
}

/* Every thread that is not ours has the program's signals blocked. (Not SIGCHLD:
 * the Go runtime insists on that one; librserpool(7) says so.) */
static void threads_of_the_core(void)
{
	int fd = bound_socket();
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *task;
	char path[300], line[128];
	int seen = 0;

	CHECK(tasks != NULL);
	while ((task = readdir(tasks)) != NULL) {
		unsigned long long blocked;
		FILE *status;

		if (task->d_name[0] == '.' || atoi(task->d_name) == getpid())
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%s/status", task->d_name);
		status = fopen(path, "r");
		if (status == NULL)
			continue;
		while (fgets(line, sizeof(line), status) != NULL)
			if (sscanf(line, "SigBlk: %llx", &blocked) == 1) {
				CHECK((blocked & (1ULL << (SIGTERM - 1))) != 0);
				CHECK((blocked & (1ULL << (SIGALRM - 1))) != 0);
				CHECK((blocked & (1ULL << (SIGUSR1 - 1))) != 0);
				CHECK((blocked & (1ULL << (SIGHUP - 1))) != 0);
				seen++;
			}
		fclose(status);
	}
	closedir(tasks);
	CHECK(seen >= 2);
	CHECK(rsp_close(fd) == 0);
}

/* The caller's mask is what it was. */
static void mask_is_kept(void)
{
	sigset_t before, after;
	char buf[8];
	int fd = bound_socket();
	int i;

	sigemptyset(&before);
	sigaddset(&before, SIGUSR1);
	CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
	CHECK_ERROR(rsp_recvmsg(fd, buf, sizeof(buf), NULL, MSG_DONTWAIT), EAGAIN);
	CHECK_ERROR(rsp_connect(fd, "", 0), EINVAL);
	CHECK(rsp_close(fd) == 0);
	CHECK_ERROR(rsp_close(fd), EBADF);
	CHECK(pthread_sigmask(SIG_SETMASK, NULL, &after) == 0);
	for (i = 1; i < 32; i++)
		CHECK(sigismember(&after, i) == (i == SIGUSR1));
	sigemptyset(&before);
	CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
}

static int waiting_socket;

static void *receive_for_ever(void *unused)
{
	char buf[8];

	rsp_recvmsg(waiting_socket, buf, sizeof(buf), NULL, 0);
	return unused;
}

static void *connect_for_ever(void *unused)
{
	rsp_connect(waiting_socket, "echo", 4);
	return unused;
}

static void cancel(void *(*run)(void *))
{
	pthread_t thread;
	void *result;

	CHECK(pthread_create(&thread, NULL, run, NULL) == 0);
	usleep(50000);
	CHECK(pthread_cancel(thread) == 0);
	CHECK(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED);
}

static void cancellation(void)
{
	char address[32];
	int udp = silent_peer(address);

	CHECK(setenv("RSERPOOL_REGISTRARS", address, 1) == 0);
	waiting_socket = bound_socket();
	cancel(receive_for_ever);
	cancel(connect_for_ever);
	/* The attempt went on without the thread, the socket is usable. */
	CHECK(fcntl(waiting_socket, F_SETFL, O_NONBLOCK) == 0);
	CHECK_ERROR(rsp_connect(waiting_socket, "echo", 4), EALREADY);
	CHECK(rsp_close(waiting_socket) == 0);
	close(udp);
}

static const struct check_test tests[] = {
        TEST(receive_is_interrupted),
        TEST(select_and_poll_are_interrupted),
        TEST(connect_is_interrupted),
        TEST(connect_ended_after_interrupt),
        TEST(storm_of_signals),
        TEST(threads_of_the_core),
        TEST(mask_is_kept),
        TEST(connect_under_signals),
        TEST(basic_mode_under_signals),
        TEST(cancellation),
};

CHECK_MAIN(tests)
