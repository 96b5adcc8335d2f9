/* SPDX-License-Identifier: Apache-2.0
 *
 * transport_sctp.c - plain sockets of the kernel's SCTP, one to many (RFC 6458
 * section 3): every message names the peer that it is for.
 */
#include "bench.h"

#include <linux/sctp.h>
#include <netinet/in.h>
#include <sys/types.h>
#include <sys/uio.h>

struct end {
	int fd;
	struct sockaddr_in peer; /* of the last message, or the element */
};

static struct end *new_end(void)
{
	struct end *end = memory(sizeof(*end));
	int on = 1;

	end->fd = socket(AF_INET, SOCK_SEQPACKET | SOCK_CLOEXEC, IPPROTO_SCTP);
	if (end->fd == -1)
		stop_errno("this kernel has no SCTP; try modprobe sctp, or tests/vm/run: socket");
	if (setsockopt(end->fd, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof(on)) == -1)
		stop_errno("SCTP_NODELAY");
	return end;
}

static struct end *serve_sctp(char address[ADDRESS_SIZE])
{
	struct end *end = new_end();
	struct sockaddr_in here = loopback();

	if (bind(end->fd, (struct sockaddr *)&here, sizeof(here)) == -1 || listen(end->fd, SOMAXCONN) == -1)
		stop_errno("bind and listen");
	bound_address(end->fd, address);
	return end;
}

static struct end *open_sctp(const char *address)
{
	struct end *end = new_end();

	end->peer = read_address(address);
	if (connect(end->fd, (struct sockaddr *)&end->peer, sizeof(end->peer)) == -1)
		stop_errno("connect");
	return end;
}

static void send_message(struct end *end, const void *message, size_t length)
{
	const struct sockaddr *to = (const struct sockaddr *)&end->peer;

	if (sendto(end->fd, message, length, 0, to, sizeof(end->peer)) != (ssize_t)length)
		stop_errno("sendto");
}

/* A long message may come in parts (RFC 6458 section 4.1.8). */
static size_t receive_message(struct end *end, void *message, size_t size)
{
	size_t got = 0;
	struct iovec piece;
	struct msghdr header;

	do {
		ssize_t n;

		piece = (struct iovec){.iov_base = (char *)message + got, .iov_len = size - got};
		header = (struct msghdr){
		        .msg_name = &end->peer, .msg_namelen = sizeof(end->peer), .msg_iov = &piece, .msg_iovlen = 1};
		n = recvmsg(end->fd, &header, 0);
		if (n == -1)
			stop_errno("recvmsg");
		got += (size_t)n;
	} while ((header.msg_flags & MSG_EOR) == 0);
	return got;
}

static int descriptor_of(const struct end *end)
{
	return end->fd;
}

const struct transport transport = {
        .longest = MESSAGE_MAX,
        .wait = poll,
        .serve = serve_sctp,
        .open = open_sctp,
        .send = send_message,
        .receive = receive_message,
        .descriptor = descriptor_of,
};
