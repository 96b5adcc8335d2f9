/* SPDX-License-Identifier: Apache-2.0
 *
 * What a program can choose to happen when an element fails: to get back what was
 * not delivered, to stay with the element, to speak first to the next one. Needs a
 * registrar.
 */
#include "support.h"

static void set(int fd, int option, int value)
{
	CHECK(rsp_setsockopt(fd, 0, option, &value, sizeof(value)) == 0);
}

/* Forks before this process uses the library: an element that can be killed. */
static pid_t mortal(const char *pool)
{
	struct rsp_loadinfo load;
	int ends[2];
	pid_t child;
	char c = 0;

	memset(&load, 0, sizeof(load));
	CHECK(pipe(ends) == 0);
	child = fork();
	if (child == 0) {
		int fd = bound_socket();

		CHECK(rsp_register(fd, pool, strlen(pool), &load) == 0);
		CHECK(write(ends[1], &c, 1) == 1);
		pause();
		_exit(1);
	}
	CHECK(read(ends[0], &c, 1) == 1);
	close(ends[0]);
	close(ends[1]);
	return child;
}

/* One for each test, forked before the first call of this process. */
static struct {
	const char *pool;
	pid_t child;
} mortals[] = {{"options-back", 0}, {"options-stay", 0}, {"options-hold", 0}};

static void begin(void)
{
	size_t i;

	for (i = 0; i < sizeof(mortals) / sizeof(mortals[0]); i++)
		mortals[i].child = mortal(mortals[i].pool);
}

static void end(pid_t child)
{
	CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
}

static union rsp_notification told(int fd, uint32_t type)
{
	struct rsp_sndrcvinfo info;
	union rsp_notification note;

	CHECK(rsp_recvmsg(fd, &note, sizeof(note), &info, 0) == sizeof(note));
	CHECK(info.flags == (RSP_MSG_NOTIFICATION | RSP_MSG_EOR) && note.type == type);
	return note;
}

/* Receives an RSP_UNDELIVERED of ten bytes of text with room for so many in all, and
 * looks before, which takes nothing. */
static void cut_off(int fd, const char *text, size_t room)
{
	const size_t whole = sizeof(union rsp_notification) + 10, got = room < whole ? room : whole;
	struct rsp_sndrcvinfo info;
	union rsp_notification note;
	char buf[sizeof(note) + 20];
	int look;

	for (look = 1; look >= 0; look--) {
		memset(buf, '.', sizeof(buf));
		CHECK(rsp_recvmsg(fd, buf, room, &info, look ? MSG_PEEK : 0) == (ssize_t)got);
		CHECK(info.flags == (RSP_MSG_NOTIFICATION | RSP_MSG_EOR | (room < whole ? RSP_MSG_TRUNC : 0)));
		CHECK(info.length == whole);
		memset(&note, 0, sizeof(note));
		memcpy(&note, buf, got < sizeof(note) ? got : sizeof(note));
		CHECK(note.type == RSP_UNDELIVERED && note.undelivered.length == 10);
		if (got > sizeof(note))
			CHECK(memcmp(buf + sizeof(note), text, got - sizeof(note)) == 0);
		CHECK(buf[got] == '.');
	}
}

/* A session that fails gives back what it still had to send. */
static void undelivered(void)
{
	static const char text[] = "a message that nobody wanted";
	struct rsp_sndrcvinfo info;
	struct {
		union rsp_notification note;
		char message[100];
	} got;
	int fd = rsp_socket(AF_INET, SOCK_SEQPACKET, 0), i;

	set(fd, RSP_NOTIFICATIONS, RSP_NOTIFY_UNDELIVERED | RSP_NOTIFY_FAILOVER | RSP_NOTIFY_SESSIONS);
	set(fd, RSP_FAILOVER_LIMIT, 500);
	CHECK(rsp_connect(fd, "options-back", 12) == 0);
	told(fd, RSP_SESSION_ADDED);
	end(mortals[0].child);
	memset(&info, 0, sizeof(info));
	info.stream = 2;
	info.ppid = 77;
	CHECK(rsp_sendmsg(fd, text, sizeof(text), &info, 0) == sizeof(text));
	for (i = 0; i < 6; i++)
		CHECK(rsp_sendmsg(fd, text, 10, NULL, 0) == 10);
	told(fd, RSP_FAILOVER_BEGUN);
	CHECK(rsp_recvmsg(fd, &got, sizeof(got), &info, 0) == (ssize_t)(sizeof(got.note) + sizeof(text)));
	CHECK(info.flags == (RSP_MSG_NOTIFICATION | RSP_MSG_EOR) && info.length == sizeof(got.note) + sizeof(text));
	CHECK(info.stream == 2 && info.ppid == 77);
	CHECK(got.note.type == RSP_UNDELIVERED && got.note.undelivered.length == sizeof(text));
	CHECK(got.note.undelivered.pe_id != 0 && got.note.head.error != 0 && got.note.head.why[0] != '\0');
	CHECK(memcmp(got.message, text, sizeof(text)) == 0);

	/* The second does not fit: its beginning does. */
	CHECK(rsp_recvmsg(fd, &got, sizeof(got.note) + 4, &info, 0) == (ssize_t)(sizeof(got.note) + 4));
	CHECK(info.flags == (RSP_MSG_NOTIFICATION | RSP_MSG_TRUNC | RSP_MSG_EOR) &&
	      info.length == sizeof(got.note) + 10);
	CHECK(got.note.undelivered.length == 10 && memcmp(got.message, text, 4) == 0);
	cut_off(fd, text, sizeof(got.note) - 1);
	cut_off(fd, text, sizeof(got.note));
	cut_off(fd, text, sizeof(got.note) + 9);
	cut_off(fd, text, sizeof(got.note) + 10);
	cut_off(fd, text, sizeof(got.note) + 11);
	told(fd, RSP_SESSION_REMOVED);
	CHECK_ERROR(rsp_recvmsg(fd, &got, sizeof(got), &info, 0), EHOSTUNREACH);
	CHECK(rsp_close(fd) == 0);
}

/* The session ends with its element, although there is another one. */
static void no_failover(void)
{
	union rsp_notification note;
	char c;
	int fd = rsp_socket(AF_INET, SOCK_SEQPACKET, 0), next;

	set(fd, RSP_NO_FAILOVER, 1);
	set(fd, RSP_NOTIFICATIONS, RSP_NOTIFY_SESSIONS | RSP_NOTIFY_FAILOVER);
	CHECK(rsp_connect(fd, "options-stay", 12) == 0);
	told(fd, RSP_SESSION_ADDED);
	next = pool_element("options-stay");
	end(mortals[1].child);
	note = told(fd, RSP_SESSION_REMOVED);
	CHECK(note.head.error == EHOSTUNREACH && strstr(note.head.why, "NoFailover") != NULL);
	CHECK_ERROR(rsp_recvmsg(fd, &c, 1, NULL, 0), EHOSTUNREACH);
	CHECK(rsp_connect(fd, "options-stay", 12) == 0);
	CHECK(rsp_sendmsg(fd, "x", 1, NULL, 0) == 1);
	CHECK(rsp_recvmsg(next, &c, 1, NULL, 0) == 1 && c == 'x');
	CHECK(rsp_close(fd) == 0);
	CHECK(rsp_close(next) == 0);
}

/* What the program sends on the notification goes before what waits. */
static void speaks_first(void)
{
	union rsp_notification note;
	char buf[16];
	int one = 1, two = 2;
	socklen_t len = sizeof(one);
	int fd = rsp_socket(AF_INET, SOCK_SEQPACKET, 0), next;

	set(fd, RSP_FAILOVER_HOLD, 1);
	CHECK(rsp_connect(fd, "options-hold", 12) == 0);
	end(mortals[2].child);
	usleep(100000);
	CHECK(rsp_sendmsg(fd, "old", 3, NULL, 0) == 3);
	next = pool_element("options-hold");
	note = told(fd, RSP_FAILOVER_COMPLETED);
	CHECK(note.head.error == 0);
	CHECK(rsp_sendmsg(fd, "first", 5, NULL, 0) == 5);
	CHECK(rsp_recvmsg(next, buf, sizeof(buf), NULL, 0) == 5 && memcmp(buf, "first", 5) == 0);
	usleep(100000);
	CHECK_ERROR(rsp_recvmsg(next, buf, sizeof(buf), NULL, MSG_DONTWAIT), EAGAIN);
	CHECK_ERROR(rsp_setsockopt(fd, 0, RSP_RESUME, &two, sizeof(two)), EINVAL);
	CHECK_ERROR(rsp_setsockopt(fd, 4711, RSP_RESUME, &one, sizeof(one)), ENOTCONN);
	CHECK_ERROR(rsp_getsockopt(fd, 0, RSP_RESUME, &one, &len), EACCES);
	CHECK(rsp_setsockopt(fd, 0, RSP_RESUME, &one, sizeof(one)) == 0);
	CHECK(rsp_recvmsg(next, buf, sizeof(buf), NULL, 0) == 3 && memcmp(buf, "old", 3) == 0);
	CHECK(rsp_close(fd) == 0);
	CHECK(rsp_close(next) == 0);
}

static const struct check_test tests[] = {TEST(begin), TEST(undelivered), TEST(no_failover), TEST(speaks_first)};

CHECK_MAIN(tests)
