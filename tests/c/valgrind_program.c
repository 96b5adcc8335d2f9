/* SPDX-License-Identifier: Apache-2.0
 *
 * valgrind_program.c - for test_valgrind.sh: with "good" it uses the library without
 * a fault of its own, with "leak" and "uninitialised" it has one, which memcheck has
 * to find. Needs a registrar.
 */
#include "support.h"

#include <arpa/inet.h>

static void hear(void *arg, int level, const char *text)
{
	*(size_t *)arg += strlen(text) + (size_t)level;
}

static void sessions(void)
{
	int all = RSP_NOTIFY_ALL, pe = bound_socket(), user = bound_socket(), i;
	struct rsp_loadinfo load;
	struct rsp_sndrcvinfo info;
	struct rsp_status status;
	socklen_t len = sizeof(status);
	struct sockaddr_in peer;
	char buf[sizeof(union rsp_notification)];
	uint32_t id;

	memset(&load, 0, sizeof(load));
	CHECK(rsp_setsockopt(pe, 0, RSP_NOTIFICATIONS, &all, sizeof(all)) == 0);
	CHECK(rsp_register(pe, "valgrind", 8, &load) == 0);
	CHECK(rsp_connect(user, "valgrind", 8) == 0);
	for (i = 0; i < 20; i++) {
		struct rsp_mmsghdr two[2];

		memset(two, 0, sizeof(two));
		two[0].buf = two[1].buf = "message";
		two[0].len = two[1].len = 7;
		CHECK(rsp_sendmmsg(user, two, 2, 0) == 2);
		do
			CHECK(rsp_recvmsg(pe, buf, sizeof(buf), &info, 0) > 0);
		while ((info.flags & RSP_MSG_NOTIFICATION) != 0);
		CHECK(memcmp(buf, "message", 7) == 0);
		CHECK(rsp_sendmsg(pe, buf, 7, info, 0) == 7 && rsp_send_cookie(pe, "state", 5, info.session, 0) == 0);
		expect(user, "message");
	}
	CHECK(rsp_getsockopt(user, 0, RSP_STATUS, &status, &len) == 0 && status.state == RSP_STATE_ESTABLISHED);
	len = sizeof(peer);
	CHECK(rsp_getpeeraddrs(pe, info.session, (struct sockaddr *)&peer, &len) == 1 && peer.sin_port != 0);
	CHECK(rsp_getpeername(user, NULL, NULL, &id) == 0 && id != 0);
	CHECK_ERROR(rsp_connect(user, "valgrind", 8), EISCONN);
	CHECK(rsp_close_session(user, 0, RSP_ABORT) == 0);
	CHECK(rsp_close(user) == 0 && rsp_close(pe) == 0);
}

static struct rsp_addrinfo *basic_mode(void)
{
	struct rsp_addrinfo where, *list;
	struct rsp_loadinfo load;
	struct sockaddr_in at;
	uint32_t id;

	memset(&where, 0, sizeof(where));
	memset(&load, 0, sizeof(load));
	memset(&at, 0, sizeof(at));
	at.sin_family = AF_INET;
	at.sin_port = htons(4711);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	where.ai_protocol = IPPROTO_TCP;
	where.ai_addrlen = sizeof(at);
	where.ai_addr = (struct sockaddr *)&at;
	CHECK(rsp_pe_registration("valgrind-basic", 14, &where, &load, &id) == 0);
	CHECK(rsp_getaddrinfo("valgrind-basic", 14, NULL, &list) == 0 && list->ai_pe_id == id);
	CHECK(rsp_pe_deregistration("valgrind-basic", 14, id) == 0);
	return list;
}

/* The compiler is not to see the fault. */
static void *(*volatile allocate)(size_t) = malloc;

int main(int argc, char **argv)
{
	const char *fault = argc > 1 ? argv[1] : "good";
	struct rsp_addrinfo *list;
	size_t heard = 0;

	CHECK(rsp_set_log(hear, &heard, RSP_LOG_DEBUG) == 0);
	sessions();
	list = basic_mode();
	CHECK(rsp_set_log(NULL, NULL, 0) == 0 && heard > 0);
	if (strcmp(fault, "leak") != 0)
		rsp_freeaddrinfo(list);
	list = NULL;
	if (strcmp(fault, "uninitialised") == 0) {
		int *value = allocate(sizeof(*value));

		if (value != NULL && *value == 4711)
			puts("by chance");
		free(value);
	}
	return 0;
}
