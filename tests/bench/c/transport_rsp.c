/* SPDX-License-Identifier: Apache-2.0
 *
 * transport_rsp.c - the library: the element of a pool of its own, and users of it.
 */
#include "bench.h"
#include "support.h"

struct end {
	int fd;
	int serves;
	struct rsp_sndrcvinfo from; /* the last message, at an element */
};

static struct end *new_end(int fd, int serves)
{
	struct end *end = memory(sizeof(*end));

	end->fd = fd;
	end->serves = serves;
	return end;
}

static struct end *serve_pool(char address[ADDRESS_SIZE])
{
	snprintf(address, ADDRESS_SIZE, "bench-%ld", (long)getpid());
	return new_end(pool_element(address), 1);
}

static struct end *open_session(const char *address)
{
	return new_end(connected(address), 0);
}

static void send_message(struct end *end, const void *message, size_t length)
{
	CHECK(rsp_sendmsg(end->fd, message, length, end->serves ? &end->from : NULL, 0) == (ssize_t)length);
}

static size_t receive_message(struct end *end, void *message, size_t size)
{
	ssize_t n = rsp_recvmsg(end->fd, message, size, end->serves ? &end->from : NULL, 0);

	CHECK(n > 0);
	return (size_t)n;
}

static int descriptor_of(const struct end *end)
{
	return end->fd;
}

const struct transport transport = {
        .longest = MESSAGE_MAX,
        .wait = rsp_poll,
        .serve = serve_pool,
        .open = open_session,
        .send = send_message,
        .receive = receive_message,
        .descriptor = descriptor_of,
};
