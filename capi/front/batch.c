/* SPDX-License-Identifier: Apache-2.0
 *
 * batch.c - several messages in one call.
 */
#define _GNU_SOURCE
#include "front.h"

#include <errno.h>

#define CHUNK 64 /* messages that the core gets at a time */

static int check_batch(struct call *call, const struct rsp_mmsghdr *msgs, unsigned int count)
{
	if (msgs == NULL)
		return fail(call->fd, EFAULT, "%s: the list of messages is NULL", call->function);
	if (count < 1 || count > RSP_BATCH_MAX)
		return fail(call->fd, EINVAL, "%s: %u messages; there can be 1 to %d", call->function, count,
		            RSP_BATCH_MAX);
	return 0;
}

/* Sends what there is room for, without waiting. Returns how many messages that
 * are; 0 when the first one has to wait, or fails. */
static unsigned int send_together(struct call *call, const struct rsp_mmsghdr *msgs, unsigned int count, int flags)
{
	struct rspgo_sending list[CHUNK];
	unsigned int n;
	int64_t sent;

	for (n = 0; n < count && n < CHUNK; n++) {
		if (check_send(call, msgs[n].buf, msgs[n].len, &msgs[n].info, flags) == -1)
			break;
		list[n] =
		        (struct rspgo_sending){.buf = msgs[n].buf, .len = msgs[n].len, .info = sent_as(&msgs[n].info)};
	}
	if (n == 0)
		return 0;
	sent = call->go->rspgo_send_batch(call->fd, call->ino, list, n, error_space());
	return sent > 0 ? (unsigned int)sent : 0;
}

/* Sends one message, waits for room if it may, and says what is wrong with it. */
static int send_alone(struct call *call, const struct rsp_mmsghdr *msg, int flags)
{
	struct rspgo_msginfo info;

	if (check_send(call, msg->buf, msg->len, &msg->info, flags) == -1)
		return -1;
	info = sent_as(&msg->info);
	info.batch = 1;
	return send_call(call, msg->buf, msg->len, &info, flags) == -1 ? -1 : 0;
}

static int send_all(struct call *call, const struct rsp_mmsghdr *msgs, unsigned int count, int flags)
{
	unsigned int sent = 0, more;

	if (check_batch(call, msgs, count) == -1)
		return -1;
	while (sent < count) {
		more = send_together(call, msgs + sent, count - sent, flags);
		if (more == 0) {
			if (send_alone(call, msgs + sent, flags) == -1)
				return sent > 0 ? (int)sent : -1;
			more = 1;
		}
		sent += more;
	}
	return (int)sent;
}

int rsp_sendmmsg(int fd, const struct rsp_mmsghdr *msgs, unsigned int count, int flags)
{
	struct call call;

	if (begin_call(&call, "rsp_sendmmsg", fd) == -1)
		return -1;
	return (int)end_call(&call, send_all(&call, msgs, count, flags));
}

static int check_receive_flags(struct call *call, int flags)
{
	if ((flags & ~(MSG_DONTWAIT | MSG_TRUNC)) == 0)
		return 0;
	return fail(call->fd, EOPNOTSUPP, "rsp_recvmmsg: flags %#x are not supported",
	            (unsigned)(flags & ~(MSG_DONTWAIT | MSG_TRUNC)));
}

static int receive_all(struct call *call, struct rsp_mmsghdr *msgs, unsigned int count, int flags)
{
	int how = RSPGO_BATCH | ((flags & MSG_TRUNC) != 0 ? RSPGO_DISCARD : 0);
	unsigned int got;

	if (check_batch(call, msgs, count) == -1 || check_receive_flags(call, flags) == -1)
		return -1;
	for (got = 0; got < count; got++, flags |= MSG_DONTWAIT) {
		struct rsp_mmsghdr *m = msgs + got;
		struct rspgo_msginfo info = {0};
		ssize_t n = checked_receive(call, m->buf, m->len, &info, how, flags);

		if (n == -1)
			return got > 0 ? (int)got : -1;
		m->received = (size_t)n;
		fill(&m->info, &info);
		if (info.length == 0 && (m->info.flags & RSP_MSG_EOR) == 0)
			return (int)got + 1; /* the end of the session */
	}
	return (int)got;
}

int rsp_recvmmsg(int fd, struct rsp_mmsghdr *msgs, unsigned int count, int flags)
{
	struct call call;

	if (begin_call(&call, "rsp_recvmmsg", fd) == -1)
		return -1;
	return (int)end_call(&call, receive_all(&call, msgs, count, flags));
}
