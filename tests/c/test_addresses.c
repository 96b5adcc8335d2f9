/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the two ends of a session are. Needs a registrar.
 */
#include "support.h"

#include <arpa/inet.h>

static struct sockaddr_in local_of(int fd, uint32_t session)
{
	struct sockaddr_in here;
	socklen_t len = sizeof(here);

	CHECK(rsp_getlocaladdrs(fd, session, (struct sockaddr *)&here, &len) == 1);
	CHECK(len == sizeof(here) && here.sin_family == AF_INET);
	return here;
}

static struct sockaddr_in peer_of(int fd, uint32_t session)
{
	struct sockaddr_in there;
	socklen_t len = sizeof(there);

	CHECK(rsp_getpeeraddrs(fd, session, (struct sockaddr *)&there, &len) == 1);
	CHECK(len == sizeof(there) && there.sin_family == AF_INET);
	return there;
}

static int same(struct sockaddr_in a, struct sockaddr_in b)
{
	return a.sin_port == b.sin_port && a.sin_addr.s_addr == b.sin_addr.s_addr;
}

static void registered(int fd, const char *pool)
{
	struct rsp_loadinfo load;

	memset(&load, 0, sizeof(load));
	CHECK(rsp_register(fd, pool, strlen(pool), &load) == 0);
}

/* Waits for a message, and tells whose it is. */
static uint32_t session_of_message(int fd)
{
	struct rsp_sndrcvinfo info;
	char buf[64];

	CHECK(rsp_recvmsg(fd, buf, sizeof(buf), &info, 0) > 0);
	return info.session;
}

/* Port 0 becomes one that can be told to others; before it is the wildcard. */
static void bound_port(void)
{
	int fd = rsp_socket(AF_INET, SOCK_SEQPACKET, 0);
	struct sockaddr_in here = local_of(fd, 0);

	CHECK(here.sin_port == 0 && here.sin_addr.s_addr == htonl(INADDR_ANY));
	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(rsp_bind(fd, (struct sockaddr *)&here, sizeof(here)) == 0);
	here = local_of(fd, 0);
	CHECK(here.sin_port != 0 && here.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
	CHECK(rsp_close(fd) == 0);

	/* Nobody else is there now. */
	fd = rsp_socket(AF_INET, SOCK_SEQPACKET, 0);
	CHECK(rsp_bind(fd, (struct sockaddr *)&here, sizeof(here)) == 0);
	CHECK(same(local_of(fd, 0), here));
	CHECK(rsp_close(fd) == 0);
}

/* Fills in 127.0.0.1, 127.0.0.2 and so on, one behind the other. */
static void loopbacks(struct sockaddr_in *here, int count, in_port_t port)
{
	int i;

	memset(here, 0, (size_t)count * sizeof(*here));
	for (i = 0; i < count; i++) {
		here[i].sin_family = AF_INET;
		here[i].sin_port = port;
		here[i].sin_addr.s_addr = htonl(INADDR_LOOPBACK + (in_addr_t)i);
	}
}

/* An element with several addresses is registered with all of them. */
static void several_addresses(void)
{
	struct sockaddr_in here[3], told[4], there[4];
	socklen_t len = sizeof(told);
	int pe = rsp_socket(AF_INET, SOCK_SEQPACKET, 0), user, i;

	loopbacks(here, 3, 0);
	CHECK(rsp_bindx(pe, (struct sockaddr *)here, 3, 0) == 0);
	CHECK(rsp_getlocaladdrs(pe, 0, (struct sockaddr *)told, &len) == 3 && len == sizeof(here));
	CHECK(told[0].sin_port != 0);
	for (i = 0; i < 3; i++) {
		here[i].sin_port = told[0].sin_port;
		CHECK(same(here[i], told[i]));
	}
	registered(pe, "addresses-several");
	user = connected("addresses-several");
	len = sizeof(there);
	CHECK(rsp_getpeeraddrs(user, 0, (struct sockaddr *)there, &len) == 3 && len == sizeof(here));
	for (i = 0; i < 9; i++)
		if (same(here[i / 3], there[i % 3]))
			there[i % 3].sin_port = 0;
	CHECK(there[0].sin_port == 0 && there[1].sin_port == 0 && there[2].sin_port == 0);
	say(user, "all of them");
	CHECK(session_of_message(pe) != 0);
	CHECK(rsp_close(user) == 0 && rsp_close(pe) == 0);
}

/* For AF_INET6 both kinds, of different lengths; they are told in one. */
static void addresses_of_both_kinds(void)
{
	struct {
		struct sockaddr_in four;
		struct sockaddr_in6 six;
		struct sockaddr_in four_again;
	} here;
	struct sockaddr_in6 told[3];
	struct sockaddr_in four[2];
	socklen_t len = sizeof(told);
	int fd = rsp_socket(AF_INET6, SOCK_SEQPACKET, 0);

	memset(&here, 0, sizeof(here));
	loopbacks(four, 2, 0);
	here.four = four[0];
	here.four_again = four[1];
	here.six.sin6_family = AF_INET6;
	here.six.sin6_addr = in6addr_loopback;
	if (rsp_bindx(fd, (struct sockaddr *)&here, 3, 0) == -1 && (errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT)) {
		printf("not run: this host has no IPv6\n");
		CHECK(rsp_close(fd) == 0);
		return;
	}
	CHECK(rsp_getlocaladdrs(fd, 0, (struct sockaddr *)told, &len) == 3 && len == sizeof(told));
	CHECK(IN6_IS_ADDR_V4MAPPED(&told[0].sin6_addr) && IN6_IS_ADDR_LOOPBACK(&told[1].sin6_addr));
	CHECK(IN6_IS_ADDR_V4MAPPED(&told[2].sin6_addr) && told[2].sin6_port == told[0].sin6_port);
	CHECK(rsp_close(fd) == 0);
}

static void wrong_addresses(void)
{
	struct sockaddr_in here[2];
	struct sockaddr_in6 six;
	int fd = rsp_socket(AF_INET, SOCK_SEQPACKET, 0);

	loopbacks(here, 2, 0);
	memset(&six, 0, sizeof(six));
	six.sin6_family = AF_INET6;
	six.sin6_addr = in6addr_loopback;
	CHECK_ERROR(rsp_bindx(fd, NULL, 1, 0), EFAULT);
	CHECK_ERROR(rsp_bindx(fd, (struct sockaddr *)here, 0, 0), EINVAL);
	CHECK_ERROR(rsp_bindx(fd, (struct sockaddr *)here, RSP_ADDRS_MAX + 1, 0), EINVAL);
	CHECK_ERROR(rsp_bindx(fd, (struct sockaddr *)here, 2, 1), EINVAL);
	CHECK_ERROR(rsp_bindx(fd, (struct sockaddr *)&six, 1, 0), EAFNOSUPPORT);
	here[1].sin_port = htons(4711);
	CHECK_ERROR(rsp_bindx(fd, (struct sockaddr *)here, 2, 0), EINVAL);
	here[1].sin_port = 0;
	here[1].sin_family = AF_UNIX;
	CHECK_ERROR(rsp_bindx(fd, (struct sockaddr *)here, 2, 0), EAFNOSUPPORT);
	here[1].sin_family = AF_INET;
	here[1].sin_addr.s_addr = htonl(0xc0000201); /* 192.0.2.1 is nobody's */
	CHECK_ERROR(rsp_bindx(fd, (struct sockaddr *)here, 2, 0), EADDRNOTAVAIL);
	CHECK(local_of(fd, 0).sin_port == 0); /* and none of them is kept */
	loopbacks(here, 2, 0);
	CHECK(rsp_bindx(fd, (struct sockaddr *)here, 2, 0) == 0);
	CHECK_ERROR(rsp_bindx(fd, (struct sockaddr *)here, 2, 0), EINVAL);
	CHECK_ERROR(rsp_bind(fd, (struct sockaddr *)here, sizeof(here[0])), EINVAL);
	CHECK(rsp_close(fd) == 0);
}

/* An element that has all sessions in one descriptor tells them apart by address. */
static void pool_users_of_an_element(void)
{
	int pe = bound_socket(), user[2], i;
	uint32_t session[2];
	struct sockaddr_in there;

	registered(pe, "addresses");
	for (i = 0; i < 2; i++) {
		user[i] = bound_socket();
		CHECK(rsp_connect(user[i], "addresses", 9) == 0);
		say(user[i], "here");
		session[i] = session_of_message(pe);
	}
	for (i = 0; i < 2; i++) {
		CHECK(same(peer_of(pe, session[i]), local_of(user[i], 0)));
		CHECK(same(local_of(pe, session[i]), local_of(pe, 0)));
		CHECK(same(peer_of(user[i], 0), local_of(pe, 0)));
	}
	there = peer_of(pe, session[0]);
	CHECK(there.sin_port != peer_of(pe, session[1]).sin_port);
	CHECK(rsp_close(user[0]) == 0);
	CHECK_ERROR(rsp_getpeeraddrs(user[0], 0, NULL, NULL), EBADF);
	CHECK(rsp_close(user[1]) == 0);
	CHECK(rsp_close(pe) == 0);
}

/* Addresses are written whole or not at all, and counted in any case. */
static void too_little_room(void)
{
	struct sockaddr_in here;
	unsigned char before[sizeof(here)];
	int fd = bound_socket();
	socklen_t len = 0;

	CHECK(rsp_getlocaladdrs(fd, 0, NULL, &len) == 1 && len == sizeof(here));
	memset(&here, 0x5a, sizeof(here));
	memcpy(before, &here, sizeof(here));
	len = sizeof(here) - 1;
	CHECK(rsp_getlocaladdrs(fd, 0, (struct sockaddr *)&here, &len) == 1 && len == sizeof(here));
	CHECK(memcmp(&here, before, sizeof(here)) == 0);
	CHECK(rsp_close(fd) == 0);
}

/* The session of a descriptor from rsp_accept() needs no number. */
static void accepted_session(void)
{
	int pe = rsp_socket(AF_INET, SOCK_STREAM, 0), fd, user;
	struct sockaddr_in here = local_of(pe, 0);

	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(rsp_bind(pe, (struct sockaddr *)&here, sizeof(here)) == 0 && rsp_listen(pe, 1) == 0);
	registered(pe, "addresses-accepted");
	user = bound_socket();
	CHECK(rsp_connect(user, "addresses-accepted", 18) == 0);
	say(user, "here");
	fd = rsp_accept(pe, NULL, NULL);
	CHECK(fd >= 0);
	CHECK(same(peer_of(fd, 0), local_of(user, 0)) && same(local_of(fd, 0), local_of(pe, 0)));
	CHECK_ERROR(rsp_getpeeraddrs(fd, 999, NULL, &(socklen_t){0}), ENOTCONN);
	CHECK(rsp_close(fd) == 0 && rsp_close(pe) == 0 && rsp_close(user) == 0);
}

/* A socket for both families gives one kind of structure. */
static void both_families(void)
{
	int pe = bound_socket(), fd = rsp_socket(AF_INET6, SOCK_SEQPACKET, 0);
	struct sockaddr_in6 there;
	socklen_t len = sizeof(there);

	registered(pe, "addresses-six");
	CHECK(rsp_connect(fd, "addresses-six", 13) == 0);
	CHECK(rsp_getpeeraddrs(fd, 0, (struct sockaddr *)&there, &len) == 1);
	CHECK(len == sizeof(there) && there.sin6_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&there.sin6_addr));
	CHECK(there.sin6_port == local_of(pe, 0).sin_port);
	CHECK(rsp_close(fd) == 0 && rsp_close(pe) == 0);
}

static void what_is_not_there(void)
{
	int fd = bound_socket();
	struct sockaddr_in there;
	socklen_t len = sizeof(there);

	CHECK_ERROR(rsp_getpeeraddrs(fd, 0, (struct sockaddr *)&there, &len), ENOTCONN);
	CHECK_ERROR(rsp_getpeeraddrs(fd, 7, (struct sockaddr *)&there, &len), ENOTCONN);
	CHECK_ERROR(rsp_getlocaladdrs(fd, 7, (struct sockaddr *)&there, &len), ENOTCONN);
	CHECK(len == sizeof(there));
	CHECK_ERROR(rsp_getpeeraddrs(fd, 0, (struct sockaddr *)&there, NULL), EFAULT);
	CHECK_ERROR(rsp_getlocaladdrs(fd, 0, NULL, &len), EFAULT);
	CHECK(rsp_close(fd) == 0);
}

static const struct check_test tests[] = {
        TEST(bound_port),      TEST(pool_users_of_an_element), TEST(too_little_room),   TEST(accepted_session),
        TEST(both_families),   TEST(what_is_not_there),        TEST(several_addresses), TEST(addresses_of_both_kinds),
        TEST(wrong_addresses),
};

CHECK_MAIN(tests)
