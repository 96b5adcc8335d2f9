/* SPDX-License-Identifier: Apache-2.0
 *
 * What is told in band, and when. Needs a registrar.
 */
#include "support.h"

static void want(int fd, int bits)
{
	CHECK(rsp_setsockopt(fd, 0, RSP_NOTIFICATIONS, &bits, sizeof(bits)) == 0);
}

/* Receives a notification of this type. */
static union rsp_notification told(int fd, uint32_t type)
{
	struct rsp_sndrcvinfo info;
	union rsp_notification note;

	memset(&note, 0xff, sizeof(note));
	CHECK(rsp_recvmsg(fd, &note, sizeof(note), &info, 0) == sizeof(note));
	CHECK(info.flags == (RSP_MSG_NOTIFICATION | RSP_MSG_EOR) && info.length == sizeof(note));
	CHECK(note.type == type && note.head.session == info.session && info.session != 0);
	CHECK(note.head.reserved == 0);
	return note;
}

static int element(const char *pool)
{
	struct rsp_loadinfo load;
	int fd = bound_socket();

	memset(&load, 0, sizeof(load));
	want(fd, RSP_NOTIFY_ALL);
	CHECK(rsp_register(fd, pool, strlen(pool), &load) == 0);
	return fd;
}

static int user(const char *pool, int bits)
{
	int fd = rsp_socket(AF_INET, SOCK_SEQPACKET, 0);

	CHECK(fd >= 0);
	want(fd, bits);
	CHECK(rsp_connect(fd, pool, strlen(pool)) == 0);
	return fd;
}

static uint32_t id_of(int fd)
{
	uint32_t id;

	CHECK(rsp_getsockname(fd, NULL, NULL, &id) == 0);
	return id;
}

/* Forks before this process uses the library. The element reads one message and
 * answers nothing; it says so through the pipe, and is killed. */
static pid_t silent_element(const char *pool, int *pipe_end)
{
	int ends[2];
	pid_t child;
	char c = 0;

	CHECK(pipe(ends) == 0);
	child = fork();
	if (child == 0) {
		int fd = element(pool);

		CHECK(write(ends[1], &c, 1) == 1);
		while (rsp_recvmsg(fd, &c, 1, NULL, 0) == 1)
			CHECK(write(ends[1], &c, 1) == 1);
		_exit(1);
	}
	close(ends[1]);
	*pipe_end = ends[0];
	CHECK(read(ends[0], &c, 1) == 1);
	return child;
}

static void killed_element(void)
{
	union rsp_notification note;
	uint32_t first, old;
	int fd, next, silent;
	pid_t child = silent_element("note-kill", &silent);
	char c;

	fd = user("note-kill", RSP_NOTIFY_ALL);
	note = told(fd, RSP_SESSION_ADDED);
	first = note.head.session;
	old = note.session.pe_id;
	CHECK(old != 0 && note.head.error == 0 && note.head.why[0] == '\0');
	next = element("note-kill");
	say(fd, "1");
	say(fd, "2");
	CHECK(read(silent, &c, 1) == 1 && read(silent, &c, 1) == 1 && c == '2');
	usleep(300000); /* its host acknowledges what it read */
	CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
	say(fd, "3");
	note = told(fd, RSP_FAILOVER_BEGUN);
	CHECK(note.head.session == first && note.failover.old_pe_id == old && note.failover.new_pe_id == 0);
	CHECK(note.failover.in_doubt >= 1 && note.failover.in_doubt <= 3);
	CHECK(note.head.error != 0 && strlen(note.head.why) > 5);
	note = told(fd, RSP_FAILOVER_COMPLETED);
	CHECK(note.failover.old_pe_id == old && note.failover.new_pe_id == id_of(next));
	told(next, RSP_SESSION_ADDED);
	CHECK(rsp_close(fd) == 0);
	CHECK(rsp_close(next) == 0);
	close(silent);
}

static void in_order(void)
{
	struct rsp_sndrcvinfo info;
	union rsp_notification note;
	int pe = element("note-order"), fd = user("note-order", RSP_NOTIFY_ALL);
	char buf[sizeof(note)];
	uint32_t session;

	note = told(fd, RSP_SESSION_ADDED);
	CHECK(note.session.pe_id == id_of(pe));
	say(fd, "hello");
	note = told(pe, RSP_SESSION_ADDED);
	CHECK(note.session.pe_id == 0); /* a pool user */
	session = note.head.session;
	CHECK(rsp_recvmsg(pe, buf, sizeof(buf), &info, 0) == 5);
	CHECK(info.session == session && info.flags == RSP_MSG_EOR);
	CHECK(rsp_close(fd) == 0);
	note = told(pe, RSP_SHUTDOWN);
	note = told(pe, RSP_SESSION_REMOVED);
	CHECK(note.head.session == session && note.head.error == 0);
	CHECK_ERROR(rsp_recvmsg(pe, buf, sizeof(buf), &info, MSG_DONTWAIT), EAGAIN);
	CHECK(rsp_close(pe) == 0);
}

/* Off by default; chosen one by one; passed over without info; never too much
 * for a buffer. */
static void chosen(void)
{
	struct rsp_sndrcvinfo info;
	union rsp_notification note;
	struct echo pe;
	char buf[16];
	int fd;

	echo_start(&pe, "note-chosen");
	fd = connected("note-chosen");
	CHECK_ERROR(rsp_recvmsg(fd, buf, sizeof(buf), &info, MSG_DONTWAIT), EAGAIN);
	CHECK(rsp_close(fd) == 0);
	fd = user("note-chosen", RSP_NOTIFY_FAILOVER);
	CHECK_ERROR(rsp_recvmsg(fd, buf, sizeof(buf), &info, MSG_DONTWAIT), EAGAIN);
	CHECK(rsp_close(fd) == 0);

	fd = user("note-chosen", RSP_NOTIFY_ALL);
	CHECK(events_of(fd, POLLIN, 0) == POLLIN);
	CHECK(rsp_recvmsg(fd, &note, sizeof(note), &info, MSG_PEEK) == sizeof(note));
	CHECK(rsp_recvmsg(fd, NULL, 0, &info, MSG_PEEK | MSG_TRUNC) == sizeof(note));
	CHECK(rsp_recvmsg(fd, buf, 8, &info, 0) == 8);
	CHECK(info.flags == (RSP_MSG_NOTIFICATION | RSP_MSG_TRUNC | RSP_MSG_EOR));
	CHECK(events_of(fd, POLLIN, 0) == 0);
	CHECK(rsp_close(fd) == 0);

	fd = user("note-chosen", RSP_NOTIFY_ALL);
	say(fd, "x");
	CHECK(rsp_recvmsg(fd, buf, sizeof(buf), NULL, MSG_PEEK) == 1);
	CHECK(rsp_recvmsg(fd, buf, sizeof(buf), &info, 0) == 1 && info.flags == RSP_MSG_EOR);
	CHECK(rsp_close(fd) == 0);

	fd = user("note-chosen", RSP_NOTIFY_ALL);
	say(fd, "y");
	expect(fd, "y");
	CHECK(rsp_close(fd) == 0);
	echo_stop(&pe);
}

/* A buffer that is smaller by one loses a byte and is told so; one that is as large, or
 * larger by one, does not, and gets no more. MSG_TRUNC tells the length in any case. */
static void exact_room(void)
{
	static const int off[] = {-1, 0, 1};
	struct rsp_sndrcvinfo info;
	struct echo pe;
	char buf[sizeof(union rsp_notification) + 2];
	size_t i;

	echo_start(&pe, "note-room");
	for (i = 0; i < 2 * sizeof(off) / sizeof(off[0]); i++) {
		const size_t whole = sizeof(union rsp_notification), room = whole + (size_t)off[i / 2];
		const size_t got = room < whole ? room : whole;
		int trunc = i % 2 == 0 ? 0 : MSG_TRUNC, fd = user("note-room", RSP_NOTIFY_ALL);

		memset(buf, '.', sizeof(buf));
		CHECK(rsp_recvmsg(fd, buf, room, &info, trunc) == (ssize_t)(trunc ? whole : got));
		CHECK(info.flags == (RSP_MSG_NOTIFICATION | RSP_MSG_EOR | (room < whole ? RSP_MSG_TRUNC : 0)));
		CHECK(info.length == whole && buf[got - 1] == '\0' && buf[got] == '.');
		CHECK_ERROR(rsp_recvmsg(fd, buf, sizeof(buf), &info, MSG_DONTWAIT), EAGAIN);
		CHECK(rsp_close(fd) == 0);
	}
	echo_stop(&pe);
}

static const struct check_test tests[] = {TEST(killed_element), TEST(in_order), TEST(chosen), TEST(exact_room)};

CHECK_MAIN(tests)
