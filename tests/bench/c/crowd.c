/* SPDX-License-Identifier: Apache-2.0
 *
 * crowd.c - many sockets in one thread, with one message under way on each: all
 * are waited for together, in one of three ways.
 */
#include "bench.h"

#include <string.h>
#include <sys/epoll.h>

enum { SIZE = 64, EVENTS = 64 };

struct crowd {
	size_t sockets;
	struct end **ends;
	struct pollfd *fds;
	int epoll;
	uint64_t *numbers; /* of the message that is under way */
	uint64_t unsent, unanswered;
};

static void ask(struct crowd *crowd, size_t i)
{
	char message[SIZE] = {0};

	if (crowd->unsent == 0)
		return;
	crowd->unsent--;
	number_message(message, ECHO, ++crowd->numbers[i]);
	transport.send(crowd->ends[i], message, sizeof(message));
}

static void take_answer(struct crowd *crowd, size_t i)
{
	char message[SIZE];

	check_number(message, transport.receive(crowd->ends[i], message, sizeof(message)), sizeof(message),
	             crowd->numbers[i]);
	crowd->unanswered--;
	ask(crowd, i);
}

static void turn_polled(struct crowd *crowd, int (*wait)(struct pollfd *, nfds_t, int))
{
	size_t i;

	if (wait(crowd->fds, crowd->sockets, -1) == -1)
		stop_errno("waiting for sockets");
	for (i = 0; i < crowd->sockets; i++)
		if (crowd->fds[i].revents != 0)
			take_answer(crowd, i);
}

static void turn_epoll(struct crowd *crowd)
{
	struct epoll_event events[EVENTS];
	int i, ready = epoll_wait(crowd->epoll, events, EVENTS, -1);

	if (ready == -1)
		stop_errno("epoll_wait");
	for (i = 0; i < ready; i++)
		take_answer(crowd, events[i].data.u64);
}

static void open_crowd(struct crowd *crowd, const char *address)
{
	size_t i;

	crowd->ends = memory(crowd->sockets * sizeof(*crowd->ends));
	crowd->fds = memory(crowd->sockets * sizeof(*crowd->fds));
	crowd->numbers = memory(crowd->sockets * sizeof(*crowd->numbers));
	crowd->epoll = epoll_create1(EPOLL_CLOEXEC);
	for (i = 0; i < crowd->sockets; i++) {
		struct epoll_event event = {.events = EPOLLIN, .data.u64 = i};

		crowd->ends[i] = transport.open(address);
		crowd->fds[i] = (struct pollfd){.fd = transport.descriptor(crowd->ends[i]), .events = POLLIN};
		if (epoll_ctl(crowd->epoll, EPOLL_CTL_ADD, crowd->fds[i].fd, &event) == -1)
			stop_errno("epoll_ctl");
	}
}

/* Messages per second, until all are answered. */
static double exchange(struct crowd *crowd, const char *how, uint64_t messages)
{
	uint64_t begin = now();
	size_t i;

	crowd->unsent = crowd->unanswered = messages;
	for (i = 0; i < crowd->sockets; i++)
		ask(crowd, i);
	while (crowd->unanswered > 0)
		if (strcmp(how, "epoll") == 0)
			turn_epoll(crowd);
		else
			turn_polled(crowd, strcmp(how, "library") == 0 ? transport.wait : poll);
	return (double)messages * 1e9 / (double)(now() - begin);
}

void measure_crowd(const char *address, const char *how, size_t sockets, uint64_t messages)
{
	struct crowd crowd = {.sockets = sockets};

	if (transport.descriptor == NULL || (strcmp(how, "library") == 0 && transport.wait == NULL))
		stop(how, "this transport has no such way to wait for several sockets");
	open_crowd(&crowd, address);
	exchange(&crowd, how, messages / 10 + 1); /* until caches and buffers are warm */
	tell("messages", exchange(&crowd, how, messages));
}
