/* SPDX-License-Identifier: Apache-2.0
 *
 * One descriptor used by several threads; close while others wait. Needs a
 * registrar.
 */
#include "support.h"

#include <sys/eventfd.h>

enum { THREADS = 4, MESSAGES = 500 };

static int user;
static int received[THREADS][MESSAGES];

static void *send_numbers(void *argument)
{
	uint32_t number[2] = {(uint32_t)(uintptr_t)argument, 0};

	for (; number[1] < MESSAGES; number[1]++)
		CHECK(rsp_sendmsg(user, number, sizeof(number), NULL, 0) == sizeof(number));
	return NULL;
}

static void *receive_numbers(void *unused)
{
	uint32_t number[2];
	int i;

	for (i = 0; i < MESSAGES; i++) {
		CHECK(rsp_recvmsg(user, number, sizeof(number), NULL, 0) == sizeof(number));
		CHECK(number[0] < THREADS && number[1] < MESSAGES);
		__atomic_add_fetch(&received[number[0]][number[1]], 1, __ATOMIC_SEQ_CST);
	}
	return unused;
}

/* All send, all receive: every message comes exactly once. */
static void shared_descriptor(void)
{
	pthread_t senders[THREADS], receivers[THREADS];
	struct echo pe;
	int i, j;

	echo_start(&pe, "threads");
	user = connected("threads");
	for (i = 0; i < THREADS; i++) {
		CHECK(pthread_create(&senders[i], NULL, send_numbers, (void *)(uintptr_t)i) == 0);
		CHECK(pthread_create(&receivers[i], NULL, receive_numbers, NULL) == 0);
	}
	for (i = 0; i < THREADS; i++) {
		CHECK(pthread_join(senders[i], NULL) == 0);
		CHECK(pthread_join(receivers[i], NULL) == 0);
	}
	for (i = 0; i < THREADS; i++)
		for (j = 0; j < MESSAGES; j++)
			CHECK(received[i][j] == 1);
	CHECK(events_of(user, POLLIN, 0) == 0);
	CHECK(rsp_close(user) == 0);
	echo_stop(&pe);
}

static void *wait_for_message(void *unused)
{
	char buf[8];

	CHECK_ERROR(rsp_recvmsg(user, buf, sizeof(buf), NULL, 0), EBADF);
	return unused;
}

static void *wait_for_connection(void *unused)
{
	CHECK_ERROR(rsp_connect(user, "echo", 4), EBADF);
	return unused;
}

static void *wait_for_registration(void *unused)
{
	struct rsp_loadinfo load;

	memset(&load, 0, sizeof(load));
	CHECK_ERROR(rsp_register(user, "echo", 4, &load), EBADF);
	return unused;
}

static void *wait_for_events(void *unused)
{
	CHECK((events_of(user, POLLIN, LONG) & (POLLHUP | POLLNVAL)) != 0);
	return unused;
}

static void close_under(void *(*run)(void *))
{
	pthread_t threads[THREADS];
	int i;

	for (i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, run, NULL) == 0);
	usleep(50000);
	CHECK(rsp_close(user) == 0 || errno == ETIMEDOUT); /* sent to somebody who does not read */
	for (i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
}

static void *wait_for_any_message(void *unused)
{
	char buf[8];

	CHECK(rsp_recvmsg(user, buf, sizeof(buf), NULL, 0) == -1 && (errno == EBADF || errno == ENOTSOCK));
	return unused;
}

/* Who waits hears of it even when the number is used again at once, for what never
 * becomes readable. */
static void number_is_used_again(void)
{
	pthread_t threads[2];
	int i, again[3];

	for (i = 0; i < 300; i++) {
		user = bound_socket();
		CHECK(pthread_create(&threads[0], NULL, wait_for_any_message, NULL) == 0);
		CHECK(pthread_create(&threads[1], NULL, wait_for_any_message, NULL) == 0);
		usleep((useconds_t)(i % 3) * 300);
		CHECK(rsp_close(user) == 0);
		again[0] = eventfd(0, 0);
		again[1] = eventfd(0, 0);
		again[2] = eventfd(0, 0);
		CHECK(pthread_join(threads[0], NULL) == 0);
		CHECK(pthread_join(threads[1], NULL) == 0);
		close(again[0]);
		close(again[1]);
		close(again[2]);
	}
}

static void close_while_others_wait(void)
{
	char address[32];
	char *before = strdup(getenv("RSERPOOL_REGISTRARS"));
	struct echo pe;
	int udp;

	echo_start(&pe, "closing");
	user = connected("closing");
	close_under(wait_for_message);
	user = connected("closing");
	close_under(wait_for_events);
	echo_stop(&pe);
	udp = silent_peer(address);
	CHECK(setenv("RSERPOOL_REGISTRARS", address, 1) == 0);
	user = bound_socket();
	close_under(wait_for_connection);
	user = bound_socket();
	close_under(wait_for_registration);
	close(udp);
	CHECK(setenv("RSERPOOL_REGISTRARS", before, 1) == 0);
	free(before);
}

static void *wait_for_session(void *unused)
{
	CHECK_ERROR(rsp_accept(user, NULL, NULL), EBADF);
	return unused;
}

static void *wait_for_room(void *unused)
{
	static const char much[1 << 20];

	while (rsp_sendmsg(user, much, sizeof(much), NULL, 0) == sizeof(much))
		;
	CHECK(errno == EBADF || errno == ENOTSOCK); /* the latter of a number that is another file's by now */
	return unused;
}

static int listening(void)
{
	int fd = rsp_socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP);

	CHECK(fd >= 0 && rsp_listen(fd, 1) == 0);
	return fd;
}

/* A child that neither ends nor calls execve(2) has every descriptor as well, the
 * library's own ones too. */
static void close_under_with_child(void *(*run)(void *))
{
	pid_t child = fork();

	CHECK(child >= 0);
	if (child == 0) {
		for (;;)
			pause();
	}
	close_under(run);
	CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
}

static void close_while_a_child_lives(void)
{
	struct rsp_loadinfo load;
	struct echo pe;
	int deaf = bound_socket();

	memset(&load, 0, sizeof(load));
	echo_start(&pe, "children");
	user = connected("children");
	close_under_with_child(wait_for_message);
	user = connected("children");
	close_under_with_child(wait_for_events);
	user = listening();
	close_under_with_child(wait_for_session);
	echo_stop(&pe);
	CHECK(rsp_register(deaf, "deaf", 4, &load) == 0);
	user = connected("deaf");
	close_under_with_child(wait_for_room);
	CHECK(rsp_close(deaf) == 0 || errno == ETIMEDOUT);
}

static void *close_it(void *unused)
{
	if (rsp_close(user) == -1)
		CHECK(errno == EBADF || errno == ENOTSOCK);
	return unused;
}

static void close_in_many_threads(void)
{
	pthread_t threads[THREADS];
	struct echo pe;
	int i;

	echo_start(&pe, "closers");
	user = connected("closers");
	for (i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, close_it, NULL) == 0);
	for (i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	CHECK(fcntl(user, F_GETFD) == -1 && errno == EBADF);
	echo_stop(&pe);
}

/* Each thread has its own last error. */
static void *fail_with_policy(void *argument)
{
	struct rsp_loadinfo load;

	memset(&load, 0, sizeof(load));
	load.policy = 77;
	CHECK_ERROR(rsp_register(*(int *)argument, "x", 1, &load), EINVAL);
	return NULL;
}

static void own_errors(void)
{
	pthread_t thread;
	int fd = bound_socket();

	CHECK_ERROR(rsp_connect(fd, "", 0), EINVAL);
	CHECK(pthread_create(&thread, NULL, fail_with_policy, &fd) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK_EXPLAINED("empty");
	CHECK(strstr(check_message(fd), "empty") != NULL);
	CHECK(rsp_close(fd) == 0);
}

/* Threads come and go: the library keeps nothing of them. */
static void *one_call(void *argument)
{
	char buf[8];

	CHECK_ERROR(rsp_recvmsg(*(int *)argument, buf, sizeof(buf), NULL, MSG_DONTWAIT), EAGAIN);
	return NULL;
}

static long threads_now(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	char line[128];
	long threads = -1;

	while (fgets(line, sizeof(line), status) != NULL)
		sscanf(line, "Threads: %ld", &threads);
	fclose(status);
	return threads;
}

static void short_lived_threads(void)
{
	pthread_t thread;
	int fd = bound_socket();
	long before;
	int i;

	one_call(&fd);
	before = threads_now();
	for (i = 0; i < 500; i++) {
		CHECK(pthread_create(&thread, NULL, one_call, &fd) == 0);
		CHECK(pthread_join(thread, NULL) == 0);
	}
	CHECK(threads_now() < before + 10);
	CHECK(rsp_close(fd) == 0);
}

static const struct check_test tests[] = {
        TEST(shared_descriptor),         TEST(close_while_others_wait), TEST(number_is_used_again),
        TEST(close_while_a_child_lives), TEST(close_in_many_threads),   TEST(own_errors),
        TEST(short_lived_threads),
};

CHECK_MAIN(tests)
