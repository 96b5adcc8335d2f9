/* SPDX-License-Identifier: Apache-2.0
 *
 * counter_pu.c - sends the numbers of the standard input to the pool "counter"
 * and prints the sum after each. It does not notice which element counts.
 */
#define _XOPEN_SOURCE 700
#include "example.h"

int main(void)
{
	char line[64], answer[64];
	struct rsp_sndrcvinfo info;
	uint64_t sent = 0, counted;
	uint32_t server = 0;
	int fd = new_socket();
	int64_t sum;

	set_option(fd, RSP_REPLAY, 1); /* keep what no cookie covers, and send it again */
	if (rsp_connect(fd, "counter", 7) == -1)
		stop();
	while (fgets(line, sizeof(line), stdin) != NULL) {
		if (rsp_sendmsg(fd, line, strlen(line), NULL, 0) == -1)
			stop();
		sent++;
		do { /* after a failover an answer may come twice */
			ssize_t n = receive(fd, answer, sizeof(answer) - 1, &info);

			answer[n] = '\0';
			if (sscanf(answer, "%" SCNu64 " %" SCNd64, &counted, &sum) != 2)
				counted = 0;
		} while (counted < sent);
		printf("%" PRId64 "\n", sum);
		if (info.pe_id != server)
			fprintf(stderr, "served by 0x%08" PRIx32 "\n", info.pe_id);
		server = info.pe_id;
	}
	return rsp_close(fd) == -1;
}
