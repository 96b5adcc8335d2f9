/* SPDX-License-Identifier: Apache-2.0
 *
 * message.c - sending and receiving: a try that does not wait, and poll(2) only
 * after it said EAGAIN.
 */
#define _GNU_SOURCE
#include "front.h"

#include <errno.h>
#include <string.h>

#define SEND_FLAGS (MSG_DONTWAIT | MSG_NOSIGNAL | MSG_EOR)
#define RECV_FLAGS (MSG_DONTWAIT | MSG_PEEK | MSG_TRUNC)
#define INFO_FLAGS (RSP_UNORDERED | RSP_MSG_TRUNC | RSP_MSG_NOTIFICATION | RSP_MSG_COOKIE_ECHO | RSP_MSG_EOR)

static int check_flags(struct call *call, int flags, int known)
{
	if ((flags & ~known) == 0)
		return 0;
	return fail(call->fd, EOPNOTSUPP, "%s: flags %#x are not supported", call->function,
	            (unsigned)(flags & ~known));
}

static int check_info(struct call *call, const struct rsp_sndrcvinfo *info)
{
	uint32_t rest = info->reserved16;
	size_t i;

	for (i = 0; i < sizeof(info->reserved) / sizeof(info->reserved[0]); i++)
		rest |= info->reserved[i];
	if (rest != 0)
		return fail(call->fd, EINVAL,
		            "%s: a reserved member of struct rsp_sndrcvinfo is not zero; set the whole "
		            "structure to zero before filling it",
		            call->function);
	if ((info->flags & ~INFO_FLAGS) != 0)
		return fail(call->fd, EINVAL, "%s: flags %#x in struct rsp_sndrcvinfo are unknown", call->function,
		            (unsigned)(info->flags & ~INFO_FLAGS));
	return 0;
}

int check_send(struct call *call, const void *buf, size_t len, const struct rsp_sndrcvinfo *info, int flags)
{
	if (buf == NULL && len > 0)
		return fail(call->fd, EFAULT, "%s: the buffer is NULL", call->function);
	if (len == 0)
		return fail(call->fd, EINVAL, "%s: SCTP carries no empty messages", call->function);
	if (len > INT32_MAX)
		return fail(call->fd, EMSGSIZE, "%s: no message can be %zu bytes long", call->function, len);
	if (check_flags(call, flags, SEND_FLAGS) == -1)
		return -1;
	return info != NULL ? check_info(call, info) : 0;
}

struct rspgo_msginfo sent_as(const struct rsp_sndrcvinfo *info)
{
	return (struct rspgo_msginfo){
	        .session = info->session,
	        .ppid = info->ppid,
	        .lifetime = info->lifetime,
	        .stream = info->stream,
	        .unordered = (info->flags & RSP_UNORDERED) != 0,
	};
}

/* Waits until one session has room: others may have, and then the descriptor is writable. */
static int wait_room(struct call *call, uint32_t session)
{
	int done = call->go->rspgo_room(call->ino, session, error_space());

	if (done == -ENOTSOCK)
		return (int)tried(call, 1, done);
	limit_wait(call, POLLOUT);
	return wait_outcome(call, done, NULL);
}

ssize_t send_call(struct call *call, const void *buf, size_t len, struct rspgo_msginfo *info, int flags)
{
	int waited;

	for (waited = 0;; waited = 1) {
		int64_t sent =
		        call->go->rspgo_send(call->fd, call->ino, (void *)(uintptr_t)buf, len, info, error_space());

		if (!may_wait(call, sent, flags))
			return tried(call, waited, sent);
		if (wait_room(call, info->session) == -1)
			return -1;
	}
}

ssize_t send_message(int fd, const void *buf, size_t len, const struct rsp_sndrcvinfo *info, int flags, int pieces)
{
	struct rspgo_msginfo message = {.session = 0};
	struct call call;

	if (begin_call(&call, pieces ? "rsp_sendmsgv" : "rsp_sendmsg", fd) == -1)
		return -1;
	if (check_send(&call, buf, len, info, flags) == -1)
		return end_call(&call, -1);
	if (info != NULL)
		message = sent_as(info);
	message.pieces = pieces != 0;
	return end_call(&call, send_call(&call, buf, len, &message, flags));
}

ssize_t(rsp_sendmsg)(int fd, const void *buf, size_t len, const struct rsp_sndrcvinfo *info, int flags)
{
	return send_message(fd, buf, len, info, flags, 0);
}

/* Writes what happened into the program's buffer, as far as it has room. */
static ssize_t copy_notification(void *buf, size_t len, struct rspgo_msginfo *info,
                                 const struct rspgo_notification *note)
{
	union rsp_notification out;
	size_t head;

	memset(&out, 0, sizeof(out));
	out.head.type = note->type;
	out.head.session = note->session;
	out.head.error = note->error;
	_Static_assert(sizeof(out.head.why) == sizeof(note->why), "the core writes what the program reads");
	memcpy(out.head.why, note->why, sizeof(out.head.why));
	if (note->type == RSP_FAILOVER_BEGUN || note->type == RSP_FAILOVER_COMPLETED) {
		out.failover.old_pe_id = note->old_pe_id;
		out.failover.new_pe_id = note->new_pe_id;
		out.failover.in_doubt = note->in_doubt;
		out.failover.resent = note->resent;
	} else if (note->type == RSP_SESSION_ADDED || note->type == RSP_SESSION_REMOVED) {
		out.session.pe_id = info->pe_id;
	} else if (note->type == RSP_UNDELIVERED) {
		out.undelivered.pe_id = note->old_pe_id;
		out.undelivered.length = info->length;
	}
	/* The core has put the message, if one goes with it, at the beginning. */
	info->length += sizeof(out);
	info->truncated = len < info->length;
	len = len < info->length ? len : info->length;
	head = len < sizeof(out) ? len : sizeof(out);
	if (len > head)
		memmove((char *)buf + head, buf, len - head);
	if (head > 0)
		memcpy(buf, &out, head);
	return (ssize_t)len;
}

/* MSG_TRUNC wants to know of what has no room, too. */
static ssize_t with_dropped(ssize_t received, const struct rspgo_msginfo *info, int how)
{
	return (how & RSPGO_DISCARD) != 0 ? (ssize_t)info->length : received;
}

static ssize_t receive_call(struct call *call, void *buf, size_t len, struct rspgo_msginfo *info, int how, int flags)
{
	struct rspgo_notification note;
	int waited;

	for (waited = 0;; waited = 1) {
		int64_t received = call->go->rspgo_recv(call->fd, call->ino, buf, len, info, &note, how, &call->lead,
		                                        error_space());

		if (received >= 0 && info->kind == RSPGO_NOTIFICATION)
			return with_dropped(copy_notification(buf, len, info, &note), info, how);
		if (!may_wait(call, received, flags))
			return tried(call, waited, received);
		if (wait_ready(call, POLLIN) == -1)
			return -1;
	}
}

void fill(struct rsp_sndrcvinfo *info, const struct rspgo_msginfo *message)
{
	/* The end of a session is no message, and so not the end of one. */
	int whole = message->left == 0 && (message->length > 0 || message->kind != RSPGO_MESSAGE);

	memset(info, 0, sizeof(*info));
	info->session = message->session;
	info->pe_id = message->pe_id;
	info->ppid = message->ppid;
	info->stream = message->stream;
	info->length = message->length;
	info->flags = (message->unordered ? RSP_UNORDERED : 0) | (message->truncated ? RSP_MSG_TRUNC : 0) |
	              (message->kind == RSPGO_NOTIFICATION ? RSP_MSG_NOTIFICATION : 0) |
	              (message->kind == RSPGO_COOKIE_ECHO ? RSP_MSG_COOKIE_ECHO : 0) | (whole ? RSP_MSG_EOR : 0);
}

ssize_t checked_receive(struct call *call, void *buf, size_t len, struct rspgo_msginfo *info, int how, int flags)
{
	if (buf == NULL && len > 0)
		return fail(call->fd, EFAULT, "%s: the buffer is NULL", call->function);
	if (check_flags(call, flags, RECV_FLAGS) == -1)
		return -1;
	return receive_call(call, buf, len, info, how, flags);
}

ssize_t receive_message(int fd, void *buf, size_t len, struct rsp_sndrcvinfo *info, int flags, int pieces)
{
	int how = ((flags & MSG_PEEK) != 0 ? RSPGO_PEEK : 0) | ((flags & MSG_TRUNC) != 0 ? RSPGO_DISCARD : 0) |
	          (info == NULL ? RSPGO_PLAIN : 0) | (pieces ? RSPGO_PIECES : 0) |
	          ((flags & MSG_DONTWAIT) != 0 ? RSPGO_DONTWAIT : 0);
	struct rspgo_msginfo message = {0};
	struct call call;
	ssize_t received;

	if (begin_call(&call, pieces ? "rsp_recvmsgv" : "rsp_recvmsg", fd) == -1)
		return -1;
	received = checked_receive(&call, buf, len, &message, how, flags);
	if (received != -1 && info != NULL)
		fill(info, &message);
	return end_call(&call, received);
}

ssize_t rsp_recvmsg(int fd, void *buf, size_t len, struct rsp_sndrcvinfo *info, int flags)
{
	return receive_message(fd, buf, len, info, flags, 0);
}

ssize_t rsp_rcvmsg(int fd, void *buf, size_t len, struct rsp_sndrcvinfo *info, int flags)
{
	return receive_message(fd, buf, len, info, flags, 0);
}

static int cookie_call(struct call *call, const void *cookie, size_t len, uint32_t session, int flags)
{
	int waited;

	if (cookie == NULL && len > 0)
		return fail(call->fd, EFAULT, "rsp_send_cookie: the cookie is NULL");
	if (len > RSP_COOKIE_MAX)
		return fail(call->fd, EMSGSIZE,
		            "rsp_send_cookie: a state of %zu bytes is too long; a cookie carries %d", len,
		            RSP_COOKIE_MAX);
	if (check_flags(call, flags, MSG_DONTWAIT) == -1)
		return -1;
	for (waited = 0;; waited = 1) {
		int sent = call->go->rspgo_send_cookie(call->fd, call->ino, (void *)(uintptr_t)cookie, len, session,
		                                       error_space());

		if (!may_wait(call, sent, flags))
			return (int)tried(call, waited, sent);
		if (wait_room(call, session) == -1)
			return -1;
	}
}

int rsp_send_cookie(int fd, const void *cookie, size_t len, uint32_t session, int flags)
{
	struct call call;

	if (begin_call(&call, "rsp_send_cookie", fd) == -1)
		return -1;
	return (int)end_call(&call, cookie_call(&call, cookie, len, session, flags));
}
