/* SPDX-License-Identifier: Apache-2.0
 *
 * A thread that waits for a socket reads for all of the program's: whoever else waits,
 * and however it stops, everybody gets what is his. Needs a registrar.
 */
#include "support.h"

enum { ROUNDS = 200 };

/* A user that goes from call to call, and an element that does. */
static void exchange(int user, int rounds)
{
	while (rounds-- > 0) {
		say(user, "question");
		expect(user, "question");
	}
}

/* After calls that waited, the descriptor says all the same what has come. */
static void calls_then_poll(void)
{
	struct echo pe;
	char buf[16];
	int user, i;

	echo_start(&pe, "lead-poll");
	user = connected("lead-poll");
	for (i = 0; i < 20; i++) {
		exchange(user, 20);
		say(user, "then");
		CHECK(events_of(user, POLLIN, LONG) == POLLIN);
		CHECK(rsp_recvmsg(user, buf, sizeof(buf), NULL, MSG_DONTWAIT) == 4);
		CHECK(events_of(user, POLLIN, 0) == 0);
	}
	CHECK(rsp_close(user) == 0);
	echo_stop(&pe);
}

/* A program that does not wait at all, but tries again and again. */
static void calls_then_tries(void)
{
	struct echo pe;
	char buf[16];
	int user, i;

	echo_start(&pe, "lead-try");
	user = connected("lead-try");
	for (i = 0; i < 20; i++) {
		exchange(user, 20);
		say(user, "then");
		while (rsp_recvmsg(user, buf, sizeof(buf), NULL, MSG_DONTWAIT) == -1)
			CHECK(errno == EAGAIN);
	}
	CHECK(rsp_close(user) == 0);
	echo_stop(&pe);
}

/* Several threads serve with one descriptor: one that is busy with a request keeps the
 * others from none. The element gets as many requests at once as it has threads, and
 * answers the first when it has them all. */
enum { THREADS = 4 };
static pthread_barrier_t all_busy;

static void *serve_together(void *argument)
{
	int *pe = argument, i;

	for (i = 0; i < ROUNDS / THREADS; i++) {
		struct rsp_sndrcvinfo info, to;
		char buf[64];
		ssize_t n = rsp_recvmsg(*pe, buf, sizeof(buf), &info, 0);

		CHECK(n > 0);
		pthread_barrier_wait(&all_busy);
		memset(&to, 0, sizeof(to));
		to.session = info.session;
		CHECK(rsp_sendmsg(*pe, buf, (size_t)n, &to, 0) == n);
	}
	return NULL;
}

static void threads_of_one_descriptor(void)
{
	int pe = pool_element("lead-threads"), user = connected("lead-threads"), i, k;
	pthread_t threads[THREADS];

	CHECK(pthread_barrier_init(&all_busy, NULL, THREADS) == 0);
	for (i = 0; i < THREADS; i++)
		CHECK(pthread_create(&threads[i], NULL, serve_together, &pe) == 0);
	for (i = 0; i < ROUNDS / THREADS; i++) {
		for (k = 0; k < THREADS; k++)
			say(user, "x");
		for (k = 0; k < THREADS; k++)
			expect(user, "x");
	}
	for (i = 0; i < THREADS; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	CHECK(rsp_close(user) == 0);
	CHECK(rsp_close(pe) == 0);
}

/* What stops a thread that reads for others. */
static void *receive_one(void *argument)
{
	char buf[64];
	int *fd = argument;

	CHECK(rsp_recvmsg(*fd, buf, sizeof(buf), NULL, 0) > 0);
	return NULL;
}

static void cancelled(void)
{
	struct echo pe;
	int user, i;

	echo_start(&pe, "lead-cancel");
	user = connected("lead-cancel");
	for (i = 0; i < 10; i++) {
		pthread_t thread;
		void *result;

		exchange(user, 5);
		CHECK(pthread_create(&thread, NULL, receive_one, &user) == 0);
		usleep(5000);
		CHECK(pthread_cancel(thread) == 0 && pthread_join(thread, &result) == 0);
		CHECK(result == PTHREAD_CANCELED);
		say(user, "after");
		CHECK(events_of(user, POLLIN, LONG) == POLLIN);
		expect(user, "after");
	}
	CHECK(rsp_close(user) == 0);
	echo_stop(&pe);
}

static void on_signal(int number)
{
	(void)number;
}

static void *receive_interrupted(void *argument)
{
	char buf[64];
	int *fd = argument;

	CHECK_ERROR(rsp_recvmsg(*fd, buf, sizeof(buf), NULL, 0), EINTR);
	return NULL;
}

static void interrupted(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	struct echo pe;
	int user, i;

	CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
	echo_start(&pe, "lead-signal");
	user = connected("lead-signal");
	for (i = 0; i < 10; i++) {
		pthread_t thread;

		exchange(user, 5);
		CHECK(pthread_create(&thread, NULL, receive_interrupted, &user) == 0);
		usleep(20000);
		CHECK(pthread_kill(thread, SIGUSR1) == 0 && pthread_join(thread, NULL) == 0);
		say(user, "after");
		CHECK(events_of(user, POLLIN, LONG) == POLLIN);
		expect(user, "after");
	}
	CHECK(rsp_close(user) == 0);
	echo_stop(&pe);
}

static void out_of_time(void)
{
	int ms = 30, user, i;
	struct echo pe;
	char buf[16];

	echo_start(&pe, "lead-time");
	user = connected("lead-time");
	CHECK(rsp_setsockopt(user, 0, RSP_RCVTIMEO, &ms, sizeof(ms)) == 0);
	for (i = 0; i < 5; i++) {
		CHECK_ERROR(rsp_recvmsg(user, buf, sizeof(buf), NULL, 0), EAGAIN);
		say(user, "after");
		CHECK(events_of(user, POLLIN, LONG) == POLLIN);
		expect(user, "after");
	}
	CHECK(rsp_close(user) == 0);
	echo_stop(&pe);
}

/* The sessions of a listening socket are read from by whoever waits for one of them; one
 * that is closed meanwhile takes nothing from the others. */
static void *receive_end(void *argument)
{
	char buf[64];
	int *fd = argument;
	ssize_t n = rsp_recvmsg(*fd, buf, sizeof(buf), NULL, 0);

	CHECK(n == 0 || (n == -1 && (errno == EBADF || errno == ENOTSOCK)));
	return NULL;
}

static void sessions_of_one_listener(void)
{
	int listener = rsp_socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP), users[2], sessions[2], i, round;
	struct rsp_loadinfo load;

	memset(&load, 0, sizeof(load));
	CHECK(rsp_register(listener, "lead-accept", 11, &load) == 0 && rsp_listen(listener, 5) == 0);
	for (round = 0; round < 5; round++) {
		pthread_t thread;

		for (i = 0; i < 2; i++) {
			users[i] = connected("lead-accept");
			say(users[i], "hello");
			sessions[i] = rsp_accept(listener, NULL, NULL);
			CHECK(sessions[i] >= 0);
			expect(sessions[i], "hello");
		}
		CHECK(pthread_create(&thread, NULL, receive_end, &sessions[0]) == 0);
		usleep(5000);
		for (i = 0; i < 20; i++) {
			say(users[1], "other");
			CHECK(events_of(sessions[1], POLLIN, LONG) == POLLIN);
			expect(sessions[1], "other");
		}
		CHECK(rsp_close(sessions[0]) == 0);
		CHECK(pthread_join(thread, NULL) == 0);
		say(users[1], "still");
		CHECK(events_of(sessions[1], POLLIN, LONG) == POLLIN);
		expect(sessions[1], "still");
		CHECK(rsp_close(sessions[1]) == 0);
		for (i = 0; i < 2; i++)
			rsp_close(users[i]);
	}
	CHECK(rsp_close(listener) == 0);
}

static const struct check_test tests[] = {
        TEST(calls_then_poll), TEST(calls_then_tries), TEST(threads_of_one_descriptor), TEST(cancelled),
        TEST(interrupted),     TEST(out_of_time),      TEST(sessions_of_one_listener),
};

CHECK_MAIN(tests)
