/* SPDX-License-Identifier: Apache-2.0
 *
 * worker.c - an element of the pool "workers", which gives a new job to the one
 * that is used least. Its load is its number of sessions, which notifications
 * tell; it answers every message.
 */
#define _XOPEN_SOURCE 700
#include "example.h"

#define FULL 100 /* sessions at a load of 100 % */

int main(void)
{
	union {
		char text[1024];
		union rsp_notification note;
	} buf;
	struct rsp_sndrcvinfo info;
	struct rsp_loadinfo load;
	uint32_t sessions = 0;
	int fd = new_socket();

	memset(&load, 0, sizeof(load));
	load.policy = RSP_LEAST_USED;
	set_option(fd, RSP_NOTIFICATIONS, RSP_NOTIFY_SESSIONS);
	join(fd, "workers", &load);
	for (;;) {
		ssize_t n = receive(fd, &buf, sizeof(buf), &info);

		if ((info.flags & RSP_MSG_NOTIFICATION) == 0) {
			rsp_sendmsg(fd, &buf, (size_t)n, &info, 0);
			continue;
		}
		sessions += buf.note.type == RSP_SESSION_ADDED ? 1 : (uint32_t)-1;
		load.load = sessions < FULL ? UINT32_MAX / FULL * sessions : UINT32_MAX;
		if (rsp_setload(fd, &load) == -1)
			stop();
	}
}
