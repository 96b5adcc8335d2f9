/* SPDX-License-Identifier: Apache-2.0
 *
 * vector.c - messages that lie in several pieces of memory. The core takes and
 * gives them in one piece, so they are copied once more here.
 */
#define _GNU_SOURCE
#include "front.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* The length of all pieces; -1 with the error set. */
static ssize_t length_of(int fd, const char *function, const struct iovec *pieces, int count)
{
	size_t length = 0;
	int i;

	if (count < 0 || count > RSP_PIECES_MAX)
		return fail(fd, EINVAL, "%s: %d pieces; there can be 0 to %d", function, count, RSP_PIECES_MAX);
	if (pieces == NULL && count > 0)
		return fail(fd, EFAULT, "%s: the list of pieces is NULL", function);
	for (i = 0; i < count; i++) {
		if (pieces[i].iov_base == NULL && pieces[i].iov_len > 0)
			return fail(fd, EFAULT, "%s: piece %d is NULL", function, i);
		if (pieces[i].iov_len > (size_t)SSIZE_MAX - length)
			return fail(fd, EINVAL, "%s: the pieces are longer than the memory", function);
		length += pieces[i].iov_len;
	}
	return (ssize_t)length;
}

static void *memory(int fd, const char *function, size_t size)
{
	void *space = malloc(size > 0 ? size : 1);

	if (space == NULL)
		fail(fd, ENOMEM, "%s: there is no memory for %zu bytes", function, size);
	return space;
}

ssize_t rsp_sendmsgv(int fd, const struct iovec *pieces, int count, const struct rsp_sndrcvinfo *info, int flags)
{
	ssize_t length = length_of(fd, "rsp_sendmsgv", pieces, count), sent;
	char *message, *end;
	int i;

	if (length == -1)
		return -1;
	if (length > RSPGO_LONGEST)
		return fail(fd, EMSGSIZE, "rsp_sendmsgv: %zd bytes, at most %d are carried; send it in parts", length,
		            RSPGO_LONGEST);
	message = memory(fd, "rsp_sendmsgv", (size_t)length);
	if (message == NULL)
		return -1;
	for (end = message, i = 0; i < count; i++) {
		if (pieces[i].iov_len == 0)
			continue;
		memcpy(end, pieces[i].iov_base, pieces[i].iov_len);
		end += pieces[i].iov_len;
	}
	pthread_cleanup_push(free, message);
	sent = send_message(fd, message, (size_t)length, info, flags, 1);
	pthread_cleanup_pop(1);
	return sent;
}

ssize_t rsp_recvmsgv(int fd, const struct iovec *pieces, int count, struct rsp_sndrcvinfo *info, int flags)
{
	ssize_t room = length_of(fd, "rsp_recvmsgv", pieces, count), received;
	char *message;

	if (room == -1)
		return -1;
	room = room < RSPGO_LONGEST ? room : RSPGO_LONGEST;
	message = memory(fd, "rsp_recvmsgv", (size_t)room);
	if (message == NULL)
		return -1;
	pthread_cleanup_push(free, message);
	received = receive_message(fd, message, (size_t)room, info, flags, 1);
	if (received > 0) {
		size_t left = (size_t)(received < room ? received : room); /* MSG_TRUNC tells more */
		const char *from = message;
		int i;

		for (i = 0; left > 0; i++) {
			size_t n = left < pieces[i].iov_len ? left : pieces[i].iov_len;

			if (n > 0)
				memcpy(pieces[i].iov_base, from, n);
			from += n;
			left -= n;
		}
	}
	pthread_cleanup_pop(1);
	return received;
}
