/* SPDX-License-Identifier: Apache-2.0
 *
 * Ending one session of many. Needs a registrar.
 */
#include "support.h"

#include <arpa/inet.h>

/* A pool user that goes on with no other element, and is told everything. */
static int user(const char *pool)
{
	int fd = rsp_socket(AF_INET, SOCK_SEQPACKET, 0), bits = RSP_NOTIFY_ALL, on = 1;

	CHECK(rsp_setsockopt(fd, 0, RSP_NOTIFICATIONS, &bits, sizeof(bits)) == 0);
	CHECK(rsp_setsockopt(fd, 0, RSP_NO_FAILOVER, &on, sizeof(on)) == 0);
	CHECK(rsp_connect(fd, pool, strlen(pool)) == 0);
	return fd;
}

static uint32_t session_of_message(int fd)
{
	struct rsp_sndrcvinfo info;
	char buf[64];

	CHECK(rsp_recvmsg(fd, buf, sizeof(buf), &info, 0) > 0);
	return info.session;
}

/* Receives notifications up to one of this type. */
static union rsp_notification told(int fd, uint32_t type)
{
	struct rsp_sndrcvinfo info;
	union rsp_notification note;

	do {
		CHECK(rsp_recvmsg(fd, &note, sizeof(note), &info, 0) >= 0);
	} while ((info.flags & RSP_MSG_NOTIFICATION) == 0 || note.type != type);
	return note;
}

static void send_to(int fd, uint32_t session, const char *text)
{
	struct rsp_sndrcvinfo info;

	memset(&info, 0, sizeof(info));
	info.session = session;
	CHECK(rsp_sendmsg(fd, text, strlen(text), &info, 0) == (ssize_t)strlen(text));
}

/* Both ways of ending: the other session goes on. */
static void one_of_two(void)
{
	int pe = pool_element("close-session"), flags;

	for (flags = 0; flags <= RSP_ABORT; flags += RSP_ABORT) {
		int ends = user("close-session"), stays = user("close-session");
		struct rsp_sndrcvinfo info;
		union rsp_notification note;
		uint32_t session, other;

		say(ends, "first");
		session = session_of_message(pe);
		say(stays, "second");
		other = session_of_message(pe);
		if (flags == 0)
			send_to(pe, session, "last words");
		CHECK(rsp_close_session(pe, session, flags) == 0);
		if (flags == 0)
			expect(ends, "last words");
		note = told(ends, RSP_SESSION_REMOVED);
		CHECK((strstr(note.head.why, "took leave") == NULL) == (flags == RSP_ABORT));
		memset(&info, 0, sizeof(info));
		info.session = session;
		CHECK_ERROR(rsp_sendmsg(pe, "x", 1, &info, 0), ENOTCONN);
		CHECK_ERROR(rsp_getpeeraddrs(pe, session, NULL, &(socklen_t){0}), ENOTCONN);
		send_to(pe, other, "go on");
		expect(stays, "go on");
		CHECK(rsp_close(ends) == 0 && rsp_close(stays) == 0);
	}
	CHECK(rsp_close(pe) == 0);
}

/* What was received before is dropped, and the next session is not taken for it. */
static void unread(void)
{
	int pe = pool_element("close-unread"), first = user("close-unread"), second = user("close-unread");
	uint32_t session;

	say(first, "read");
	session = session_of_message(pe);
	say(first, "unread");
	say(second, "of another session");
	CHECK(events_of(pe, POLLIN, LONG) == POLLIN);
	CHECK(rsp_close_session(pe, session, RSP_ABORT) == 0);
	expect(pe, "of another session");
	CHECK(rsp_close(first) == 0 && rsp_close(second) == 0 && rsp_close(pe) == 0);
}

/* A pool user ends its session and begins another one with the same socket. */
static void connected_again(void)
{
	struct echo pe;
	int fd, flags;

	echo_start(&pe, "close-again");
	fd = connected("close-again");
	for (flags = 0; flags <= RSP_ABORT; flags += RSP_ABORT) {
		say(fd, "hello");
		expect(fd, "hello");
		CHECK(rsp_close_session(fd, 0, flags) == 0);
		CHECK_ERROR(rsp_sendmsg(fd, "x", 1, NULL, 0), ENOTCONN);
		CHECK_ERROR(rsp_close_session(fd, 0, flags), ENOTCONN);
		CHECK(rsp_connect(fd, "close-again", 11) == 0);
	}
	say(fd, "hello");
	expect(fd, "hello");
	CHECK(rsp_close(fd) == 0);
	echo_stop(&pe);
}

/* The descriptor of a session outlives it. */
static void accepted_session(void)
{
	int pe = rsp_socket(AF_INET, SOCK_STREAM, 0), fd, ends, flags;
	struct rsp_loadinfo load;
	struct sockaddr_in here;
	char buf[8];

	memset(&load, 0, sizeof(load));
	memset(&here, 0, sizeof(here));
	here.sin_family = AF_INET;
	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(rsp_bind(pe, (struct sockaddr *)&here, sizeof(here)) == 0 && rsp_listen(pe, 5) == 0);
	CHECK(rsp_register(pe, "close-accepted", 14, &load) == 0);
	for (flags = 0; flags <= RSP_ABORT; flags += RSP_ABORT) {
		ends = user("close-accepted");
		say(ends, "hello");
		fd = rsp_accept(pe, NULL, NULL);
		CHECK(fd >= 0);
		expect(fd, "hello");
		CHECK_ERROR(rsp_close_session(fd, 999, flags), ENOTCONN);
		CHECK(rsp_close_session(fd, 0, flags) == 0);
		CHECK(events_of(fd, POLLIN, LONG) == POLLIN && rsp_recvmsg(fd, buf, sizeof(buf), NULL, 0) == 0);
		CHECK_ERROR(rsp_sendmsg(fd, "x", 1, NULL, 0), ENOTCONN);
		told(ends, RSP_SESSION_REMOVED);
		CHECK(rsp_close(fd) == 0 && rsp_close(ends) == 0);
	}
	CHECK(rsp_close(pe) == 0);
}

static void wrong_arguments(void)
{
	int fd = bound_socket();

	CHECK_ERROR(rsp_close_session(fd, 0, 0), ENOTCONN);
	CHECK_ERROR(rsp_close_session(fd, 5, RSP_ABORT), ENOTCONN);
	CHECK_ERROR(rsp_close_session(fd, 0, RSP_DRAIN), EINVAL);
	CHECK_ERROR(rsp_close_session(fd, 0, -1), EINVAL);
	CHECK(rsp_close(fd) == 0);
}

static const struct check_test tests[] = {
        TEST(one_of_two), TEST(unread), TEST(connected_again), TEST(accepted_session), TEST(wrong_arguments),
};

CHECK_MAIN(tests)
