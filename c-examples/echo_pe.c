/* SPDX-License-Identifier: Apache-2.0
 *
 * echo_pe.c - the echo pool element of the slides: it joins the pool "echo" and
 * sends every message back to where it came from.
 *
 * The lines between the two marks in main() stand as they are on the slide. They
 * leave declarations out and look at no result. Everything around them says what
 * is to happen then, ends the program on SIGINT and SIGTERM, and takes another
 * port than 7 from the environment variable ECHO_PORT (0: any free one).
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rserpool.h>

static int ending[2]; /* a pipe: readable when a signal asks for the end */

static void stop(const char *function)
{
	char why[1024];

	rsp_errmsg(-1, why, sizeof(why));
	fprintf(stderr, "echo_pe: %s\n", why[0] != '\0' ? why : function);
	exit(1);
}

static int socket_or_stop(int domain, int type, int protocol)
{
	int s = rsp_socket(domain, type, protocol);

	if (s == -1)
		stop("rsp_socket");
	return s;
}

static void ask_for_the_end(int number)
{
	int before = errno;

	(void)number;
	if (write(ending[1], "", 1) == -1)
		_exit(1);
	errno = before;
}

static void catch_signals(void)
{
	struct sigaction action;

	if (pipe(ending) == -1) {
		perror("echo_pe: pipe");
		exit(1);
	}
	memset(&action, 0, sizeof(action));
	action.sa_handler = ask_for_the_end;
	action.sa_flags = SA_ONSTACK;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static void leave(int s)
{
	if (rsp_deregister(s) == -1)
		stop("rsp_deregister");
	rsp_close(s);
	exit(0);
}

static in_port_t chosen_port(in_port_t port)
{
	const char *text = getenv("ECHO_PORT");
	char *end;
	long number;

	if (text == NULL)
		return port;
	number = strtol(text, &end, 10);
	if (*text == '\0' || *end != '\0' || number < 0 || number > 65535) {
		fprintf(stderr, "echo_pe: ECHO_PORT is \"%s\", but a port is a number from 0 to 65535\n", text);
		exit(1);
	}
	return htons((in_port_t)number);
}

static int bind_or_stop(int s, const struct sockaddr *addr, socklen_t size)
{
	struct sockaddr_in chosen;

	memcpy(&chosen, addr, sizeof(chosen));
	chosen.sin_port = chosen_port(chosen.sin_port);
	if (rsp_bind(s, (const struct sockaddr *)&chosen, size) == -1)
		stop("rsp_bind");
	return 0;
}

static int register_or_stop(int s, const char *pool, size_t size, const struct rsp_loadinfo *info)
{
	if (rsp_register(s, pool, size, info) == -1)
		stop("rsp_register");
	return 0;
}

static ssize_t receive_or_leave(int s, void *data, size_t size, struct rsp_sndrcvinfo *info, int flags)
{
	struct pollfd wait[2] = {{.fd = s, .events = POLLIN}, {.fd = ending[0], .events = POLLIN}};
	ssize_t received;

	do {
		if (rsp_poll(wait, 2, -1) > 0 && wait[1].revents != 0)
			leave(s);
		received = rsp_recvmsg(s, data, size, info, flags | MSG_DONTWAIT);
	} while (received == -1 && (errno == EINTR || errno == EAGAIN));
	if (received == -1)
		stop("rsp_recvmsg");
	return received;
}

/* A session that ended before its answer is no reason to end the others. */
static ssize_t answer(int s, const void *data, ssize_t size, struct rsp_sndrcvinfo info, int flags)
{
	ssize_t sent;
	char why[1024];

	do
		sent = rsp_sendmsg(s, data, (size_t)size, info, flags);
	while (sent == -1 && errno == EINTR);
	if (sent == -1) {
		rsp_errmsg(-1, why, sizeof(why));
		fprintf(stderr, "echo_pe: %s\n", why);
	}
	return sent;
}

#undef rsp_sendmsg
#define rsp_socket socket_or_stop
#define rsp_bind bind_or_stop
#define rsp_register register_or_stop
#define rsp_recvmsg receive_or_leave
#define rsp_sendmsg answer

int main(void)
{
	static char buf[1 << 20];
	struct sockaddr_in server_addr;
	struct rsp_sndrcvinfo sinfo;
	struct rsp_loadinfo linfo;
	ssize_t len;
	int fd;

	catch_signals();

/* ---- the slide ---- */
fd = rsp_socket(AF_INET, SOCK_DGRAM, IPPROTO_SCTP);
memset(&server_addr, 0, sizeof(server_addr));
server_addr.sin_family      = AF_INET;
server_addr.sin_len         = sizeof(struct sockaddr_in);
server_addr.sin_addr.s_addr = htonl(INADDR_ANY);
server_addr.sin_port        = htons(7);
rsp_bind(fd, (const struct sockaddr *) &server_addr,
         sizeof(server_addr));
memset(&linfo, 0, sizeof(struct rsp_loadinfo));
linfo.policy = RSP_ROUND_ROBIN;
rsp_register(fd, "echo", 4, &linfo);
while (1) {
    memset(&sinfo, 0, sizeof(struct rsp_sndrcvinfo));
    len = rsp_recvmsg(fd, (void *) buf, sizeof(buf), &sinfo, 0);
    rsp_sendmsg(fd, (const void *) buf, len, sinfo, 0);
}
rsp_deregister(fd);
rsp_close(fd);
/* ---- end of the slide ---- */

	return 0;
}
