/* SPDX-License-Identifier: Apache-2.0
 *
 * Several messages in one call. Needs a registrar.
 */
#include "support.h"

#include <arpa/inet.h>

#define MANY 300

/* Numbered messages, and room for as many. */
static struct rsp_mmsghdr *numbered(char (*texts)[16], unsigned int count)
{
	struct rsp_mmsghdr *list = calloc(count, sizeof(*list));
	unsigned int i;

	CHECK(list != NULL);
	for (i = 0; i < count; i++) {
		snprintf(texts[i], sizeof(texts[i]), "no. %u", i);
		list[i].buf = texts[i];
		list[i].len = strlen(texts[i]);
	}
	return list;
}

static struct rsp_mmsghdr *room(char (*texts)[16], unsigned int count)
{
	struct rsp_mmsghdr *list = numbered(texts, count);
	unsigned int i;

	for (i = 0; i < count; i++)
		list[i].len = sizeof(texts[i]);
	return list;
}

/* All arrive in order, and with their session each can be answered. */
static void there_and_back(void)
{
	static char out[MANY][16], in[MANY][16];
	struct rsp_mmsghdr *sent = numbered(out, MANY), *got = room(in, MANY);
	int pe = pool_element("batch"), user = connected("batch"), n;
	unsigned int i;

	CHECK(rsp_sendmmsg(user, sent, MANY, 0) == MANY);
	for (i = 0; i < MANY; i += (unsigned int)n) {
		n = rsp_recvmmsg(pe, got + i, MANY - i, 0);
		CHECK(n > 0);
	}
	for (i = 0; i < MANY; i++) {
		CHECK(got[i].received == sent[i].len && memcmp(in[i], out[i], sent[i].len) == 0);
		CHECK(got[i].info.session != 0 && got[i].info.flags == RSP_MSG_EOR);
		got[i].len = got[i].received;
	}
	CHECK_ERROR(rsp_recvmmsg(pe, got, MANY, MSG_DONTWAIT), EAGAIN);
	CHECK(rsp_sendmmsg(pe, got, MANY, MSG_NOSIGNAL) == MANY);
	for (i = 0; i < MANY; i++)
		expect(user, out[i]);
	CHECK(rsp_close(user) == 0 && rsp_close(pe) == 0);
	free(sent);
	free(got);
}

/* Without waiting as many are taken as have room; with waiting, all. */
static void no_room(void)
{
	static char block[100000];
	struct rsp_mmsghdr list[RSP_BATCH_MAX];
	int pe = pool_element("batch-full"), user = connected("batch-full"), n, size = 300000, i;
	size_t total = 0;

	CHECK(rsp_setsockopt(pe, 0, RSP_RCVBUF, &size, sizeof(size)) == 0);
	memset(list, 0, sizeof(list));
	for (i = 0; i < RSP_BATCH_MAX; i++)
		list[i] = (struct rsp_mmsghdr){.buf = block, .len = sizeof(block)};
	n = rsp_sendmmsg(user, list, RSP_BATCH_MAX, MSG_DONTWAIT);
	CHECK(n > 0 && n < RSP_BATCH_MAX);
	while (total < (size_t)n * sizeof(block)) {
		char part[5000];
		ssize_t k = rsp_recvmsg(pe, part, sizeof(part), NULL, 0);

		CHECK(k > 0);
		total += (size_t)k;
	}
	CHECK(rsp_sendmmsg(user, list, 3, 0) == 3);
	CHECK(rsp_close_session(user, 0, RSP_ABORT) == 0);
	CHECK(rsp_close(user) == 0 && rsp_close(pe) == 0);
}

/* What is before a wrong message is sent; the next call tells what is wrong. */
static void wrong_message(void)
{
	char texts[4][16];
	struct rsp_mmsghdr *list = numbered(texts, 4);
	int pe = pool_element("batch-wrong"), user = connected("batch-wrong");

	list[2].info.session = 4711;
	CHECK(rsp_sendmmsg(user, list, 4, 0) == 2);
	CHECK_ERROR(rsp_sendmmsg(user, list + 2, 2, 0), ENOTCONN);
	CHECK_EXPLAINED("rsp_sendmmsg");
	list[2].info.session = 0;
	list[2].info.ppid = 11;
	CHECK(rsp_sendmmsg(user, list, 4, 0) == 2);
	CHECK_ERROR(rsp_sendmmsg(user, list + 2, 2, 0), EINVAL);
	list[2].len = 0;
	CHECK(rsp_sendmmsg(user, list, 4, 0) == 2);
	CHECK_ERROR(rsp_sendmmsg(user, list + 2, 2, 0), EINVAL);
	list[2].buf = NULL;
	list[2].len = 3;
	CHECK_ERROR(rsp_sendmmsg(user, list + 2, 2, 0), EFAULT);
	CHECK_ERROR(rsp_sendmmsg(user, NULL, 1, 0), EFAULT);
	CHECK_ERROR(rsp_sendmmsg(user, list, 0, 0), EINVAL);
	CHECK_ERROR(rsp_sendmmsg(user, list, RSP_BATCH_MAX + 1, 0), EINVAL);
	CHECK_ERROR(rsp_sendmmsg(user, list, 1, MSG_OOB), EOPNOTSUPP);
	CHECK_ERROR(rsp_recvmmsg(user, NULL, 1, 0), EFAULT);
	CHECK_ERROR(rsp_recvmmsg(user, list, 0, 0), EINVAL);
	CHECK_ERROR(rsp_recvmmsg(user, list, 1, MSG_PEEK), EOPNOTSUPP);
	CHECK(rsp_close(user) == 0 && rsp_close(pe) == 0);
	free(list);
}

/* A part of a message, a notification and a message side by side. */
static void what_is_received(void)
{
	int pe = bound_socket(), user, bits = RSP_NOTIFY_ALL;
	union rsp_notification note;
	char texts[3][16];
	struct rsp_mmsghdr *list = room(texts, 3), first = {.buf = &note, .len = sizeof(note)};
	struct rsp_loadinfo load;

	memset(&load, 0, sizeof(load));
	CHECK(rsp_setsockopt(pe, 0, RSP_NOTIFICATIONS, &bits, sizeof(bits)) == 0);
	CHECK(rsp_register(pe, "batch-kinds", 11, &load) == 0);
	user = connected("batch-kinds");
	say(user, "a message of more than 16 bytes");
	CHECK(rsp_recvmmsg(pe, &first, 1, 0) == 1 && first.info.flags == (RSP_MSG_NOTIFICATION | RSP_MSG_EOR));
	CHECK(note.type == RSP_SESSION_ADDED);
	CHECK(rsp_recvmmsg(pe, list, 3, 0) == 2);
	CHECK(list[0].received == 16 && list[0].info.flags == 0 && list[0].info.length == 31);
	CHECK(list[1].received == 15 && list[1].info.flags == RSP_MSG_EOR);
	say(user, "a message of more than 16 bytes");
	CHECK(rsp_recvmmsg(pe, list, 3, MSG_TRUNC) == 1);
	CHECK(list[0].received == 31 && (list[0].info.flags & RSP_MSG_TRUNC) != 0);
	CHECK(rsp_close(user) == 0 && rsp_close(pe) == 0);
	free(list);
}

/* The end of an accepted session is the last of a batch. */
static void accepted_session(void)
{
	int pe = rsp_socket(AF_INET, SOCK_STREAM, 0), fd, user, n;
	char texts[8][16];
	struct rsp_mmsghdr *list = room(texts, 8), one = {.buf = texts[0], .len = 1};
	struct rsp_loadinfo load;
	struct sockaddr_in here;

	memset(&load, 0, sizeof(load));
	memset(&here, 0, sizeof(here));
	here.sin_family = AF_INET;
	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(rsp_bind(pe, (struct sockaddr *)&here, sizeof(here)) == 0 && rsp_listen(pe, 5) == 0);
	CHECK(rsp_register(pe, "batch-accept", 12, &load) == 0);
	user = connected("batch-accept");
	say(user, "hello");
	fd = rsp_accept(pe, NULL, NULL);
	CHECK(fd >= 0);
	CHECK(rsp_sendmmsg(fd, &one, 1, 0) == 1);
	one.info.session = 4711;
	CHECK_ERROR(rsp_sendmmsg(fd, &one, 1, 0), ENOTCONN);
	CHECK(rsp_recvmmsg(fd, list, 1, 0) == 1 && list[0].received == 5);
	CHECK(rsp_close(user) == 0);
	n = rsp_recvmmsg(fd, list, 8, 0);
	CHECK(n == 1 && list[0].received == 0 && list[0].info.flags == 0);
	CHECK(rsp_close(fd) == 0 && rsp_close(pe) == 0);
	free(list);
}

static const struct check_test tests[] = {
        TEST(there_and_back), TEST(no_room), TEST(wrong_message), TEST(what_is_received), TEST(accepted_session),
};

CHECK_MAIN(tests)
