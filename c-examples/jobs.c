/* SPDX-License-Identifier: Apache-2.0
 *
 * jobs.c - "jobs 6 1500" begins six sessions with the pool "workers", one every
 * 1500 milliseconds, and shows how they are distributed. Workers report their
 * load at most once a second.
 */
#define _XOPEN_SOURCE 700
#include "example.h"

#define MOST 1000

int main(int argc, char **argv)
{
	int jobs = argc > 1 ? atoi(argv[1]) : 6, pause = argc > 2 ? atoi(argv[2]) : 1500, i, j;
	static uint32_t served[MOST];
	static int fd[MOST];

	if (jobs < 1 || jobs > MOST || pause < 0) {
		fprintf(stderr, "usage: jobs [number] [milliseconds]\n");
		return 2;
	}
	for (i = 0; i < jobs; i++) {
		struct rsp_sndrcvinfo info;
		char answer[8];

		if (i > 0)
			poll(NULL, 0, pause);
		fd[i] = new_socket();
		if (rsp_connect(fd[i], "workers", 7) == -1 || rsp_sendmsg(fd[i], "job", 3, NULL, 0) == -1)
			stop();
		receive(fd[i], answer, sizeof(answer), &info);
		served[i] = info.pe_id;
	}
	for (i = 0; i < jobs; i++) {
		int count = 0, before = 0;

		for (j = 0; j < jobs; j++) {
			count += served[j] == served[i];
			before += j < i && served[j] == served[i];
		}
		if (before == 0)
			printf("0x%08" PRIx32 " has %d\n", served[i], count);
		rsp_close(fd[i]);
	}
	return 0;
}
