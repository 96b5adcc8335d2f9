/* SPDX-License-Identifier: Apache-2.0
 *
 * echo_pu.c - the echo pool user of the slides: what comes on standard input goes
 * to the pool "echo", what comes back goes to standard output.
 *
 * The lines between the two marks in main() stand as they are on the slide. They
 * leave declarations out and look at no result. Everything around them says what
 * is to happen then.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <rserpool.h>

static int fd;
static size_t len; /* what Read() has read, and the slide sends */
static int unanswered;

/* How long to wait for answers after the end of the input. */
#define PATIENCE_MS 5000

static void stop(const char *function)
{
	char why[1024];

	rsp_errmsg(-1, why, sizeof(why));
	fprintf(stderr, "echo_pu: %s\n", why[0] != '\0' ? why : function);
	exit(1);
}

static int socket_or_stop(int domain, int type, int protocol)
{
	int s = rsp_socket(domain, type, protocol);

	if (s == -1)
		stop("rsp_socket");
	return s;
}

static int connect_or_stop(int s, const char *pool, size_t size)
{
	if (rsp_connect(s, pool, size) == -1)
		stop("rsp_connect");
	return 0;
}

static int select_or_stop(int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *limit)
{
	int ready;

	do
		ready = rsp_select(n, r, w, e, limit);
	while (ready == -1 && errno == EINTR);
	if (ready == -1)
		stop("rsp_select");
	return ready;
}

static ssize_t send_or_stop(int s, const void *text, size_t size, const struct rsp_sndrcvinfo *info, int flags)
{
	ssize_t sent;

	do
		sent = rsp_sendmsg(s, text, size, info, flags);
	while (sent == -1 && errno == EINTR);
	if (sent == -1)
		stop("rsp_sendmsg");
	unanswered++;
	return sent;
}

/* The slide prints what it receives as a string: it gets an end here. It does not
 * wait, for print_rest() may have taken what rsp_select() saw. */
static ssize_t receive_text(int s, char *text, size_t size, struct rsp_sndrcvinfo *info, int flags)
{
	ssize_t received = rsp_recvmsg(s, text, size - 1, info, flags | MSG_DONTWAIT);

	text[received > 0 ? received : 0] = '\0';
	if (received == -1 && errno != EINTR && errno != EAGAIN)
		stop("rsp_recvmsg");
	if (received > 0)
		unanswered--;
	return received;
}

/* The slide leaves as soon as its input ends; answers may still be on their way. */
static void print_rest(char *text, size_t size)
{
	struct pollfd answer = {.fd = fd, .events = POLLIN};

	while (unanswered > 0 && rsp_poll(&answer, 1, PATIENCE_MS) > 0)
		if (receive_text(fd, text, size, NULL, 0) > 0)
			printf("%s", text);
	if (unanswered > 0)
		fprintf(stderr, "echo_pu: %d messages were not answered\n", unanswered);
}

/* read(2) that goes on after a signal. It leaves room for the end of the string
 * that comes back. */
static ssize_t Read(int input, char *text, size_t size)
{
	ssize_t got;

	do
		got = read(input, text, size - 1);
	while (got == -1 && errno == EINTR);
	if (got == -1) {
		perror("echo_pu: standard input");
		exit(1);
	}
	if (got == 0)
		print_rest(text, size);
	len = (size_t)got;
	return got;
}

#undef rsp_sendmsg
#define rsp_socket socket_or_stop
#define rsp_connect connect_or_stop
#define rsp_select select_or_stop
#define rsp_sendmsg send_or_stop
#define rsp_recvmsg receive_text

int main(void)
{
	static char buf[4096];
	fd_set rset;
	ssize_t n;
	int done;

	setbuf(stdout, NULL);

/* ---- the slide ---- */
fd = rsp_socket(AF_INET, SOCK_DGRAM, IPPROTO_SCTP);
rsp_connect(fd, "echo", 4);
done = 0;
FD_ZERO(&rset);
while(!done) {
    FD_SET(0, &rset);
    FD_SET(fd, &rset);
    rsp_select(fd + 1, &rset, NULL, NULL, NULL);
    if (FD_ISSET(0, &rset)) {
        n = Read(0, (void *) buf, sizeof(buf));
        if (n == 0)
            done = 1;
        else
            rsp_sendmsg(fd, (const void *) buf, len, NULL, 0);
    }
    if (FD_ISSET(fd, &rset)) {
        n = rsp_recvmsg(fd, (void *) buf, sizeof(buf), NULL, 0);
        if(n > 0)
            printf("%s", buf);
    }
}
rsp_close(fd);
/* ---- end of the slide ---- */

	return 0;
}
