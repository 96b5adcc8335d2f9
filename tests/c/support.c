/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <arpa/inet.h>

int bound_socket(void)
{
	int fd = rsp_socket(AF_INET, SOCK_DGRAM, IPPROTO_SCTP);
	struct sockaddr_in here;

	CHECK(fd >= 0);
	memset(&here, 0, sizeof(here));
	here.sin_family = AF_INET;
	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(rsp_bind(fd, (struct sockaddr *)&here, sizeof(here)) == 0);
	return fd;
}

/* Echoes until the socket is closed. */
static void *run_echo(void *argument)
{
	struct echo *pe = argument;
	static _Thread_local char buf[1 << 20];
	struct rsp_sndrcvinfo info;

	for (;;) {
		ssize_t n = rsp_recvmsg(pe->fd, buf, sizeof(buf), &info, 0);

		if (n == -1 && errno == EBADF)
			return NULL;
		CHECK(n > 0 || errno == EINTR);
		while (n > 0 && rsp_sendmsg(pe->fd, buf, (size_t)n, info, 0) == -1)
			if (errno != EINTR) {
				CHECK(errno == ENOTCONN || errno == EBADF);
				break;
			}
	}
}

void echo_start(struct echo *pe, const char *pool)
{
	struct rsp_loadinfo info;

	memset(&info, 0, sizeof(info));
	info.policy = RSP_ROUND_ROBIN;
	pe->fd = bound_socket();
	CHECK(rsp_register(pe->fd, pool, strlen(pool), &info) == 0);
	CHECK(pthread_create(&pe->thread, NULL, run_echo, pe) == 0);
}

void echo_stop(struct echo *pe)
{
	CHECK(rsp_close(pe->fd) == 0);
	CHECK(pthread_join(pe->thread, NULL) == 0);
}

int connected(const char *pool)
{
	int fd = rsp_socket(AF_INET, SOCK_DGRAM, IPPROTO_SCTP);

	CHECK(fd >= 0);
	CHECK(rsp_connect(fd, pool, strlen(pool)) == 0);
	return fd;
}

void say(int fd, const char *text)
{
	CHECK(rsp_sendmsg(fd, text, strlen(text), NULL, 0) == (ssize_t)strlen(text));
}

void expect(int fd, const char *text)
{
	char buf[256];
	ssize_t n = rsp_recvmsg(fd, buf, sizeof(buf), NULL, 0);

	CHECK(n == (ssize_t)strlen(text));
	CHECK(memcmp(buf, text, strlen(text)) == 0);
}

int silent_peer(char address[32])
{
	const char *transport = getenv("RSERPOOL_TRANSPORT");
	struct sockaddr_in here;
	socklen_t len = sizeof(here);
	int fd = -1;

	if (transport == NULL || strcmp(transport, "userland") != 0)
		fd = socket(AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP);
	if (fd == -1)
		fd = socket(AF_INET, SOCK_DGRAM, 0);
	memset(&here, 0, sizeof(here));
	here.sin_family = AF_INET;
	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&here, sizeof(here)) == 0);
	CHECK(listen(fd, 10) == 0 || errno == EOPNOTSUPP);
	CHECK(getsockname(fd, (struct sockaddr *)&here, &len) == 0);
	snprintf(address, 32, "127.0.0.1:%d", ntohs(here.sin_port));
	return fd;
}
