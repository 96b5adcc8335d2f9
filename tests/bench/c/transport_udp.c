/* SPDX-License-Identifier: Apache-2.0
 *
 * transport_udp.c - plain sockets of UDP, what the same work costs at least:
 * nothing is repaired, and nobody is held back. The users' are connected.
 */
#include "bench.h"

#include <netinet/in.h>
#include <sys/types.h>

/* A default receive buffer holds somewhat more. */
enum { CREDIT = 180000, LONGEST = 65507 };

struct end {
	int fd;
	struct sockaddr_in from; /* the last message, at an element */
	socklen_t from_size;     /* 0 at a user */
};

static struct end *new_end(void)
{
	struct end *end = memory(sizeof(*end));

	end->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (end->fd == -1)
		stop_errno("socket");
	return end;
}

static struct end *serve_udp(char address[ADDRESS_SIZE])
{
	struct end *end = new_end();
	struct sockaddr_in here = loopback();

	if (bind(end->fd, (struct sockaddr *)&here, sizeof(here)) == -1)
		stop_errno("bind");
	bound_address(end->fd, address);
	end->from_size = sizeof(end->from);
	return end;
}

static struct end *open_udp(const char *address)
{
	struct end *end = new_end();
	struct sockaddr_in there = read_address(address);

	if (connect(end->fd, (struct sockaddr *)&there, sizeof(there)) == -1)
		stop_errno("connect");
	return end;
}

static void send_datagram(struct end *end, const void *message, size_t length)
{
	const struct sockaddr *to = end->from_size > 0 ? (const struct sockaddr *)&end->from : NULL;

	if (sendto(end->fd, message, length, 0, to, end->from_size) != (ssize_t)length)
		stop_errno("sendto");
}

static size_t receive_datagram(struct end *end, void *message, size_t size)
{
	struct sockaddr *from = end->from_size > 0 ? (struct sockaddr *)&end->from : NULL;
	ssize_t n = recvfrom(end->fd, message, size, 0, from, from != NULL ? &end->from_size : NULL);

	if (n == -1)
		stop_errno("recvfrom");
	return (size_t)n;
}

static int descriptor_of(const struct end *end)
{
	return end->fd;
}

const struct transport transport = {
        .longest = LONGEST,
        .credit = CREDIT,
        .wait = poll,
        .serve = serve_udp,
        .open = open_udp,
        .send = send_datagram,
        .receive = receive_datagram,
        .descriptor = descriptor_of,
};
