/* SPDX-License-Identifier: Apache-2.0
 *
 * A program of somebody else.
 */
#include <rserpool.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
	char why[512] = "";
	int fd = rsp_socket(AF_INET, SOCK_DGRAM, IPPROTO_SCTP);

	if (fd == -1) {
		rsp_errmsg(-1, why, sizeof(why));
		fprintf(stderr, "%s\n", why);
		return 1;
	}
	return rsp_close(fd) != 0 || strcmp(rsp_version(), RSP_VERSION) != 0;
}
