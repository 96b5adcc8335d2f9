/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_pe.c - the other side of bench_pu: it prints where it is, sends back what
 * it receives, or counts it, and says on demand what it has done. It ends with the
 * program that has started it.
 */
#include "bench.h"

#include <stdio.h>

int main(void)
{
	static char message[MESSAGE_MAX], address[ADDRESS_SIZE];
	struct report report = {.bytes = 0};
	struct end *end = transport.serve(address);

	printf("ready %s\n", address);
	fflush(stdout);
	for (;;) {
		size_t length = transport.receive(end, message, sizeof(message));

		switch (message[0]) {
		case COUNT:
			report.bytes += length;
			break;
		case REPORT:
			report.cpu = spent_time();
			transport.send(end, &report, sizeof(report));
			break;
		default:
			transport.send(end, message, length);
		}
	}
}
