/* SPDX-License-Identifier: Apache-2.0
 *
 * State that travels with sessions. Needs a registrar.
 */
#include "support.h"

static const char good[] = "0123456789abcdef", bad[] = "fedcba9876543210";

static int element(const char *pool, const char *key)
{
	struct rsp_loadinfo load;
	int fd = bound_socket(), all = RSP_NOTIFY_COOKIES | RSP_NOTIFY_SHUTDOWN;

	memset(&load, 0, sizeof(load));
	if (key != NULL)
		CHECK(rsp_setsockopt(fd, 0, RSP_POOL_KEY, key, (socklen_t)strlen(key)) == 0);
	CHECK(rsp_setsockopt(fd, 0, RSP_NOTIFICATIONS, &all, sizeof(all)) == 0);
	CHECK(rsp_register(fd, pool, strlen(pool), &load) == 0);
	return fd;
}

/* Receives text with these flags; returns the session. */
static uint32_t gets(int fd, const char *text, uint32_t flags)
{
	struct rsp_sndrcvinfo info;
	char buf[300];
	ssize_t n = rsp_recvmsg(fd, buf, sizeof(buf), &info, 0);

	CHECK(n >= 0 && info.flags == (flags | RSP_MSG_EOR));
	CHECK(flags == RSP_MSG_NOTIFICATION || ((size_t)n == strlen(text) && memcmp(buf, text, (size_t)n) == 0));
	return info.session;
}

/* The state that one element leaves is the first that the next one receives. */
static void moves(const char *pool, const char *key, const char *state)
{
	int one = element(pool, key), fd = connected(pool), two;
	uint32_t session;

	say(fd, "a");
	session = gets(one, "a", 0);
	CHECK(rsp_send_cookie(one, "older", 5, session, 0) == 0);
	CHECK(rsp_send_cookie(one, state, strlen(state), session, MSG_DONTWAIT) == 0);
	two = element(pool, key);
	CHECK(rsp_close(one) == 0);
	say(fd, "b");
	session = gets(two, state, RSP_MSG_COOKIE_ECHO);
	CHECK(gets(two, "b", 0) == session);
	CHECK(rsp_close(fd) == 0);
	CHECK(rsp_close(two) == 0);
}

static void plain_state(void)
{
	moves("cookie-plain", NULL, "state");
}
static void sealed_state(void)
{
	moves("cookie-sealed", good, "secret");
}
static void empty_state(void)
{
	moves("cookie-empty", NULL, "");
}

static void rejected(void)
{
	int one = element("cookie-bad", bad), fd = connected("cookie-bad"), two;
	struct rsp_sndrcvinfo info;
	union rsp_notification note;

	say(fd, "a");
	CHECK(rsp_send_cookie(one, "state", 5, gets(one, "a", 0), 0) == 0);
	two = element("cookie-bad", good);
	CHECK(rsp_close(one) == 0);
	say(fd, "b");
	CHECK(rsp_recvmsg(two, &note, sizeof(note), &info, 0) == sizeof(note));
	CHECK(info.flags == (RSP_MSG_NOTIFICATION | RSP_MSG_EOR) && note.type == RSP_COOKIE_REJECTED);
	CHECK(note.head.error == EBADMSG && strlen(note.head.why) > 5);
	CHECK(gets(two, "b", 0) == note.head.session);
	CHECK(rsp_close(fd) == 0);
	CHECK(rsp_close(two) == 0);
}

/* Who does not ask what it is takes messages only. */
static void passed_over(void)
{
	int one = element("cookie-over", NULL), fd = connected("cookie-over"), two;

	say(fd, "a");
	CHECK(rsp_send_cookie(one, "state", 5, gets(one, "a", 0), 0) == 0);
	two = element("cookie-over", NULL);
	CHECK(rsp_close(one) == 0);
	say(fd, "b");
	expect(two, "b");
	CHECK(rsp_close(fd) == 0);
	CHECK(rsp_close(two) == 0);
}

static void wrong_use(void)
{
	static char large[RSP_COOKIE_MAX + 1];
	int one = element("cookie-wrong", NULL), fd = connected("cookie-wrong");
	uint32_t session;

	say(fd, "a");
	session = gets(one, "a", 0);
	CHECK(rsp_send_cookie(one, large, RSP_COOKIE_MAX, session, 0) == 0);
	CHECK_ERROR(rsp_send_cookie(one, large, sizeof(large), session, 0), EMSGSIZE);
	CHECK_ERROR(rsp_send_cookie(one, NULL, 1, session, 0), EFAULT);
	CHECK_ERROR(rsp_send_cookie(one, "x", 1, session, MSG_OOB), EOPNOTSUPP);
	CHECK_ERROR(rsp_send_cookie(one, "x", 1, 0, 0), ENOTCONN);
	CHECK_ERROR(rsp_send_cookie(one, "x", 1, session + 99, 0), ENOTCONN);
	CHECK_ERROR(rsp_send_cookie(fd, "x", 1, 0, 0), EINVAL); /* a pool user */
	CHECK_ERROR(rsp_send_cookie(-1, "x", 1, 0, 0), EBADF);
	CHECK(rsp_close(fd) == 0);
	CHECK(rsp_close(one) == 0);
}

/* RSP_DRAIN_LIMIT: sessions that find no other element are ended then. */
static void drain_limit(void)
{
	int one = element("cookie-limit", NULL), fd = connected("cookie-limit"), value = 250;
	socklen_t len = sizeof(value);
	char buf[8];

	CHECK(rsp_getsockopt(one, 0, RSP_DRAIN_LIMIT, &value, &len) == 0 && value == 30000 && len == sizeof(int));
	value = -2;
	CHECK_ERROR(rsp_setsockopt(one, 0, RSP_DRAIN_LIMIT, &value, sizeof(value)), EINVAL);
	CHECK_ERROR(rsp_setsockopt(one, 5, RSP_DRAIN_LIMIT, &value, sizeof(value)), ENOPROTOOPT);
	CHECK_ERROR(rsp_getsockopt(one, 5, RSP_DRAIN_LIMIT, &value, &len), ENOPROTOOPT);
	value = -1;
	CHECK(rsp_setsockopt(one, 0, RSP_DRAIN_LIMIT, &value, sizeof(value)) == 0);
	value = 0;
	CHECK(rsp_getsockopt(one, 0, RSP_DRAIN_LIMIT, &value, &len) == 0 && value == -1);
	value = 100;
	CHECK(rsp_setsockopt(one, 0, RSP_DRAIN_LIMIT, &value, sizeof(value)) == 0);
	say(fd, "a");
	gets(one, "a", 0);
	CHECK_ERROR(rsp_deregister_flags(one, RSP_DRAIN), ETIMEDOUT);
	CHECK_ERROR(rsp_getsockname(one, NULL, NULL, NULL), ENOTCONN); /* it has left all the same */
	CHECK_ERROR(rsp_recvmsg(one, buf, sizeof(buf), NULL, MSG_DONTWAIT), EAGAIN);
	CHECK(rsp_close(one) == 0);
	CHECK(rsp_close(fd) == 0);
}

/* Draining: the user goes on talking, and every message is counted once. */
static void drain(void)
{
	int one = element("cookie-drain", NULL), fd = connected("cookie-drain"), two, bits = RSP_NOTIFY_SHUTDOWN;
	uint32_t session;

	CHECK(rsp_setsockopt(fd, 0, RSP_NOTIFICATIONS, &bits, sizeof(bits)) == 0);
	say(fd, "a");
	session = gets(one, "a", 0);
	two = element("cookie-drain", NULL);
	CHECK_ERROR(rsp_deregister_flags(one, 2), EINVAL);
	CHECK(fcntl(one, F_SETFL, O_NONBLOCK) == 0);
	CHECK_ERROR(rsp_deregister_flags(one, RSP_DRAIN), EINPROGRESS);
	CHECK(events_of(one, POLLIN, LONG) == POLLIN);
	gets(one, "", RSP_MSG_NOTIFICATION);
	gets(fd, "", RSP_MSG_NOTIFICATION);
	say(fd, "b"); /* is for the next element */
	CHECK(rsp_send_cookie(one, "final", 5, session, 0) == 0);
	CHECK(events_of(one, POLLOUT, LONG) == POLLOUT);
	CHECK(rsp_deregister_flags(one, RSP_DRAIN) == 0); /* the outcome */
	CHECK_ERROR(rsp_getsockname(one, NULL, NULL, NULL), ENOTCONN);
	gets(two, "final", RSP_MSG_COOKIE_ECHO);
	gets(two, "b", 0);
	CHECK(fcntl(two, F_SETFL, 0) == 0);
	CHECK(rsp_close(one) == 0);
	CHECK(rsp_close(fd) == 0);
	CHECK(rsp_deregister_flags(two, 0) == 0);
	CHECK_ERROR(rsp_deregister_flags(two, RSP_DRAIN), ENOTCONN);
	CHECK(rsp_close(two) == 0);
}

static const struct check_test tests[] = {TEST(plain_state), TEST(sealed_state), TEST(empty_state), TEST(rejected),
                                          TEST(passed_over), TEST(wrong_use),    TEST(drain_limit), TEST(drain)};

CHECK_MAIN(tests)
