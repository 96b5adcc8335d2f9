/* SPDX-License-Identifier: Apache-2.0
 *
 * Packets leave with the codepoint that RSP_DSCP says. A UDP socket stands for the
 * registrar, and looks at what comes.
 */
#include "support.h"

#include <arpa/inet.h>

/* The codepoint of the next packet. */
static int next_class(int udp)
{
	char buf[2048], control[256];
	struct iovec piece = {.iov_base = buf, .iov_len = sizeof(buf)};
	struct msghdr message = {
	        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	struct cmsghdr *c;

	CHECK(events_of(udp, POLLIN, LONG) == POLLIN && recvmsg(udp, &message, 0) > 0);
	c = CMSG_FIRSTHDR(&message);
	CHECK(c != NULL && c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS);
	return *CMSG_DATA(c) >> 2;
}

static int udp_registrar(void)
{
	char name[32];
	int fd, on = 1;

	setenv("RSERPOOL_TRANSPORT", "userland", 1);
	fd = silent_peer(name);
	CHECK(setsockopt(fd, IPPROTO_IP, IP_RECVTOS, &on, sizeof(on)) == 0);
	setenv("RSERPOOL_REGISTRARS", name, 1);
	return fd;
}

static void on_the_wire(void)
{
	static const int classes[] = {0, 46, 10, 63};
	size_t i;

	for (i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		int udp = udp_registrar(), fd = rsp_socket(AF_INET, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);

		CHECK(rsp_setsockopt(fd, 0, RSP_DSCP, &classes[i], sizeof(int)) == 0);
		CHECK(rsp_connect(fd, "nobody", 6) == -1 && errno == EINPROGRESS);
		CHECK(next_class(udp) == classes[i]);
		CHECK(rsp_close(fd) == 0);
		close(udp);
	}
}

/* Of a socket that has its address already. */
static void bound_before(void)
{
	int udp = udp_registrar(), fd = bound_socket(), class = 34;

	CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
	CHECK(rsp_setsockopt(fd, 0, RSP_DSCP, &class, sizeof(class)) == 0);
	CHECK(rsp_connect(fd, "nobody", 6) == -1 && errno == EINPROGRESS);
	CHECK(next_class(udp) == class);
	CHECK(rsp_close(fd) == 0);
	close(udp);
}

static const struct check_test tests[] = {
        TEST(on_the_wire),
        TEST(bound_before),
};

CHECK_MAIN(tests)
