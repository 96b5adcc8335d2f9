/* SPDX-License-Identifier: Apache-2.0
 *
 * What RSP_STATUS tells. Needs a registrar.
 */
#include "support.h"

#include <arpa/inet.h>

static struct rsp_status status_of(int fd, uint32_t session)
{
	struct rsp_status status;
	socklen_t len = sizeof(status);
	size_t i;

	memset(&status, 0xff, sizeof(status));
	CHECK(rsp_getsockopt(fd, session, RSP_STATUS, &status, &len) == 0 && len == sizeof(status));
	for (i = 0; i < sizeof(status.reserved) / sizeof(status.reserved[0]); i++)
		CHECK(status.reserved[i] == 0);
	return status;
}

static uint32_t id_of(int fd)
{
	uint32_t id;

	CHECK(rsp_getsockname(fd, NULL, NULL, &id) == 0);
	return id;
}

static in_port_t port_of(int fd)
{
	struct sockaddr_in here;
	socklen_t len = sizeof(here);

	CHECK(rsp_getlocaladdrs(fd, 0, (struct sockaddr *)&here, &len) == 1);
	return here.sin_port;
}

static in_port_t peer_port(const struct rsp_status *status)
{
	struct sockaddr_in peer;

	CHECK(status->peer.ss_family == AF_INET);
	memcpy(&peer, &status->peer, sizeof(peer));
	CHECK(peer.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
	return peer.sin_port;
}

/* Both ends of one session. */
static void both_ends(void)
{
	int pe = pool_element("status"), user = bound_socket(), on = 1;
	struct rsp_sndrcvinfo info;
	struct rsp_status mine, theirs;
	char buf[8];

	CHECK(rsp_connect(user, "status", 6) == 0);
	say(user, "one");
	CHECK(rsp_recvmsg(pe, buf, sizeof(buf), &info, 0) == 3);
	mine = status_of(user, 0);
	theirs = status_of(pe, info.session);
	CHECK(mine.state == RSP_STATE_ESTABLISHED && theirs.state == RSP_STATE_ESTABLISHED);
	CHECK(mine.session != 0 && theirs.session == info.session);
	CHECK(mine.transport == theirs.transport);
	CHECK(mine.transport == RSP_TRANSPORT_USERLAND || mine.transport == RSP_TRANSPORT_KERNEL);
	CHECK(mine.pe_id == id_of(pe) && theirs.pe_id == 0);
	CHECK(peer_port(&mine) == port_of(pe) && peer_port(&theirs) == port_of(user));
	CHECK(mine.peer_addrs == 1 && theirs.peer_addrs == 1 && mine.failovers == 0);
	CHECK(mine.rto >= 1000 && mine.mtu >= 500);
	if (mine.transport == RSP_TRANSPORT_USERLAND)
		CHECK(mine.rtt > 0 && mine.rtt < 60 * 1000000);

	/* Its own number is as good as 0, and what it has received is told. */
	CHECK(status_of(user, mine.session).session == mine.session);
	info.flags = 0;
	CHECK(rsp_sendmsg(pe, "answer", 6, info, 0) == 6 && rsp_sendmsg(pe, "more", 4, info, 0) == 4);
	while ((mine = status_of(user, 0)).recv_messages < 2)
		usleep(1000);
	CHECK(mine.recv_messages == 2 && mine.recv_bytes == 10);
	expect(user, "answer");
	mine = status_of(user, 0);
	CHECK(mine.recv_messages == 1 && mine.recv_bytes == 4);

	CHECK_ERROR(rsp_setsockopt(user, 0, RSP_STATUS, &on, sizeof(on)), EACCES);
	CHECK(rsp_close(user) == 0 && rsp_close(pe) == 0);
}

/* What an element does not read is queued on both sides. */
static void queues(void)
{
	static char block[50000];
	int pe = pool_element("queues"), user = connected("queues"), size = 200000;
	struct rsp_sndrcvinfo info;
	struct rsp_status status;
	uint64_t sent = 0, limit = 64 << 20;
	char buf[8];

	CHECK(rsp_setsockopt(pe, 0, RSP_RCVBUF, &size, sizeof(size)) == 0);
	say(user, "first");
	CHECK(rsp_recvmsg(pe, buf, sizeof(buf), &info, 0) == 5);
	while (sent < limit && rsp_sendmsg(user, block, sizeof(block), NULL, MSG_DONTWAIT) > 0)
		sent += sizeof(block);
	status = status_of(user, 0);
	CHECK(sent > 0 && status.send_messages > 0 && status.send_bytes >= sizeof(block));
	if (status.transport == RSP_TRANSPORT_USERLAND)
		CHECK(status.send_bytes <= sent && status.send_messages <= sent / sizeof(block));
	while ((status = status_of(pe, info.session)).recv_bytes < sizeof(block))
		usleep(1000);
	CHECK(status.recv_bytes <= sent);
	CHECK(rsp_close_session(user, 0, RSP_ABORT) == 0);
	CHECK(rsp_close(user) == 0 && rsp_close(pe) == 0);
}

/* Failovers are counted, and the session keeps its number. */
static void moved(void)
{
	int first = pool_element("moved"), second, user = connected("moved");
	struct rsp_status status, before = status_of(user, 0);
	struct rsp_sndrcvinfo info;
	char buf[8];

	CHECK(before.pe_id == id_of(first));
	second = pool_element("moved");
	say(user, "hello");
	CHECK(rsp_recvmsg(first, buf, sizeof(buf), NULL, 0) == 5);
	CHECK(rsp_close(first) == 0);
	say(user, "again");
	CHECK(rsp_recvmsg(second, buf, sizeof(buf), &info, 0) == 5);
	status = status_of(user, 0);
	CHECK(status.state == RSP_STATE_ESTABLISHED && status.failovers == 1 && status.session == before.session);
	CHECK(status.pe_id == id_of(second) && peer_port(&status) == port_of(second));

	/* With no element left it has no peer. */
	CHECK(rsp_close(second) == 0);
	while ((status = status_of(user, 0)).state != RSP_STATE_MOVING)
		usleep(1000);
	CHECK(status.peer.ss_family == AF_UNSPEC && status.peer_addrs == 0 && status.rtt == 0);
	CHECK(rsp_close(user) == 0);
}

static void wrong_arguments(void)
{
	int fd = bound_socket();
	struct rsp_status status;
	socklen_t len = sizeof(status);

	CHECK_ERROR(rsp_getsockopt(fd, 0, RSP_STATUS, &status, &len), ENOTCONN);
	CHECK_ERROR(rsp_getsockopt(fd, 99, RSP_STATUS, &status, &len), ENOTCONN);
	len--;
	CHECK_ERROR(rsp_getsockopt(fd, 0, RSP_STATUS, &status, &len), EINVAL);
	CHECK_EXPLAINED("rsp_status");
	CHECK_ERROR(rsp_getsockopt(fd, 0, RSP_STATUS, NULL, &len), EFAULT);
	CHECK(rsp_close(fd) == 0);
}

static const struct check_test tests[] = {
        TEST(both_ends),
        TEST(queues),
        TEST(moved),
        TEST(wrong_arguments),
};

CHECK_MAIN(tests)
