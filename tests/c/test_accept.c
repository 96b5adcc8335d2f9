/* SPDX-License-Identifier: Apache-2.0
 *
 * A descriptor for each session: SOCK_STREAM, rsp_listen, rsp_accept. Needs a
 * registrar.
 */
#include "support.h"

#include <arpa/inet.h>
#include <sys/epoll.h>
#include <sys/resource.h>

static int registered(const char *pool)
{
	struct rsp_loadinfo load;
	struct sockaddr_in here;
	int fd = rsp_socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP);

	memset(&load, 0, sizeof(load));
	memset(&here, 0, sizeof(here));
	here.sin_family = AF_INET;
	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(fd >= 0 && rsp_bind(fd, (struct sockaddr *)&here, sizeof(here)) == 0);
	CHECK(rsp_register(fd, pool, strlen(pool), &load) == 0);
	return fd;
}

static int listening(const char *pool, int backlog)
{
	int fd = registered(pool);

	CHECK(rsp_listen(fd, backlog) == 0);
	return fd;
}

static int accepted(int fd)
{
	int session = rsp_accept(fd, NULL, NULL);

	CHECK(session >= 0);
	return session;
}

static int stream_user(const char *pool)
{
	int fd = rsp_socket(AF_INET, SOCK_STREAM, 0);

	CHECK(fd >= 0 && rsp_connect(fd, pool, strlen(pool)) == 0);
	return fd;
}

static int closed_in_peace(int fd)
{
	char buf[8];

	return rsp_recvmsg(fd, buf, sizeof(buf), NULL, 0) == 0;
}

/* First of all: a pool user in a process of its own, which is killed. */
static pid_t start_user(const char *pool)
{
	pid_t child = fork();
	int fd;

	if (child != 0)
		return child;
	fd = rsp_socket(AF_INET, SOCK_STREAM, 0);
	while (rsp_connect(fd, pool, strlen(pool)) == -1)
		usleep(20000);
	say(fd, "alive");
	pause();
	_exit(0);
}

static void killed_user(void)
{
	pid_t child = start_user("accept-kill");
	int pe = listening("accept-kill", 5), fd = accepted(pe), status;
	char buf[8];

	expect(fd, "alive");
	CHECK(kill(child, SIGKILL) == 0 && waitpid(child, &status, 0) == child);
	/* A kernel that has SCTP says at once that the process is gone. */
	CHECK(rsp_sendmsg(fd, "are you?", 8, NULL, 0) == 8 || errno == ENOTCONN);
	CHECK(events_of(fd, POLLIN, LONG) == POLLIN);
	CHECK_ERROR(rsp_recvmsg(fd, buf, sizeof(buf), NULL, 0), ECONNRESET);
	CHECK_ERROR(rsp_sendmsg(fd, "x", 1, NULL, 0), ENOTCONN);
	CHECK(rsp_close(fd) == 0);
	CHECK(rsp_close(pe) == 0);
}

/* Everything that a session can do, on its own descriptor. */
static void one_session(void)
{
	struct sockaddr_in peer;
	struct rsp_sndrcvinfo info;
	socklen_t len = sizeof(peer);
	uint32_t id, own;
	size_t name = 8;
	char buf[64];
	int pe = listening("accept", 5), user = stream_user("accept"), fd;

	CHECK(events_of(pe, POLLIN, 0) == 0);
	say(user, "hello");
	CHECK(events_of(pe, POLLIN, LONG) == POLLIN);
	fd = rsp_accept(pe, (struct sockaddr *)&peer, &len);
	CHECK(fd >= 0 && fd != pe && (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0 && (fcntl(fd, F_GETFL) & O_NONBLOCK) == 0);
	CHECK(len == sizeof(peer) && peer.sin_family == AF_INET && peer.sin_port != 0);
	CHECK(peer.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
	CHECK(events_of(pe, POLLIN, 0) == 0);
	CHECK(events_of(fd, POLLIN | POLLOUT, 0) == (POLLIN | POLLOUT));
	CHECK(rsp_recvmsg(fd, buf, sizeof(buf), &info, 0) == 5 && info.session != 0);
	CHECK(events_of(fd, POLLIN, 0) == 0);
	CHECK_ERROR(rsp_recvmsg(fd, buf, sizeof(buf), NULL, MSG_DONTWAIT), EAGAIN);

	/* Session 0 and its own are the same here. */
	say(fd, "zero");
	CHECK(rsp_sendmsg(fd, "own", 3, &info, 0) == 3);
	expect(user, "zero");
	expect(user, "own");
	CHECK(rsp_send_cookie(fd, "state", 5, 0, 0) == 0);
	CHECK(rsp_send_cookie(fd, "state", 5, info.session, 0) == 0);
	info.session++;
	CHECK_ERROR(rsp_sendmsg(fd, "x", 1, &info, 0), ENOTCONN);
	CHECK_ERROR(rsp_send_cookie(fd, "x", 1, info.session, 0), ENOTCONN);

	CHECK(rsp_getsockname(pe, NULL, NULL, &own) == 0);
	CHECK(rsp_getsockname(fd, buf, &name, &id) == 0 && name == 6 && memcmp(buf, "accept", 6) == 0 && id == own);
	name = sizeof(buf);
	CHECK(rsp_getpeername(fd, buf, &name, &id) == 0 && name == 0 && id == 0);
	CHECK(rsp_close(user) == 0);
	CHECK(closed_in_peace(fd) && closed_in_peace(fd));
	CHECK(events_of(fd, POLLIN | POLLOUT, 0) == (POLLIN | POLLOUT));
	CHECK_ERROR(rsp_sendmsg(fd, "x", 1, NULL, 0), ENOTCONN);
	CHECK(rsp_close(fd) == 0);
	CHECK(rsp_close(pe) == 0);
}

/* The address is cut off where there is no room, as accept(2) does. */
static void addresses(void)
{
	struct sockaddr_in6 here, peer;
	struct rsp_loadinfo load;
	socklen_t len = 4;
	int pe = rsp_socket(AF_INET6, SOCK_STREAM, 0), user[2], fd[2];

	memset(&load, 0, sizeof(load));
	memset(&here, 0, sizeof(here));
	memset(&peer, 0, sizeof(peer));
	here.sin6_family = AF_INET6;
	CHECK(pe >= 0 && rsp_bind(pe, (struct sockaddr *)&here, sizeof(here)) == 0);
	CHECK(rsp_listen(pe, 1) == 0); /* before it is registered */
	CHECK(rsp_register(pe, "accept-six", 10, &load) == 0);
	user[0] = stream_user("accept-six");
	user[1] = stream_user("accept-six");
	say(user[0], "a");
	CHECK(events_of(pe, POLLIN, LONG) == POLLIN);
	say(user[1], "b");
	fd[0] = rsp_accept(pe, (struct sockaddr *)&peer, &len);
	CHECK(fd[0] >= 0 && len == sizeof(peer) && peer.sin6_family == AF_INET6 && peer.sin6_port != 0);
	CHECK(IN6_IS_ADDR_UNSPECIFIED(&peer.sin6_addr));
	len = sizeof(peer);
	fd[1] = rsp_accept(pe, (struct sockaddr *)&peer, &len);
	CHECK(fd[1] >= 0 && len == sizeof(peer) && IN6_IS_ADDR_V4MAPPED(&peer.sin6_addr));
	expect(fd[0], "a");
	expect(fd[1], "b");
	CHECK(rsp_close(pe) == 0);
	CHECK(rsp_close(fd[0]) == 0 && rsp_close(fd[1]) == 0);
	CHECK(rsp_close(user[0]) == 0 && rsp_close(user[1]) == 0);
}

static void *serve(void *argument)
{
	int fd = (int)(intptr_t)argument;
	char buf[1000];
	ssize_t n;

	while ((n = rsp_recvmsg(fd, buf, sizeof(buf), NULL, 0)) > 0)
		CHECK(rsp_sendmsg(fd, buf, (size_t)n, NULL, 0) == n);
	CHECK(n == 0);
	CHECK(rsp_close(fd) == 0);
	return NULL;
}

enum { MANY = 200 };

/* A thread that accepts, a thread per session, and many sessions at once through
 * a small backlog. */
static void *accept_many(void *argument)
{
	static pthread_t threads[MANY];
	int pe = (int)(intptr_t)argument, i;

	for (i = 0; i < MANY; i++)
		CHECK(pthread_create(&threads[i], NULL, serve, (void *)(intptr_t)accepted(pe)) == 0);
	for (i = 0; i < MANY; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	return NULL;
}

static void many_sessions(void)
{
	static int user[MANY];
	pthread_t thread;
	char text[16];
	int pe = listening("accept-many", 3), i, round;

	for (i = 0; i < MANY; i++) {
		user[i] = stream_user("accept-many");
		snprintf(text, sizeof(text), "first %d", i);
		say(user[i], text);
	}
	CHECK(pthread_create(&thread, NULL, accept_many, (void *)(intptr_t)pe) == 0);
	for (i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text), "first %d", i);
		expect(user[i], text);
	}
	for (round = 0; round < 3; round++)
		for (i = MANY - 1; i >= 0; i--) {
			snprintf(text, sizeof(text), "%d %d", round, i);
			say(user[i], text);
			expect(user[i], text);
		}
	for (i = 0; i < MANY; i++)
		CHECK(rsp_close(user[i]) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(rsp_close(pe) == 0);
}

/* Users fill their send buffers beyond the backlog; nothing is lost. */
static void backlog(void)
{
	enum { USERS = 4, SIZE = 100000 };
	static char block[SIZE];
	int pe = listening("accept-backlog", 1), user[USERS], sent[USERS], i, j;

	for (i = 0; i < USERS; i++) {
		user[i] = stream_user("accept-backlog");
		for (j = 0; rsp_sendmsg(user[i], block, sizeof(block), NULL, MSG_DONTWAIT) > 0; j++)
			CHECK(j < 1000); /* memory is bounded */
		sent[i] = j;
		CHECK(errno == EAGAIN && j > 10);
	}
	for (i = 0; i < USERS; i++) {
		int fd = accepted(pe);

		for (j = 0; j < sent[i]; j++)
			CHECK(rsp_recvmsg(fd, block, sizeof(block), NULL, 0) == SIZE);
		CHECK_ERROR(rsp_recvmsg(fd, block, sizeof(block), NULL, MSG_DONTWAIT), EAGAIN);
		CHECK(rsp_close(user[i]) == 0);
		CHECK(rsp_close(fd) == 0);
	}
	CHECK(rsp_close(pe) == 0);
}

/* epoll with edges and nonblocking descriptors. */
static void event_loop(void)
{
	enum { USERS = 20, ROUNDS = 10 };
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};
	int pe = listening("accept-epoll", 5), loop = epoll_create1(EPOLL_CLOEXEC), user[USERS], i;
	int echoed = 0, ended = 0, fd;
	char buf[100];
	ssize_t n;

	CHECK(fcntl(pe, F_SETFL, O_NONBLOCK) == 0);
	CHECK_ERROR(rsp_accept(pe, NULL, NULL), EAGAIN);
	event.data.fd = pe;
	CHECK(epoll_ctl(loop, EPOLL_CTL_ADD, pe, &event) == 0);
	for (i = 0; i < USERS * ROUNDS; i++) {
		if (i < USERS)
			user[i] = stream_user("accept-epoll");
		say(user[i % USERS], "ping");
	}
	while (ended < USERS) {
		CHECK(epoll_wait(loop, &event, 1, LONG) == 1);
		if (event.data.fd == pe) {
			while ((fd = rsp_accept(pe, NULL, NULL)) >= 0) {
				CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
				event.data.fd = fd;
				event.events = EPOLLIN | EPOLLET;
				CHECK(epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event) == 0);
			}
			CHECK(errno == EAGAIN);
			continue;
		}
		fd = event.data.fd;
		for (; (n = rsp_recvmsg(fd, buf, sizeof(buf), NULL, 0)) > 0; echoed++)
			CHECK(rsp_sendmsg(fd, buf, (size_t)n, NULL, 0) == n);
		CHECK(n == 0 || errno == EAGAIN);
		if (n == 0 && ++ended)
			CHECK(rsp_close(fd) == 0);
		if (echoed == USERS * ROUNDS) {
			for (i = 0; i < USERS; i++)
				CHECK(rsp_close(user[i]) == 0);
			echoed = 0;
		}
	}
	close(loop);
	CHECK(rsp_close(pe) == 0);
}

static int shared;

static void *wait_for_session(void *unused)
{
	CHECK_ERROR(rsp_accept(shared, NULL, NULL), EBADF);
	return unused;
}

static void *wait_for_message(void *unused)
{
	char buf[8];

	CHECK_ERROR(rsp_recvmsg(shared, buf, sizeof(buf), NULL, 0), EBADF);
	return unused;
}

static void close_under(void *(*run)(void *))
{
	pthread_t threads[4];
	int i;

	for (i = 0; i < 4; i++)
		CHECK(pthread_create(&threads[i], NULL, run, NULL) == 0);
	usleep(50000);
	CHECK(rsp_close(shared) == 0);
	for (i = 0; i < 4; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
}

static void close_while_others_wait(void)
{
	int pe, user;

	shared = listening("accept-close", 5);
	close_under(wait_for_session);
	pe = listening("accept-close", 5);
	user = stream_user("accept-close");
	say(user, "x");
	shared = accepted(pe);
	expect(shared, "x");
	close_under(wait_for_message);
	CHECK(rsp_close(user) == 0);
	CHECK(rsp_close(pe) == 0);
}

static void on_signal(int number)
{
	(void)number;
}

static void *interrupt(void *argument)
{
	usleep(50000);
	CHECK(pthread_kill(*(pthread_t *)argument, SIGUSR1) == 0);
	return NULL;
}

static void interrupted(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	pthread_t self = pthread_self(), thread;
	int pe = listening("accept-signal", 5);

	CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
	CHECK(pthread_create(&thread, NULL, interrupt, &self) == 0);
	CHECK_ERROR(rsp_accept(pe, NULL, NULL), EINTR);
	CHECK(pthread_join(thread, NULL) == 0);
	CHECK(rsp_close(pe) == 0);
}

/* What a session said before it ended is received after it was accepted. */
static void ended_before(void)
{
	int pe = listening("accept-late", 1), i;

	for (i = 0; i < 3; i++) {
		int user = stream_user("accept-late");

		say(user, "first");
		say(user, "last");
		CHECK(rsp_close(user) == 0);
	}
	for (i = 0; i < 3; i++) {
		int fd = accepted(pe);

		expect(fd, "first");
		expect(fd, "last");
		CHECK(closed_in_peace(fd));
		CHECK(rsp_close(fd) == 0);
	}
	CHECK(rsp_close(pe) == 0);
}

/* The listening socket goes, the sessions stay; its port is free after the last. */
static void outlive(int (*end)(int))
{
	int pe = listening("accept-outlive", 5), waiting, next, fd[2], user[2], i;
	uint32_t serving, other;

	for (i = 0; i < 2; i++) {
		user[i] = stream_user("accept-outlive");
		say(user[i], "hello");
		fd[i] = accepted(pe);
		expect(fd[i], "hello");
	}
	waiting = stream_user("accept-outlive");
	say(waiting, "nobody accepts me");
	CHECK(events_of(pe, POLLIN, LONG) == POLLIN);
	next = listening("accept-outlive", 5);
	CHECK(rsp_getsockname(next, NULL, NULL, &other) == 0);
	CHECK(end(pe) == 0);
	for (i = 0; i < 2; i++) {
		say(fd[i], "still here");
		expect(user[i], "still here");
		say(user[i], "me too");
		expect(fd[i], "me too");
	}
	/* The one that was not accepted finds the other element. */
	do {
		say(waiting, "again");
		usleep(10000);
		CHECK(rsp_getpeername(waiting, NULL, NULL, &serving) == 0);
	} while (serving != other);
	CHECK(end(fd[0]) == 0);
	say(fd[1], "and I");
	expect(user[1], "and I");
	CHECK(end(fd[1]) == 0);
	for (i = 0; i < 2; i++)
		do {
			CHECK(rsp_sendmsg(user[i], "after", 5, NULL, 0) == 5);
			usleep(10000);
			CHECK(rsp_getpeername(user[i], NULL, NULL, &serving) == 0);
		} while (serving != other);
	CHECK(rsp_close(user[0]) == 0 && rsp_close(user[1]) == 0 && rsp_close(waiting) == 0);
	CHECK(rsp_close(next) == 0);
}

static void sessions_outlive_their_listener(void)
{
	outlive(rsp_close);
	outlive(close); /* the same without waiting */
}

/* Options and notifications belong to the descriptor of the session. */
static void options(void)
{
	struct rsp_sndrcvinfo info;
	union rsp_notification note;
	int all = RSP_NOTIFY_ALL, value = 0, small = 5000, pe = registered("accept-options"), user, fd;
	socklen_t len = sizeof(value);

	CHECK(rsp_setsockopt(pe, 0, RSP_NOTIFICATIONS, &all, sizeof(all)) == 0);
	CHECK(rsp_listen(pe, 5) == 0);
	user = stream_user("accept-options");
	say(user, "x");
	fd = accepted(pe);
	CHECK(rsp_recvmsg(fd, &note, sizeof(note), &info, 0) == sizeof(note) && note.type == RSP_SESSION_ADDED);
	CHECK(note.head.session == info.session);
	expect(fd, "x");
	CHECK(rsp_getsockopt(fd, 0, RSP_NOTIFICATIONS, &value, &len) == 0 && value == all);
	CHECK(rsp_setsockopt(fd, 0, RSP_RCVBUF, &small, sizeof(small)) == 0);
	CHECK(rsp_getsockopt(fd, info.session, RSP_RCVBUF, &value, &len) == 0 && value == small);
	CHECK(rsp_getsockopt(pe, info.session, RSP_RCVBUF, &value, &len) == 0 && value == small);
	CHECK(rsp_getsockopt(pe, 0, RSP_RCVBUF, &value, &len) == 0 && value != small);
	CHECK_ERROR(rsp_getsockopt(fd, info.session + 1, RSP_RCVBUF, &value, &len), ENOTCONN);
	CHECK_ERROR(rsp_setsockopt(fd, info.session + 1, RSP_RCVBUF, &small, sizeof(small)), ENOTCONN);
	CHECK_ERROR(rsp_setsockopt(fd, 0, RSP_DATA_ONLY, &small, sizeof(small)), ENOPROTOOPT);
	CHECK_ERROR(rsp_setsockopt(fd, 0, RSP_POOL_KEY, "0123456789abcdef", 16), ENOPROTOOPT);
	CHECK(rsp_close(user) == 0);
	CHECK(rsp_recvmsg(fd, &note, sizeof(note), &info, 0) == sizeof(note) && note.type == RSP_SHUTDOWN);
	CHECK(rsp_recvmsg(fd, &note, sizeof(note), &info, 0) == sizeof(note) && note.type == RSP_SESSION_REMOVED);
	CHECK(rsp_recvmsg(fd, &note, sizeof(note), &info, 0) == 0 && info.flags == 0 && info.length == 0);
	CHECK_ERROR(rsp_getsockopt(fd, 0, RSP_RCVBUF, &value, &len), ENOTCONN);
	CHECK(rsp_close(fd) == 0);
	CHECK(rsp_close(pe) == 0);
}

/* A session is drained, and begins at another element with its cookie. */
static void *drain(void *argument)
{
	CHECK(rsp_deregister_flags(*(int *)argument, RSP_DRAIN) == 0);
	return NULL;
}

static void cookie_and_drain(void)
{
	int pe[2] = {listening("accept-drain", 5), -1}, fd[2], user = stream_user("accept-drain");
	struct rsp_sndrcvinfo info;
	pthread_t thread;
	char buf[32];

	say(user, "one");
	fd[0] = accepted(pe[0]);
	expect(fd[0], "one");
	say(fd[0], "ONE");
	CHECK(rsp_send_cookie(fd[0], "state", 5, 0, 0) == 0);
	expect(user, "ONE");
	pe[1] = listening("accept-drain", 5);
	CHECK(pthread_create(&thread, NULL, drain, &pe[0]) == 0);
	CHECK(closed_in_peace(fd[0]));
	CHECK(pthread_join(thread, NULL) == 0);
	fd[1] = accepted(pe[1]);
	CHECK(rsp_recvmsg(fd[1], buf, sizeof(buf), &info, 0) == 5 && memcmp(buf, "state", 5) == 0);
	CHECK(info.flags == (RSP_MSG_COOKIE_ECHO | RSP_MSG_EOR));
	say(user, "two");
	expect(fd[1], "two");
	CHECK(rsp_close(fd[0]) == 0 && rsp_close(fd[1]) == 0);
	CHECK(rsp_close(pe[0]) == 0 && rsp_close(pe[1]) == 0);
	CHECK(rsp_close(user) == 0);
}

/* Without descriptors the session goes on waiting. */
static void no_descriptors(void)
{
	int pe = listening("accept-emfile", 5), user = stream_user("accept-emfile"), fd;
	struct rlimit before, none;

	say(user, "x");
	CHECK(events_of(pe, POLLIN, LONG) == POLLIN);
	CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
	none = before;
	none.rlim_cur = (rlim_t)(pe > user ? pe : user) + 1;
	CHECK(setrlimit(RLIMIT_NOFILE, &none) == 0);
	while ((fd = dup(0)) != -1)
		; /* holes that the library left */
	CHECK_ERROR(rsp_accept(pe, NULL, NULL), EMFILE);
	CHECK_EXPLAINED("ulimit");
	CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
	fd = accepted(pe);
	expect(fd, "x");
	CHECK(rsp_close(fd) == 0 && rsp_close(pe) == 0 && rsp_close(user) == 0);
}

static void in_a_child(int pe, int fd)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		CHECK_ERROR(rsp_accept(pe, NULL, NULL), EOWNERDEAD);
		CHECK_ERROR(rsp_listen(pe, 5), EOWNERDEAD);
		CHECK_ERROR(rsp_close(fd), EOWNERDEAD);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void wrong_use(void)
{
	struct rsp_loadinfo load;
	struct sockaddr_in here;
	int datagram = bound_socket(), pe = registered("accept-wrong"), user = stream_user("accept-wrong"), fd, value;
	int plain = rsp_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_SCTP);
	socklen_t len = sizeof(here);
	char c;

	memset(&load, 0, sizeof(load));
	memset(&here, 0, sizeof(here));
	here.sin_family = AF_INET;
	CHECK_ERROR(rsp_listen(datagram, 5), EOPNOTSUPP);
	CHECK_ERROR(rsp_accept(datagram, NULL, NULL), EOPNOTSUPP);
	CHECK_ERROR(rsp_accept(plain, NULL, NULL), EINVAL);
	CHECK_EXPLAINED("rsp_listen");
	CHECK_ERROR(rsp_recvmsg(plain, &c, 1, NULL, 0), ENOTCONN);
	CHECK_ERROR(rsp_sendmsg(plain, &c, 1, NULL, 0), ENOTCONN);
	CHECK_ERROR(rsp_accept(pe, NULL, NULL), EINVAL);
	CHECK_ERROR(rsp_listen(user, 5), EISCONN);
	CHECK_ERROR(rsp_register(user, "accept-wrong", 12, &load), EISCONN);
	CHECK_ERROR(rsp_listen(-1, 5), EBADF);
	CHECK_ERROR(rsp_accept(-1, NULL, NULL), EBADF);
	CHECK_ERROR(rsp_accept(0, NULL, NULL), ENOTSOCK);

	say(user, "x"); /* a session waits for rsp_listen, too */
	CHECK(rsp_listen(pe, -1) == 0 && rsp_listen(pe, 1 << 30) == 0);
	CHECK_ERROR(rsp_connect(pe, "accept-wrong", 12), EISCONN);
	CHECK_ERROR(rsp_recvmsg(pe, &c, 1, NULL, 0), ENOTCONN);
	CHECK_ERROR(rsp_accept(pe, (struct sockaddr *)&here, NULL), EFAULT);
	fd = accepted(pe);
	expect(fd, "x");
	CHECK_ERROR(rsp_listen(fd, 5), EISCONN);
	CHECK_ERROR(rsp_accept(fd, (struct sockaddr *)&here, &len), EINVAL);
	CHECK_ERROR(rsp_bind(fd, (struct sockaddr *)&here, sizeof(here)), EINVAL);
	CHECK_ERROR(rsp_connect(fd, "x", 1), EISCONN);
	CHECK_ERROR(rsp_register(fd, "x", 1, &load), EISCONN);
	CHECK_ERROR(rsp_deregister(fd), ENOTCONN);
	CHECK_ERROR(rsp_deregister_flags(fd, RSP_DRAIN), ENOTCONN);
	CHECK_ERROR(rsp_setload(fd, &load), ENOTCONN);
	len = sizeof(value);
	CHECK_ERROR(rsp_getsockopt(fd, 0, RSP_DATA_ONLY, &value, &len), ENOPROTOOPT);
	in_a_child(pe, fd);
	CHECK(rsp_close(fd) == 0);
	CHECK_ERROR(rsp_close(fd), EBADF);
	CHECK(rsp_close(plain) == 0 && rsp_close(datagram) == 0 && rsp_close(user) == 0 && rsp_close(pe) == 0);
}

static const struct check_test tests[] = {
        TEST(killed_user),
        TEST(one_session),
        TEST(addresses),
        TEST(many_sessions),
        TEST(backlog),
        TEST(event_loop),
        TEST(close_while_others_wait),
        TEST(interrupted),
        TEST(ended_before),
        TEST(sessions_outlive_their_listener),
        TEST(options),
        TEST(cookie_and_drain),
        TEST(no_descriptors),
        TEST(wrong_use),
};

CHECK_MAIN(tests)
