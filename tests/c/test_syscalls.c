/* SPDX-License-Identifier: Apache-2.0
 *
 * How many system calls a round trip takes: what waits, reads, and what receives, does
 * not wake anybody. Needs a registrar, and a kernel that counts for this process
 * (perf_event_open(2) with a tracepoint: root, mostly); else it is skipped.
 */
#include "support.h"

#include <linux/perf_event.h>
#include <sys/syscall.h>

/* Each end makes four changes of the signal mask, two looks at the descriptor, three at how
 * it is set, and sends, waits, and receives. What comes on top is for all threads of the core
 * together; without a thread that leads they make as many again. */
enum { SKIPPED = 77, WARM = 2000, TRIPS = 10000, MOST = 2 * 12 + 3 };

/* All system calls of this process from now on, or -1. */
static int counter_of_calls(void)
{
	static const char *const places[] = {
	        "/sys/kernel/tracing/events/raw_syscalls/sys_enter/id",
	        "/sys/kernel/debug/tracing/events/raw_syscalls/sys_enter/id",
	};
	struct perf_event_attr attributes = {.type = PERF_TYPE_TRACEPOINT, .size = sizeof(attributes), .inherit = 1};
	unsigned long long id = 0;
	size_t i;

	for (i = 0; i < sizeof(places) / sizeof(places[0]) && id == 0; i++) {
		FILE *file = fopen(places[i], "r");

		if (file == NULL)
			continue;
		if (fscanf(file, "%llu", &id) != 1)
			id = 0;
		fclose(file);
	}
	attributes.config = id;
	return id == 0 ? -1 : (int)syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static uint64_t count(int counter)
{
	uint64_t value;

	CHECK(read(counter, &value, sizeof(value)) == sizeof(value));
	return value;
}

/* The other end; in a program of its own it would be the same. */
static void *serve(void *argument)
{
	int *pe = argument, i;

	for (i = 0; i < WARM + TRIPS; i++) {
		struct rsp_sndrcvinfo info, to;
		char buf[64];

		CHECK(rsp_recvmsg(*pe, buf, sizeof(buf), &info, 0) == 4);
		memset(&to, 0, sizeof(to));
		to.session = info.session;
		CHECK(rsp_sendmsg(*pe, buf, 4, &to, 0) == 4);
	}
	return NULL;
}

int main(void)
{
	int counter = counter_of_calls(), user, pe, i;
	uint64_t before = 0;
	pthread_t thread;
	double calls;

	if (counter == -1) {
		printf("not run: system calls cannot be counted here: %s\n", strerror(errno));
		return SKIPPED;
	}
	pe = pool_element("syscalls");
	user = connected("syscalls");
	CHECK(pthread_create(&thread, NULL, serve, &pe) == 0);
	for (i = 0; i < WARM + TRIPS; i++) {
		if (i == WARM)
			before = count(counter);
		say(user, "ping");
		expect(user, "ping");
	}
	calls = (double)(count(counter) - before) / TRIPS;
	CHECK(pthread_join(thread, NULL) == 0);
	printf("system calls per round trip, both ends and all threads: %.2f\n", calls);
	CHECK(calls <= MOST);
	CHECK(rsp_close(user) == 0 && rsp_close(pe) == 0);
	return 0;
}
