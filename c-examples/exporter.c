/* SPDX-License-Identifier: Apache-2.0
 *
 * exporter.c - "exporter 2000 1000" streams 2000 records to the pool
 * "collectors", one every 1000 microseconds, and asks at the end what has come. It
 * fails unless all records have, each once, whatever happened to the collectors.
 */
#define _XOPEN_SOURCE 700
#include "example.h"

#include <time.h>

static uint64_t number(const char *text, uint64_t otherwise)
{
	return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

static void tell(const union rsp_notification *note)
{
	if (note->type == RSP_SESSION_ADDED)
		fprintf(stderr, "served by 0x%08" PRIx32 "\n", note->session.pe_id);
	if (note->type == RSP_FAILOVER_COMPLETED)
		fprintf(stderr, "served by 0x%08" PRIx32 ", %" PRIu32 " records sent again\n", note->failover.new_pe_id,
		        note->failover.resent);
}

/* Receives; returns the length of an answer, and 0 for everything else. */
static ssize_t next(int fd, char *answer, size_t size, int flags)
{
	union {
		union rsp_notification note;
		char text[256];
	} buf;
	struct rsp_sndrcvinfo info;
	ssize_t n = rsp_recvmsg(fd, &buf, sizeof(buf), &info, flags);

	if (n == -1 && errno != EAGAIN && errno != EINTR)
		stop();
	if (n > 0 && (info.flags & RSP_MSG_NOTIFICATION) != 0)
		tell(&buf.note);
	if (n <= 0 || info.flags != RSP_MSG_EOR)
		return 0;
	snprintf(answer, size, "%.*s", (int)n, buf.text);
	return n;
}

int main(int argc, char **argv)
{
	uint64_t records = number(argc > 1 ? argv[1] : NULL, 2000), i;
	int pause = (int)number(argc > 2 ? argv[2] : NULL, 1000), fd = new_socket();
	char record[100] = "", answer[256], expected[256];

	set_option(fd, RSP_REPLAY, 1);
	set_option(fd, RSP_SNDBUF, 65536); /* the memory for what no cookie covers yet */
	set_option(fd, RSP_NOTIFICATIONS, RSP_NOTIFY_SESSIONS | RSP_NOTIFY_FAILOVER);
	if (rsp_connect(fd, "collectors", 10) == -1)
		stop();
	for (i = 0; i < records; i++) {
		struct timespec t = {.tv_nsec = (long)pause * 1000};

		memcpy(record, &i, sizeof(i));
		if (rsp_sendmsg(fd, record, sizeof(record), NULL, 0) == -1)
			stop();
		while (next(fd, answer, sizeof(answer), MSG_DONTWAIT) != 0)
			continue;
		nanosleep(&t, NULL);
	}
	if (rsp_sendmsg(fd, "end", 3, NULL, 0) == -1)
		stop();
	while (next(fd, answer, sizeof(answer), 0) == 0)
		continue;
	printf("%s\n", answer);
	rsp_close(fd);
	snprintf(expected, sizeof(expected), "%" PRIu64 " records, 0 lost, 0 repeated", records);
	return strcmp(answer, expected) != 0;
}
