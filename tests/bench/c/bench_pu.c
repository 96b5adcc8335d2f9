/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_pu.c - measures a conversation with bench_pe:
 *
 *   bench_pu ADDRESS roundtrip SIZE MESSAGES
 *   bench_pu ADDRESS window SIZE MESSAGES UNDER_WAY
 *   bench_pu ADDRESS oneway SIZE MESSAGES
 *   bench_pu ADDRESS crowd MESSAGES SOCKETS library|poll|epoll
 *
 * Times are in nanoseconds.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char message[MESSAGE_MAX], answer[MESSAGE_MAX];

static struct report ask_report(struct end *end)
{
	struct report report;

	message[0] = REPORT;
	transport.send(end, message, 1);
	if (transport.receive(end, &report, sizeof(report)) != sizeof(report))
		stop("the report of the element", "it has another length; are both programs of the same build?");
	return report;
}

static void send_number(struct end *end, char kind, size_t size, uint64_t number)
{
	number_message(message, kind, number);
	transport.send(end, message, size);
}

static void receive_number(struct end *end, size_t size, uint64_t number)
{
	check_number(answer, transport.receive(end, answer, sizeof(answer)), size, number);
}

/* One message under way. The first ones, until caches and buffers are warm, do not count. */
static void measure_round_trips(struct end *end, size_t size, uint64_t messages)
{
	uint64_t *times = memory(messages * sizeof(*times));
	uint64_t warm = messages / 10, i, spent = 0, begin;
	struct report before = ask_report(end), after;

	for (i = 0; i < warm + messages; i++) {
		if (i == warm) {
			before = ask_report(end);
			spent = spent_time();
		}
		begin = now();
		send_number(end, ECHO, size, i);
		receive_number(end, size, i);
		if (i >= warm)
			times[i - warm] = now() - begin;
	}
	spent = spent_time() - spent;
	after = ask_report(end);
	tell_times(times, messages);
	tell("user_cpu", (double)spent / (double)messages);
	tell("element_cpu", (double)(after.cpu - before.cpu) / (double)messages);
	free(times);
}

static void measure_window(struct end *end, size_t size, uint64_t messages, uint64_t under_way)
{
	uint64_t sent = 0, received = 0, begin = now();

	while (received < messages) {
		while (sent < messages && sent - received < under_way)
			send_number(end, ECHO, size, sent++);
		receive_number(end, size, received++);
	}
	tell("messages", (double)messages * 1e9 / (double)(now() - begin));
}

/* Messages that nobody answers. Where the transport does not hold the sender back
 * the element is asked from time to time how far it has come. */
static void measure_one_way(struct end *end, size_t size, uint64_t messages)
{
	uint64_t before = ask_report(end).bytes, under_way = 0, i, begin = now();

	for (i = 0; i < messages; i++) {
		under_way += size + MESSAGE_COST;
		if (transport.credit > 0 && under_way > transport.credit) {
			ask_report(end);
			under_way = size + MESSAGE_COST;
		}
		send_number(end, COUNT, size, i);
	}
	if (ask_report(end).bytes - before != size * messages)
		stop("one way", "the element has not counted all that was sent: some of it was lost");
	tell("bytes", (double)(size * messages) * 1e9 / (double)(now() - begin));
}

static _Noreturn void usage(void)
{
	fprintf(stderr, "usage: bench_pu ADDRESS roundtrip|window|oneway|crowd ...; see the head of bench_pu.c\n");
	exit(2);
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[2] : "";
	size_t size;

	start_patience();
	if (strcmp(what, "crowd") == 0 && argc == 6) {
		measure_crowd(argv[1], argv[5], wanted(argv[4], "not a number of sockets"),
		              wanted(argv[3], "not a number of messages"));
		return 0;
	}
	if (argc < 5)
		usage();
	size = wanted(argv[3], "not a size");
	if (size > transport.longest)
		size = transport.longest;
	if (strcmp(what, "roundtrip") == 0)
		measure_round_trips(transport.open(argv[1]), size, wanted(argv[4], "not a number of messages"));
	else if (strcmp(what, "oneway") == 0 && !transport.alternates)
		measure_one_way(transport.open(argv[1]), size, wanted(argv[4], "not a number of messages"));
	else if (strcmp(what, "window") == 0 && argc == 6 && !transport.alternates)
		measure_window(transport.open(argv[1]), size, wanted(argv[4], "not a number of messages"),
		               wanted(argv[5], "not a number of messages"));
	else
		usage();
	return 0;
}
