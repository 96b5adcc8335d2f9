/* SPDX-License-Identifier: Apache-2.0
 *
 * transport_zmq.c - ZeroMQ, REQ and REP over TCP.
 */
#include "bench.h"

#include <zmq.h>

struct end {
	void *socket;
};

static _Noreturn void stop_zmq(const char *what)
{
	stop(what, zmq_strerror(zmq_errno()));
}

static struct end *new_end(int type)
{
	struct end *end = memory(sizeof(*end));

	end->socket = zmq_socket(zmq_ctx_new(), type);
	if (end->socket == NULL)
		stop_zmq("zmq_socket");
	return end;
}

static struct end *serve_zmq(char address[ADDRESS_SIZE])
{
	struct end *end = new_end(ZMQ_REP);
	size_t size = ADDRESS_SIZE;

	if (zmq_bind(end->socket, "tcp://127.0.0.1:*") == -1 ||
	    zmq_getsockopt(end->socket, ZMQ_LAST_ENDPOINT, address, &size) == -1)
		stop_zmq("zmq_bind");
	return end;
}

static struct end *open_zmq(const char *address)
{
	struct end *end = new_end(ZMQ_REQ);

	if (zmq_connect(end->socket, address) == -1)
		stop_zmq("zmq_connect");
	return end;
}

static void send_message(struct end *end, const void *message, size_t length)
{
	if (zmq_send(end->socket, message, length, 0) == -1)
		stop_zmq("zmq_send");
}

static size_t receive_message(struct end *end, void *message, size_t size)
{
	int n = zmq_recv(end->socket, message, size, 0);

	if (n == -1)
		stop_zmq("zmq_recv");
	return (size_t)n;
}

const struct transport transport = {
        .longest = MESSAGE_MAX,
        .alternates = 1,
        .serve = serve_zmq,
        .open = open_zmq,
        .send = send_message,
        .receive = receive_message,
};
