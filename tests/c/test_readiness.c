/* SPDX-License-Identifier: Apache-2.0
 *
 * poll, select and epoll say exactly what the calls would do. Needs a registrar.
 */
#include "support.h"

#include <sys/epoll.h>

/* A pool element that nobody serves yet, and a user with a session with it. */
static void make_pair(int *pe, int *user, const char *pool)
{
	struct rsp_loadinfo load;

	memset(&load, 0, sizeof(load));
	*pe = bound_socket();
	CHECK(rsp_register(*pe, pool, strlen(pool), &load) == 0);
	*user = connected(pool);
}

static void close_pair(int pe, int user)
{
	CHECK(rsp_close(user) == 0);
	CHECK(rsp_close(pe) == 0);
}

/* All four ways to ask. */
static int readable(int fd)
{
	struct epoll_event event = {.events = EPOLLIN};
	struct timeval now = {0, 0};
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	int polled, selected, epolled, ours;
	fd_set set;

	polled = (events_of(fd, POLLIN, 0) & POLLIN) != 0;
	FD_ZERO(&set);
	FD_SET(fd, &set);
	selected = select(fd + 1, &set, NULL, NULL, &now);
	FD_ZERO(&set);
	FD_SET(fd, &set);
	ours = rsp_select(fd + 1, &set, NULL, NULL, &now);
	CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
	epolled = epoll_wait(epoll, &event, 1, 0);
	close(epoll);
	CHECK(polled == selected && polled == epolled && polled == ours);
	return polled;
}

static void readable_while_messages_wait(void)
{
	char buf[64];
	int pe, user, i;

	make_pair(&pe, &user, "ready-read");
	CHECK(!readable(pe));
	for (i = 0; i < 3; i++)
		say(user, "message");
	CHECK(events_of(pe, POLLIN, LONG) == POLLIN);
	CHECK(rsp_recvmsg(pe, buf, sizeof(buf), NULL, MSG_PEEK) == 7);
	for (i = 0; i < 3; i++) {
		CHECK(events_of(pe, POLLIN, LONG) == POLLIN && readable(pe));
		CHECK(rsp_recvmsg(pe, buf, sizeof(buf), NULL, MSG_DONTWAIT) == 7);
	}
	CHECK(!readable(pe));
	CHECK_ERROR(rsp_recvmsg(pe, buf, sizeof(buf), NULL, MSG_DONTWAIT), EAGAIN);
	CHECK(!readable(pe) && !readable(user));
	close_pair(pe, user);
}

/* Edge-triggered epoll sees every burst. */
static void edge_triggered(void)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	char buf[64];
	int pe, user, i;

	make_pair(&pe, &user, "ready-edge");
	CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, pe, &event) == 0);
	for (i = 0; i < 20; i++) {
		say(user, "burst");
		CHECK(epoll_wait(epoll, &event, 1, LONG) == 1);
		while (rsp_recvmsg(pe, buf, sizeof(buf), NULL, MSG_DONTWAIT) == 5)
			;
		CHECK(errno == EAGAIN);
	}
	close(epoll);
	close_pair(pe, user);
}

/* Not writable from the send that would block on, until there is room again. */
static void writable_while_there_is_room(void)
{
	static char block[100000];
	size_t sent = 0, received = 0;
	int pe, user;

	make_pair(&pe, &user, "ready-write");
	CHECK(events_of(user, POLLOUT, 0) == POLLOUT);
	while (rsp_sendmsg(user, block, sizeof(block), NULL, MSG_DONTWAIT) == (ssize_t)sizeof(block)) {
		sent += sizeof(block);
		CHECK(sent < 100 * 1024 * 1024); /* memory is bounded */
	}
	CHECK(errno == EAGAIN);
	/* There may be a little room again before all has stopped; POLLOUT comes
	 * back when there is more than a little. */
	while (events_of(user, POLLOUT, 200) == POLLOUT) {
		ssize_t n = rsp_sendmsg(user, block, sizeof(block), NULL, MSG_DONTWAIT);

		CHECK(n == (ssize_t)sizeof(block) || (n == -1 && errno == EAGAIN));
		sent += n > 0 ? (size_t)n : 0;
	}
	while (received < sent) {
		ssize_t n = rsp_recvmsg(pe, block, sizeof(block), NULL, 0);

		CHECK(n == (ssize_t)sizeof(block));
		received += (size_t)n;
	}
	CHECK(events_of(user, POLLOUT, LONG) == POLLOUT);
	CHECK(rsp_sendmsg(user, "x", 1, NULL, MSG_DONTWAIT) == 1);
	CHECK(rsp_recvmsg(pe, block, sizeof(block), NULL, 0) == 1);
	CHECK(!readable(pe));
	close_pair(pe, user);
}

/* A blocking send waits until there is room. */
static void *receive_slowly(void *argument)
{
	static char block[100000];
	int *pe = argument;
	size_t received;

	usleep(100000);
	for (received = 0; received < 200 * sizeof(block); received += sizeof(block))
		CHECK(rsp_recvmsg(*pe, block, sizeof(block), NULL, 0) == (ssize_t)sizeof(block));
	return NULL;
}

static void blocking_send(void)
{
	static char block[100000];
	pthread_t thread;
	int pe, user, i;

	make_pair(&pe, &user, "ready-block");
	CHECK(pthread_create(&thread, NULL, receive_slowly, &pe) == 0);
	for (i = 0; i < 200; i++)
		CHECK(rsp_sendmsg(user, block, sizeof(block), NULL, 0) == (ssize_t)sizeof(block));
	CHECK(pthread_join(thread, NULL) == 0);
	close_pair(pe, user);
}

/* rsp_select and rsp_poll with pipes among the sockets. */
static void mixed_descriptors(void)
{
	struct timeval second = {LONG / 1000, 0};
	struct pollfd p[2];
	fd_set in, out;
	int pe, user, pipes[2], highest;

	make_pair(&pe, &user, "ready-mix");
	CHECK(pipe(pipes) == 0);
	highest = pe > pipes[1] ? pe : pipes[1];
	highest = highest > user ? highest : user;
	FD_ZERO(&in);
	FD_SET(pe, &in);
	FD_SET(pipes[0], &in);
	FD_ZERO(&out);
	FD_SET(user, &out);
	FD_SET(pipes[1], &out);
	CHECK(rsp_select(highest + 1, &in, &out, NULL, &second) == 2);
	CHECK(!FD_ISSET(pe, &in) && !FD_ISSET(pipes[0], &in) && FD_ISSET(user, &out) && FD_ISSET(pipes[1], &out));
	CHECK(write(pipes[1], "x", 1) == 1);
	say(user, "x");
	p[0] = (struct pollfd){.fd = pe, .events = POLLIN | POLLOUT};
	p[1] = (struct pollfd){.fd = pipes[0], .events = POLLIN};
	CHECK(events_of(pe, POLLIN, LONG) == POLLIN);
	CHECK(rsp_poll(p, 2, LONG) == 2);
	CHECK(p[0].revents == (POLLIN | POLLOUT) && p[1].revents == POLLIN);
	CHECK(rsp_poll(p, 0, 1) == 0);
	FD_ZERO(&in);
	FD_SET(pe, &in);
	FD_SET(pipes[0], &in);
	CHECK(rsp_select(highest + 1, &in, NULL, NULL, NULL) == 2);
	CHECK(rsp_recvmsg(pe, &in, sizeof(in), NULL, 0) == 1);
	close(pipes[0]);
	close(pipes[1]);
	close_pair(pe, user);
}

static char block[50000];

/* Sends to a session until it has no room and nothing more moves. */
static int fill_session(int pe, struct rsp_sndrcvinfo *to)
{
	int sent = 0, idle = 0;

	while (idle < 20) {
		if (rsp_sendmsg(pe, block, sizeof(block), to, MSG_DONTWAIT) == (ssize_t)sizeof(block)) {
			sent++;
			idle = 0;
		} else {
			CHECK(errno == EAGAIN);
			idle++;
			usleep(10000);
		}
		CHECK(sent < 1000); /* memory is bounded */
	}
	return sent;
}

/* Until a message comes that is no block. */
static void *read_blocks(void *argument)
{
	static char buf[sizeof(block)];
	int *user = argument;

	usleep(200000);
	while (rsp_recvmsg(*user, buf, sizeof(buf), NULL, 0) == (ssize_t)sizeof(buf))
		;
	return NULL;
}

/* Receives until something of a kind has happened to a session; a busy machine tells late
 * that there was a little room again. */
static void await_note(int fd, uint32_t type, uint32_t session, union rsp_notification *note)
{
	struct rsp_sndrcvinfo info;

	do {
		CHECK(rsp_recvmsg(fd, note, sizeof(*note), &info, 0) == sizeof(*note));
		CHECK(info.session == note->head.session);
		CHECK(note->type == RSP_SEND_READY || note->type == type);
	} while (note->type != type || note->head.session != session);
}

/* One pool user that does not read has no room; the others have, and POLLOUT says so. What
 * waits for the first waits for it alone, RSP_SEND_READY tells of it, and with
 * RSP_SEND_LIMIT it fails alone. */
static void one_does_not_read(void)
{
	int bits = RSP_NOTIFY_SEND_READY | RSP_NOTIFY_SESSIONS, small = 100000, limit = 500, pe, users[2], i;
	struct rsp_sndrcvinfo to[2], info;
	union rsp_notification note;
	struct rsp_loadinfo load;
	pthread_t thread;

	memset(&load, 0, sizeof(load));
	pe = bound_socket();
	CHECK(rsp_setsockopt(pe, 0, RSP_NOTIFICATIONS, &bits, sizeof(bits)) == 0);
	CHECK(rsp_setsockopt(pe, 0, RSP_SNDBUF, &small, sizeof(small)) == 0);
	CHECK(rsp_register(pe, "ready-deaf", 10, &load) == 0);
	for (i = 0; i < 2; i++) {
		users[i] = connected("ready-deaf");
		CHECK(rsp_setsockopt(users[i], 0, RSP_RCVBUF, &small, sizeof(small)) == 0);
		say(users[i], "hello");
		CHECK(rsp_recvmsg(pe, &note, sizeof(note), &info, 0) == sizeof(note) && note.type == RSP_SESSION_ADDED);
		CHECK(rsp_recvmsg(pe, &note, sizeof(note), &to[i], 0) == 5);
	}
	CHECK(fill_session(pe, &to[0]) > 1);
	CHECK(events_of(pe, POLLOUT, 0) == POLLOUT);
	CHECK(rsp_sendmsg(pe, "x", 1, &to[1], 0) == 1);
	CHECK(rsp_recvmsg(users[1], &note, sizeof(note), NULL, 0) == 1);
	do {
		for (i = 0; i < 2; i++)
			fill_session(pe, &to[i]);
	} while (events_of(pe, POLLOUT, 0) != 0); /* a busy machine: all had not stopped yet */
	while (rsp_recvmsg(pe, &note, sizeof(note), &info, MSG_DONTWAIT) > 0)
		CHECK(note.type == RSP_SEND_READY); /* of when all had not stopped yet */

	CHECK(pthread_create(&thread, NULL, read_blocks, &users[0]) == 0);
	CHECK(rsp_sendmsg(pe, block, sizeof(block), &to[0], 0) ==
	      (ssize_t)sizeof(block)); /* waits for the first alone */
	CHECK(rsp_sendmsg(pe, "1", 1, &to[0], 0) == 1);
	CHECK(events_of(pe, POLLOUT, LONG) == POLLOUT);
	await_note(pe, RSP_SEND_READY, to[0].session, &note);
	CHECK(note.head.error == 0);
	CHECK(pthread_join(thread, NULL) == 0);

	CHECK(rsp_setsockopt(pe, to[1].session, RSP_SEND_LIMIT, &limit, sizeof(limit)) == 0);
	CHECK_ERROR(rsp_sendmsg(pe, block, sizeof(block), &to[1], 0), ETIMEDOUT);
	await_note(pe, RSP_SESSION_REMOVED, to[1].session, &note);
	CHECK(note.head.error == ETIMEDOUT && note.head.why[0] != '\0');
	CHECK_ERROR(rsp_sendmsg(pe, "2", 1, &to[1], 0), ENOTCONN);
	CHECK(rsp_sendmsg(pe, "3", 1, &to[0], 0) == 1);
	CHECK(rsp_recvmsg(users[0], &note, sizeof(note), NULL, 0) == 1);
	CHECK(rsp_close(users[0]) == 0);
	rsp_close(users[1]);
	CHECK(rsp_close(pe) == 0);
}

/* A program counts its time in microseconds, however many they are. */
static void many_microseconds(void)
{
	struct timeval limit = {0, 1000000 + 1}, negative = {0, -1};
	long long start = now_ms();
	fd_set none;

	FD_ZERO(&none);
	CHECK(rsp_select(0, &none, NULL, NULL, &limit) == 0);
	CHECK(now_ms() - start >= 999 && limit.tv_usec == 1000000 + 1);
	CHECK_ERROR(rsp_select(0, &none, NULL, NULL, &negative), EINVAL);
}

static const struct check_test tests[] = {
        TEST(readable_while_messages_wait),
        TEST(edge_triggered),
        TEST(writable_while_there_is_room),
        TEST(blocking_send),
        TEST(mixed_descriptors),
        TEST(one_does_not_read),
        TEST(many_microseconds),
};

CHECK_MAIN(tests)
