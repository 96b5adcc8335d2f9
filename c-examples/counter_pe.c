/* SPDX-License-Identifier: Apache-2.0
 *
 * counter_pe.c - a stateful server: every message is a number, and the answer is
 * how many there were in the session and their sum. The state moves with the
 * cookie, so that another element counts on when this one is killed.
 */
#define _XOPEN_SOURCE 700
#include "example.h"

struct state {
	uint64_t numbers;
	int64_t sum;
};

/* The sessions that this element serves; the last ones are remembered. */
static struct {
	uint32_t session;
	struct state state;
} sessions[256];

static struct state *state_of(uint32_t session)
{
	size_t i = session % (sizeof(sessions) / sizeof(sessions[0]));

	if (sessions[i].session != session) {
		memset(&sessions[i], 0, sizeof(sessions[i]));
		sessions[i].session = session;
	}
	return &sessions[i].state;
}

int main(void)
{
	struct rsp_sndrcvinfo info;
	struct rsp_loadinfo load;
	char buf[64], text[64];
	int fd = new_socket();

	memset(&load, 0, sizeof(load));
	set_option(fd, RSP_REPLAY, 1); /* cookies say which messages they cover */
	join(fd, "counter", &load);
	for (;;) {
		ssize_t n = receive(fd, buf, sizeof(buf) - 1, &info);
		struct state *state = state_of(info.session);

		if ((info.flags & RSP_MSG_COOKIE_ECHO) != 0) {
			if (n == (ssize_t)sizeof(*state))
				memcpy(state, buf, sizeof(*state));
			continue;
		}
		buf[n] = '\0';
		state->numbers++;
		state->sum += strtoll(buf, NULL, 10);
		snprintf(text, sizeof(text), "%" PRIu64 " %" PRId64, state->numbers, state->sum);
		/* First the answer, then the state that has it behind it. A user that has
		 * gone meanwhile is no reason to stop. */
		if (rsp_sendmsg(fd, text, strlen(text), &info, 0) != -1)
			rsp_send_cookie(fd, state, sizeof(*state), info.session, 0);
	}
}
