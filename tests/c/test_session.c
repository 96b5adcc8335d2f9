/* SPDX-License-Identifier: Apache-2.0
 *
 * Sessions, registrations, messages. Needs a registrar.
 */
#include "support.h"

static void echo(void)
{
	struct rsp_sndrcvinfo info;
	char buf[64], pool[16];
	uint32_t own, peer;
	struct echo pe;
	size_t len;
	int fd;

	echo_start(&pe, "session-echo");
	fd = connected("session-echo");
	say(fd, "hello");
	memset(&info, 0xff, sizeof(info));
	CHECK(rsp_recvmsg(fd, buf, sizeof(buf), &info, 0) == 5 && memcmp(buf, "hello", 5) == 0);
	CHECK(info.length == 5 && info.flags == RSP_MSG_EOR && info.ppid == 0 && info.reserved[8] == 0);

	len = sizeof(pool);
	CHECK(rsp_getsockname(pe.fd, pool, &len, &own) == 0);
	CHECK(len == 12 && memcmp(pool, "session-echo", 12) == 0 && own != 0);
	memset(pool, 0, sizeof(pool));
	len = 7;
	CHECK(rsp_getpeername(fd, pool, &len, &peer) == 0);
	CHECK(len == 12 && strcmp(pool, "session") == 0); /* cut off, and said so */
	CHECK(peer == own && info.pe_id == own);
	CHECK(rsp_getpeername(fd, NULL, NULL, NULL) == 0);
	CHECK_ERROR(rsp_connect(fd, "session-echo", 12), EISCONN);
	CHECK(rsp_close(fd) == 0);
	echo_stop(&pe);
}

/* By pointer and by value, with all that can be set. */
static void message_information(void)
{
	struct rsp_sndrcvinfo out, in;
	struct echo pe;
	char buf[16];
	int fd;

	echo_start(&pe, "session-info");
	fd = connected("session-info");
	memset(&out, 0, sizeof(out));
	out.ppid = 0x01020304;
	out.stream = 7;
	out.lifetime = 60000;
	CHECK(rsp_sendmsg(fd, "one", 3, &out, 0) == 3);
	CHECK(rsp_rcvmsg(fd, buf, sizeof(buf), &in, 0) == 3);
	CHECK(in.ppid == 0x01020304 && in.stream == 7 && in.flags == RSP_MSG_EOR && in.lifetime == 0);
	out.flags = RSP_UNORDERED;
	CHECK(rsp_sendmsg(fd, "two", 3, out, MSG_NOSIGNAL) == 3);
	CHECK(rsp_rcvmsg(fd, buf, sizeof(buf), &in, 0) == 3);
	CHECK(in.flags == (RSP_UNORDERED | RSP_MSG_EOR) && memcmp(buf, "two", 3) == 0);
	out.ppid = 11;
	CHECK_ERROR(rsp_sendmsg(fd, "x", 1, &out, 0), EINVAL);
	CHECK_EXPLAINED("ASAP");
	out.ppid = 0;
	out.stream = RSP_STREAMS;
	CHECK_ERROR(rsp_sendmsg(fd, "x", 1, &out, 0), EINVAL);
	CHECK_EXPLAINED("stream");
	CHECK(rsp_close(fd) == 0);
	echo_stop(&pe);
}

/* One call: so many bytes, this text, these flags. */
static void part(int fd, size_t room, int flags, ssize_t result, const char *text, uint32_t info_flags)
{
	struct rsp_sndrcvinfo info;
	char buf[32] = "";

	CHECK(rsp_recvmsg(fd, room > 0 ? buf : NULL, room, &info, flags) == result);
	CHECK(strcmp(buf, text) == 0 && info.flags == info_flags && info.length == 10);
}

static void parts_and_peek(void)
{
	char buf[16];
	struct echo pe;
	int fd;

	echo_start(&pe, "session-parts");
	fd = connected("session-parts");
	say(fd, "0123456789");
	say(fd, "next");
	part(fd, 4, MSG_PEEK, 4, "0123", 0);
	part(fd, 4, MSG_PEEK | MSG_TRUNC, 10, "0123", RSP_MSG_TRUNC | RSP_MSG_EOR);
	part(fd, 0, MSG_PEEK, 0, "", 0);
	part(fd, 0, 0, 0, "", 0); /* nothing was received, nothing is lost */
	part(fd, 5, 0, 5, "01234", 0);
	part(fd, 20, MSG_PEEK, 5, "56789", RSP_MSG_EOR);
	part(fd, 2, 0, 2, "56", 0);
	CHECK(events_of(fd, POLLIN, 0) == POLLIN);
	part(fd, 3, 0, 3, "789", RSP_MSG_EOR);
	expect(fd, "next");
	say(fd, "abcdefghij");
	say(fd, "last");
	part(fd, 1, 0, 1, "a", 0);
	part(fd, 3, MSG_TRUNC, 9, "bcd", RSP_MSG_TRUNC | RSP_MSG_EOR);
	expect(fd, "last");
	say(fd, "0123456789");
	CHECK(rsp_recvmsg(fd, buf, 7, NULL, 0) == 7 && rsp_recvmsg(fd, buf, sizeof(buf), NULL, 0) == 3);
	CHECK_ERROR(rsp_recvmsg(fd, buf, sizeof(buf), NULL, MSG_DONTWAIT), EAGAIN);
	CHECK(rsp_close(fd) == 0);
	echo_stop(&pe);
}

/* The parts of one message come together, whoever else sends meanwhile. */
static void parts_of_many(void)
{
	enum { USERS = 5, SIZE = 1000 };
	struct rsp_loadinfo load;
	struct rsp_sndrcvinfo info;
	int user[USERS], pe = bound_socket(), i, j;
	char out[SIZE], in[SIZE];
	size_t have = 0;

	memset(&load, 0, sizeof(load));
	CHECK(rsp_register(pe, "session-many", 12, &load) == 0);
	for (i = 0; i < USERS; i++) {
		user[i] = connected("session-many");
		memset(out, 'a' + i, sizeof(out));
		for (j = 0; j < 10; j++)
			CHECK(rsp_sendmsg(user[i], out, sizeof(out), NULL, 0) == SIZE);
	}
	for (i = 0; i < USERS * 10;) {
		size_t room = sizeof(in) - have < 300 ? sizeof(in) - have : 300;
		ssize_t n = rsp_recvmsg(pe, in + have, room, &info, 0);

		CHECK(n > 0 && info.length == SIZE);
		have += (size_t)n;
		CHECK(((info.flags & RSP_MSG_EOR) != 0) == (have == SIZE));
		if (have < SIZE)
			continue;
		for (j = 1; j < SIZE; j++)
			CHECK(in[j] == in[0]);
		have = 0;
		i++;
	}
	for (i = 0; i < USERS; i++)
		CHECK(rsp_close(user[i]) == 0);
	CHECK(rsp_close(pe) == 0);
}

static void message_sizes(void)
{
	static char out[1 << 20], in[(1 << 20) + 1];
	static const size_t sizes[] = {1, 1000, 65536, 300001, 1 << 20};
	struct echo pe;
	size_t i, j;
	int fd;

	for (i = 0; i < sizeof(out); i++)
		out[i] = (char)(i * 7 + i / 251);
	echo_start(&pe, "session-sizes");
	fd = connected("session-sizes");
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		CHECK(rsp_sendmsg(fd, out, sizes[i], NULL, 0) == (ssize_t)sizes[i]);
		CHECK(rsp_recvmsg(fd, in, sizeof(in), NULL, 0) == (ssize_t)sizes[i]);
		CHECK(memcmp(in, out, sizes[i]) == 0);
	}
	for (j = 0; j < 200; j++)
		CHECK(rsp_sendmsg(fd, out + j, j + 1, NULL, 0) == (ssize_t)j + 1);
	for (j = 0; j < 200; j++) {
		CHECK(rsp_recvmsg(fd, in, sizeof(in), NULL, 0) == (ssize_t)j + 1);
		CHECK(memcmp(in, out + j, j + 1) == 0);
	}
	CHECK_ERROR(rsp_sendmsg(fd, in, sizeof(in), NULL, 0), EMSGSIZE);
	CHECK(rsp_close(fd) == 0);
	echo_stop(&pe);
}

static void many_users(void)
{
	enum { USERS = 20 };
	struct echo pe;
	int fd[USERS], i;
	char text[16];

	echo_start(&pe, "session-users");
	for (i = 0; i < USERS; i++) {
		fd[i] = connected("session-users");
		snprintf(text, sizeof(text), "from %d", i);
		say(fd[i], text);
	}
	for (i = USERS - 1; i >= 0; i--) {
		snprintf(text, sizeof(text), "from %d", i);
		expect(fd[i], text);
		CHECK(rsp_close(fd[i]) == 0);
	}
	echo_stop(&pe);
}

static void unknown_pool(void)
{
	int fd = bound_socket();
	long long begin;

	/* The first connect also looks for the registrar. */
	CHECK_ERROR(rsp_connect(fd, "nobody", 6), ENOENT);
	CHECK_EXPLAINED("nobody");
	begin = now_ms();
	CHECK_ERROR(rsp_connect(fd, "nobody", 6), ENOENT);
	CHECK(now_ms() - begin < 3000); /* at once, not after a timeout */
	CHECK_ERROR(rsp_sendmsg(fd, "x", 1, NULL, 0), ENOTCONN);
	CHECK(rsp_close(fd) == 0);
}

/* Pool handles are bytes. */
static void binary_handle(void)
{
	static const char handle[] = {0, 'a', '\n', (char)0xff, 0};
	struct rsp_loadinfo load;
	char back[8];
	size_t len = sizeof(back);
	int pe = bound_socket();
	int fd = rsp_socket(AF_INET, SOCK_DGRAM, 0);

	memset(&load, 0, sizeof(load));
	CHECK(rsp_register(pe, handle, sizeof(handle), &load) == 0);
	CHECK_ERROR(rsp_connect(fd, handle, sizeof(handle) - 1), ENOENT);
	CHECK(rsp_connect(fd, handle, sizeof(handle)) == 0);
	CHECK(rsp_getpeername(fd, back, &len, NULL) == 0);
	CHECK(len == sizeof(handle) && memcmp(back, handle, len) == 0);
	CHECK(rsp_close(fd) == 0);
	CHECK(rsp_close(pe) == 0);
}

/* What RSP_POOL_MAX promises, a registrar takes. */
static void longest_handle(void)
{
	static char handle[RSP_POOL_MAX + 1];
	struct rsp_loadinfo load;
	int pe = bound_socket();
	int fd = rsp_socket(AF_INET, SOCK_DGRAM, 0);

	memset(&load, 0, sizeof(load));
	memset(handle, 'x', sizeof(handle));
	CHECK_ERROR(rsp_register(pe, handle, RSP_POOL_MAX + 1, &load), EINVAL);
	CHECK_EXPLAINED("1 to 1024 bytes");
	CHECK(rsp_register(pe, handle, RSP_POOL_MAX, &load) == 0);
	CHECK(rsp_connect(fd, handle, RSP_POOL_MAX) == 0);
	CHECK(rsp_close(fd) == 0);
	CHECK(rsp_close(pe) == 0);
}

static void registration(void)
{
	struct rsp_loadinfo load;
	uint32_t id;
	int fd = bound_socket();

	memset(&load, 0, sizeof(load));
	load.policy = RSP_RANDOM;
	load.pe_id = 0x12345678;
	load.life = 60;
	CHECK(rsp_register(fd, "registration", 12, &load) == 0);
	CHECK(rsp_getsockname(fd, NULL, NULL, &id) == 0 && id == 0x12345678);
	CHECK(rsp_register(fd, "registration", 12, &load) == 0); /* again is fine */
	CHECK_ERROR(rsp_register(fd, "another", 7, &load), EISCONN);
	CHECK(rsp_deregister(fd) == 0);
	CHECK_ERROR(rsp_deregister(fd), ENOTCONN);
	CHECK_ERROR(rsp_getsockname(fd, NULL, NULL, &id), ENOTCONN);
	CHECK(rsp_register(fd, "another", 7, &load) == 0);
	CHECK(rsp_close(fd) == 0);
}

/* The registrar answers for the elements of one pool with one policy. */
static void refused_registration(void)
{
	struct rsp_loadinfo load;
	int first = bound_socket();
	int second = bound_socket();

	memset(&load, 0, sizeof(load));
	load.policy = RSP_RANDOM;
	CHECK(rsp_register(first, "refusing", 8, &load) == 0);
	load.policy = RSP_ROUND_ROBIN;
	CHECK_ERROR(rsp_register(second, "refusing", 8, &load), EINVAL);
	CHECK_EXPLAINED("polic");
	CHECK(rsp_close(first) == 0);
	CHECK(rsp_close(second) == 0);
}

static void every_policy(void)
{
	static const struct rsp_loadinfo loads[] = {
	        {.policy = RSP_ROUND_ROBIN},
	        {.policy = RSP_WEIGHTED_ROUND_ROBIN, .weight = 2},
	        {.policy = RSP_RANDOM},
	        {.policy = RSP_WEIGHTED_RANDOM, .weight = 3},
	        {.policy = RSP_PRIORITY, .priority = 4},
	        {.policy = RSP_LEAST_USED, .load = 0x7fffffff},
	        {.policy = RSP_LEAST_USED_DEGRADATION, .load = 1, .degradation = 2},
	        {.policy = RSP_PRIORITY_LEAST_USED, .load = 1, .degradation = 2},
	        {.policy = RSP_RANDOMIZED_LEAST_USED, .load = 1},
	        {.policy = 0},
	};
	char pool[16];
	size_t i;

	for (i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
		int fd = bound_socket();
		int user;

		snprintf(pool, sizeof(pool), "policy-%zu", i);
		CHECK(rsp_register(fd, pool, strlen(pool), &loads[i]) == 0);
		user = connected(pool);
		CHECK(rsp_close(user) == 0);
		CHECK(rsp_close(fd) == 0);
	}
}

static void failover(void)
{
	struct echo pe[2];
	uint32_t id[2], first, second;
	int fd, gone;

	echo_start(&pe[0], "failover");
	echo_start(&pe[1], "failover");
	CHECK(rsp_getsockname(pe[0].fd, NULL, NULL, &id[0]) == 0);
	CHECK(rsp_getsockname(pe[1].fd, NULL, NULL, &id[1]) == 0);
	fd = connected("failover");
	say(fd, "before");
	expect(fd, "before");
	CHECK(rsp_getpeername(fd, NULL, NULL, &first) == 0);
	gone = first == id[1];
	echo_stop(&pe[gone]);
	say(fd, "after");
	expect(fd, "after");
	CHECK(rsp_getpeername(fd, NULL, NULL, &second) == 0);
	CHECK(second == id[!gone]);
	CHECK(rsp_close(fd) == 0);
	echo_stop(&pe[!gone]);
}

/* What was sent before rsp_close arrives. */
static void close_delivers(void)
{
	int pe = bound_socket();
	struct rsp_loadinfo load;
	char buf[64], text[16];
	int fd, i;

	memset(&load, 0, sizeof(load));
	CHECK(rsp_register(pe, "delivery", 8, &load) == 0);
	fd = connected("delivery");
	for (i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "message %d", i);
		say(fd, text);
	}
	CHECK(rsp_close(fd) == 0);
	for (i = 0; i < 100; i++) {
		ssize_t n = rsp_recvmsg(pe, buf, sizeof(buf) - 1, NULL, 0);

		CHECK(n > 0);
		buf[n] = '\0';
		snprintf(text, sizeof(text), "message %d", i);
		CHECK(strcmp(buf, text) == 0);
	}
	CHECK(rsp_close(pe) == 0);
}

/* What nobody read does not hold up the end. */
static void close_with_unread_messages(void)
{
	struct rsp_loadinfo load;
	int pe = bound_socket();
	int here, gone;

	memset(&load, 0, sizeof(load));
	CHECK(rsp_register(pe, "unread", 6, &load) == 0);
	gone = connected("unread");
	say(gone, "from one that leaves");
	here = connected("unread");
	say(here, "from one that stays");
	CHECK(events_of(pe, POLLIN, LONG) == POLLIN);
	CHECK(rsp_close(gone) == 0);
	CHECK(rsp_close(pe) == 0);
	CHECK(rsp_close(here) == 0);
}

/* An answer to a pool user that has left fails, and harms nobody else. */
static void answer_too_late(void)
{
	int pe = bound_socket();
	struct rsp_sndrcvinfo gone, here;
	struct rsp_loadinfo load;
	char buf[64];
	int fd;

	memset(&load, 0, sizeof(load));
	CHECK(rsp_register(pe, "late", 4, &load) == 0);
	fd = connected("late");
	say(fd, "going");
	CHECK(rsp_recvmsg(pe, buf, sizeof(buf), &gone, 0) == 5);
	CHECK(rsp_close(fd) == 0);
	while (rsp_sendmsg(pe, "answer", 6, gone, 0) == 6)
		usleep(1000);
	CHECK(errno == ENOTCONN);
	fd = connected("late");
	say(fd, "here");
	CHECK(rsp_recvmsg(pe, buf, sizeof(buf), &here, 0) == 4);
	CHECK(here.session != gone.session && here.pe_id == 0);
	CHECK(rsp_sendmsg(pe, "answer", 6, here, 0) == 6);
	expect(fd, "answer");
	CHECK(rsp_close(fd) == 0);
	CHECK(rsp_close(pe) == 0);
}

static void ipv6(void)
{
	struct sockaddr_in6 here;
	struct rsp_loadinfo load;
	char buf[8];
	int pe = rsp_socket(AF_INET6, SOCK_DGRAM, IPPROTO_SCTP);
	int fd = rsp_socket(AF_INET6, SOCK_DGRAM, IPPROTO_SCTP);

	memset(&load, 0, sizeof(load));
	memset(&here, 0, sizeof(here));
	here.sin6_family = AF_INET6;
	CHECK(rsp_bind(pe, (struct sockaddr *)&here, sizeof(here)) == 0);
	CHECK(rsp_register(pe, "six", 3, &load) == 0);
	CHECK(rsp_connect(fd, "six", 3) == 0);
	say(fd, "six");
	CHECK(rsp_recvmsg(pe, buf, sizeof(buf), NULL, 0) == 3);
	CHECK(rsp_close(fd) == 0);
	CHECK(rsp_close(pe) == 0);
}

static const struct check_test tests[] = {
        TEST(echo),
        TEST(message_information),
        TEST(parts_and_peek),
        TEST(parts_of_many),
        TEST(message_sizes),
        TEST(many_users),
        TEST(unknown_pool),
        TEST(binary_handle),
        TEST(longest_handle),
        TEST(registration),
        TEST(every_policy),
        TEST(refused_registration),
        TEST(failover),
        TEST(close_delivers),
        TEST(answer_too_late),
        TEST(ipv6),
        TEST(close_with_unread_messages),
};

CHECK_MAIN(tests)
