/* SPDX-License-Identifier: Apache-2.0
 *
 * transport_nng.c - nng, req and rep over TCP.
 */
#include "bench.h"

#include <arpa/inet.h>

#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>

struct end {
	nng_socket socket;
};

static void check(const char *what, int result)
{
	if (result != 0)
		stop(what, nng_strerror(result));
}

static struct end *serve_nng(char address[ADDRESS_SIZE])
{
	struct end *end = memory(sizeof(*end));
	nng_listener listener;
	nng_sockaddr here;

	check("nng_rep0_open", nng_rep0_open(&end->socket));
	check("nng_listen", nng_listen(end->socket, "tcp://127.0.0.1:0", &listener, 0));
	check("the address of nng", nng_listener_get_addr(listener, NNG_OPT_LOCADDR, &here));
	write_address(address, "tcp://", ntohs(here.s_in.sa_port));
	return end;
}

static struct end *open_nng(const char *address)
{
	struct end *end = memory(sizeof(*end));

	check("nng_req0_open", nng_req0_open(&end->socket));
	check("nng_dial", nng_dial(end->socket, address, NULL, 0));
	return end;
}

/* Without NNG_FLAG_ALLOC it does not write to the message. */
static void send_message(struct end *end, const void *message, size_t length)
{
	check("nng_send", nng_send(end->socket, (void *)(uintptr_t)message, length, 0));
}

static size_t receive_message(struct end *end, void *message, size_t size)
{
	check("nng_recv", nng_recv(end->socket, message, &size, 0));
	return size;
}

const struct transport transport = {
        .longest = MESSAGE_MAX,
        .alternates = 1,
        .serve = serve_nng,
        .open = open_nng,
        .send = send_message,
        .receive = receive_message,
};
