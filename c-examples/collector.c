/* SPDX-License-Identifier: Apache-2.0
 *
 * collector.c - an element of the pool "collectors", which takes numbered
 * records, as an IPFIX collector does. What it knows of a session moves with the
 * cookie, which it leaves after every 50 records. Asked with "end", it says what
 * has come.
 */
#define _XOPEN_SOURCE 700
#include "example.h"

#define COOKIE_EVERY 50

struct state {
	uint64_t records, lost, repeated;
};

/* One exporter at a time. */
static struct state state;
static uint32_t session;

static void take(uint64_t number)
{
	if (number < state.records) {
		state.repeated++;
		return;
	}
	state.lost += number - state.records;
	state.records = number + 1;
}

int main(void)
{
	struct rsp_sndrcvinfo info;
	struct rsp_loadinfo load;
	char buf[1500], text[100];
	uint64_t number;
	int fd = new_socket();

	memset(&load, 0, sizeof(load));
	set_option(fd, RSP_REPLAY, 1);
	join(fd, "collectors", &load);
	for (;;) {
		ssize_t n = receive(fd, buf, sizeof(buf), &info);

		if (info.session != session)
			memset(&state, 0, sizeof(state));
		session = info.session;
		if ((info.flags & RSP_MSG_COOKIE_ECHO) != 0) {
			if (n == (ssize_t)sizeof(state))
				memcpy(&state, buf, sizeof(state));
		} else if (n == 3 && memcmp(buf, "end", 3) == 0) {
			snprintf(text, sizeof(text), "%" PRIu64 " records, %" PRIu64 " lost, %" PRIu64 " repeated",
			         state.records, state.lost, state.repeated);
			rsp_sendmsg(fd, text, strlen(text), &info, 0);
		} else if (n >= (ssize_t)sizeof(number)) {
			memcpy(&number, buf, sizeof(number));
			take(number);
			if (state.records % COOKIE_EVERY == 0)
				rsp_send_cookie(fd, &state, sizeof(state), session, 0);
		}
	}
}
