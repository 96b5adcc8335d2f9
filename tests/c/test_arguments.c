/* SPDX-License-Identifier: Apache-2.0
 *
 * Bad input gets the error of the socket call, and a sentence.
 */
#include "support.h"

static int fresh(void)
{
	int fd = rsp_socket(AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP);

	CHECK(fd >= 0);
	return fd;
}

static void socket_kinds(void)
{
	static const int domains[] = {AF_INET, AF_INET6};
	static const int types[] = {SOCK_DGRAM, SOCK_SEQPACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK};
	static const int protocols[] = {IPPROTO_SCTP, 0};
	size_t d, t, p;

	for (d = 0; d < 2; d++)
		for (t = 0; t < 3; t++)
			for (p = 0; p < 2; p++) {
				int fd = rsp_socket(domains[d], types[t], protocols[p]);

				CHECK(fd >= 0);
				CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
				CHECK(((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0) == (t == 2));
				CHECK(rsp_close(fd) == 0);
			}
	CHECK_ERROR(rsp_socket(AF_UNIX, SOCK_DGRAM, IPPROTO_SCTP), EAFNOSUPPORT);
	CHECK_ERROR(rsp_socket(-1, SOCK_DGRAM, IPPROTO_SCTP), EAFNOSUPPORT);
	CHECK_ERROR(rsp_socket(AF_INET, SOCK_RAW, IPPROTO_SCTP), ESOCKTNOSUPPORT);
	CHECK_ERROR(rsp_socket(AF_INET, 77, IPPROTO_SCTP), ESOCKTNOSUPPORT);
	CHECK_ERROR(rsp_socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP), EPROTONOSUPPORT);
	CHECK_EXPLAINED("IPPROTO_SCTP");
}

/* Every function, on a descriptor that fails with error. */
static void every_function(int fd, int error)
{
	struct rsp_loadinfo load;
	struct sockaddr_in any;
	socklen_t none = 0;
	struct rsp_mmsghdr one = {.len = 1};
	uint32_t id;
	char buf[8];

	memset(&load, 0, sizeof(load));
	memset(&any, 0, sizeof(any));
	any.sin_family = AF_INET;
	one.buf = buf;
	CHECK_ERROR(rsp_bind(fd, (struct sockaddr *)&any, sizeof(any)), error);
	CHECK_ERROR(rsp_connect(fd, "echo", 4), error);
	CHECK_ERROR(rsp_register(fd, "echo", 4, &load), error);
	CHECK_ERROR(rsp_deregister(fd), error);
	CHECK_ERROR(rsp_sendmsg(fd, "x", 1, NULL, 0), error);
	CHECK_ERROR(rsp_recvmsg(fd, buf, sizeof(buf), NULL, 0), error);
	CHECK_ERROR(rsp_rcvmsg(fd, buf, sizeof(buf), NULL, 0), error);
	CHECK_ERROR(rsp_getsockname(fd, NULL, NULL, &id), error);
	CHECK_ERROR(rsp_getpeername(fd, NULL, NULL, &id), error);
	CHECK_ERROR(rsp_sendmmsg(fd, &one, 1, 0), error);
	CHECK_ERROR(rsp_recvmmsg(fd, &one, 1, 0), error);
	CHECK_ERROR(rsp_close_session(fd, 0, 0), error);
	CHECK_ERROR(rsp_bindx(fd, (struct sockaddr *)&any, 1, 0), error);
	CHECK_ERROR(rsp_getpeeraddrs(fd, 0, NULL, &none), error);
	CHECK_ERROR(rsp_getlocaladdrs(fd, 0, NULL, &none), error);
	CHECK_ERROR(rsp_close(fd), error);
}

static void not_ours(void)
{
	int pipes[2];
	int udp = socket(AF_INET, SOCK_DGRAM, 0);
	int closed = fresh();

	CHECK(pipe(pipes) == 0);
	CHECK(rsp_close(closed) == 0);
	every_function(-1, EBADF);
	every_function(100000, EBADF);
	every_function(closed, EBADF);
	every_function(pipes[0], ENOTSOCK);
	every_function(udp, ENOTSOCK);
	CHECK(fcntl(udp, F_GETFD) != -1); /* rsp_close left it alone */
	close(udp);
	close(pipes[0]);
	close(pipes[1]);
}

static void null_pointers(void)
{
	int fd = fresh();
	struct rsp_loadinfo load;
	size_t room = 10;

	memset(&load, 0, sizeof(load));
	CHECK_ERROR(rsp_bind(fd, NULL, sizeof(struct sockaddr_in)), EFAULT);
	CHECK_ERROR(rsp_connect(fd, NULL, 4), EFAULT);
	CHECK_ERROR(rsp_register(fd, NULL, 4, &load), EFAULT);
	CHECK_ERROR(rsp_register(fd, "echo", 4, NULL), EFAULT);
	CHECK_ERROR(rsp_sendmsg(fd, NULL, 4, NULL, 0), EFAULT);
	CHECK_ERROR(rsp_recvmsg(fd, NULL, 4, NULL, 0), EFAULT);
	CHECK_ERROR(rsp_rcvmsg(fd, NULL, 4, NULL, 0), EFAULT);
	CHECK_ERROR(rsp_getsockname(fd, NULL, &room, NULL), EFAULT);
	CHECK_ERROR(rsp_getpeername(fd, NULL, &room, NULL), EFAULT);
	CHECK_ERROR(rsp_errmsg(fd, NULL, 10), EFAULT);
	CHECK(rsp_close(fd) == 0);
}

static void pool_handles(void)
{
	static char handle[RSP_POOL_MAX + 1];
	struct rsp_loadinfo load;
	int fd = fresh();

	memset(&load, 0, sizeof(load));
	memset(handle, 'x', sizeof(handle));
	CHECK_ERROR(rsp_connect(fd, "", 0), EINVAL);
	CHECK_ERROR(rsp_connect(fd, handle, sizeof(handle)), EINVAL);
	CHECK_EXPLAINED("1 to 1024 bytes");
	CHECK_ERROR(rsp_connect(fd, handle, SIZE_MAX), EINVAL);
	CHECK_ERROR(rsp_register(fd, "", 0, &load), EINVAL);
	CHECK_ERROR(rsp_register(fd, handle, sizeof(handle), &load), EINVAL);
	CHECK_EXPLAINED("1 to 1024 bytes");
	CHECK(rsp_close(fd) == 0);
}

static void load_information(void)
{
	struct rsp_loadinfo load;
	int fd = fresh();

	memset(&load, 0, sizeof(load));
	load.policy = 99;
	CHECK_ERROR(rsp_register(fd, "echo", 4, &load), EINVAL);
	CHECK_EXPLAINED("policy 0x63 is unknown");
	load.policy = RSP_ROUND_ROBIN;
	load.reserved[8] = 1;
	CHECK_ERROR(rsp_register(fd, "echo", 4, &load), EINVAL);
	CHECK_EXPLAINED("reserved");
	load.reserved[8] = 0;
	load.life = 0x80000000U;
	CHECK_ERROR(rsp_register(fd, "echo", 4, &load), EINVAL);
	CHECK_EXPLAINED("life");
	CHECK(rsp_close(fd) == 0);
}

static void messages(void)
{
	struct rsp_sndrcvinfo info;
	char buf[8];
	int fd = fresh();

	memset(&info, 0, sizeof(info));
	CHECK_ERROR(rsp_sendmsg(fd, "x", 1, NULL, 0), ENOTCONN);
	CHECK_ERROR(rsp_sendmsg(fd, "x", 1, info, 0), ENOTCONN);
	info.session = 4711;
	CHECK_ERROR(rsp_sendmsg(fd, "x", 1, &info, 0), ENOTCONN);
	CHECK_ERROR(rsp_sendmsg(fd, "x", 0, NULL, 0), EINVAL);
	CHECK_ERROR(rsp_sendmsg(fd, buf, (size_t)-1, NULL, 0), EMSGSIZE);
	CHECK_ERROR(rsp_sendmsg(fd, "x", 1, NULL, MSG_OOB), EOPNOTSUPP);
	CHECK_ERROR(rsp_recvmsg(fd, buf, sizeof(buf), NULL, MSG_WAITALL), EOPNOTSUPP);
	info.flags = 0x40000000;
	CHECK_ERROR(rsp_sendmsg(fd, "x", 1, info, 0), EINVAL);
	info.flags = 0;
	info.reserved[0] = 1;
	CHECK_ERROR(rsp_sendmsg(fd, "x", 1, info, 0), EINVAL);
	CHECK_EXPLAINED("reserved");
	CHECK_ERROR(rsp_recvmsg(fd, buf, sizeof(buf), NULL, MSG_DONTWAIT), EAGAIN);
	CHECK_ERROR(rsp_recvmsg(fd, NULL, 0, NULL, MSG_DONTWAIT), EAGAIN);
	CHECK_ERROR(rsp_recvmsg(fd, buf, SIZE_MAX, NULL, MSG_DONTWAIT), EAGAIN);
	CHECK(rsp_close(fd) == 0);
}

static void addresses(void)
{
	struct sockaddr_in6 six;
	struct sockaddr_in four;
	int fd = fresh();
	int other;

	memset(&four, 0, sizeof(four));
	memset(&six, 0, sizeof(six));
	six.sin6_family = AF_INET6;
	CHECK_ERROR(rsp_bind(fd, (struct sockaddr *)&six, sizeof(six)), EAFNOSUPPORT);
	CHECK_ERROR(rsp_bind(fd, (struct sockaddr *)&four, sizeof(four)), EAFNOSUPPORT);
	four.sin_family = AF_INET;
	CHECK_ERROR(rsp_bind(fd, (struct sockaddr *)&four, 4), EINVAL);
	CHECK_ERROR(rsp_bind(fd, (struct sockaddr *)&four, 0), EINVAL);
	CHECK_ERROR(rsp_bind(fd, (struct sockaddr *)&four, 100000), EINVAL);
	four.sin_addr.s_addr = htonl(0xc0000201); /* 192.0.2.1 is nobody's */
	CHECK_ERROR(rsp_bind(fd, (struct sockaddr *)&four, sizeof(four)), EADDRNOTAVAIL);
	four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	four.sin_len = sizeof(struct sockaddr_in); /* the shim harms nothing */
	CHECK(rsp_bind(fd, (struct sockaddr *)&four, sizeof(four)) == 0);
	CHECK_ERROR(rsp_bind(fd, (struct sockaddr *)&four, sizeof(four)), EINVAL);
	CHECK(rsp_close(fd) == 0);
	other = rsp_socket(AF_INET6, SOCK_DGRAM, IPPROTO_SCTP);
	CHECK(rsp_bind(other, (struct sockaddr *)&six, sizeof(six)) == 0);
	CHECK(rsp_close(other) == 0);
}

static void address_in_use(void)
{
	struct sockaddr_in here;
	socklen_t len = sizeof(here);
	char address[32];
	int udp = silent_peer(address);
	int fd = fresh();

	CHECK(getsockname(udp, (struct sockaddr *)&here, &len) == 0);
	CHECK_ERROR(rsp_bind(fd, (struct sockaddr *)&here, sizeof(here)), EADDRINUSE);
	CHECK_EXPLAINED("choose another");
	CHECK(rsp_close(fd) == 0);
	close(udp);
}

static void names(void)
{
	int fd = fresh();

	CHECK_ERROR(rsp_getsockname(fd, NULL, NULL, NULL), ENOTCONN);
	CHECK_ERROR(rsp_getpeername(fd, NULL, NULL, NULL), ENOTCONN);
	CHECK_ERROR(rsp_deregister(fd), ENOTCONN);
	CHECK(rsp_close(fd) == 0);
}

static void selecting(void)
{
	struct timeval negative = {.tv_sec = -1};
	struct pollfd p = {.fd = 100000, .events = POLLIN};
	int closed = dup(0);
	fd_set set;

	CHECK(closed >= 0 && close(closed) == 0);
	FD_ZERO(&set);
	FD_SET(closed, &set);
	CHECK_ERROR(rsp_select(closed + 1, &set, NULL, NULL, NULL), EBADF);
	CHECK_ERROR(rsp_select(0, NULL, NULL, NULL, &negative), EINVAL);
	CHECK(rsp_poll(&p, 1, 0) == 1 && p.revents == POLLNVAL);
}

static void detail(void)
{
	char buf[16];
	int fd = fresh();
	int length;

	CHECK(rsp_errmsg(fd, buf, sizeof(buf)) == 0 && buf[0] == '\0');
	CHECK_ERROR(rsp_sendmsg(fd, "x", 1, NULL, 0), ENOTCONN);
	length = rsp_errmsg(fd, NULL, 0);
	CHECK(length > 15);
	CHECK(rsp_errmsg(fd, buf, sizeof(buf)) == length && strlen(buf) == sizeof(buf) - 1);
	errno = 42;
	CHECK(rsp_errmsg(-1, buf, sizeof(buf)) == length && errno == 42);
	CHECK(strncmp(buf, "rsp_sendmsg: ", 13) == 0);
	CHECK(rsp_close(fd) == 0);
	/* A descriptor that is not ours explains that. */
	CHECK(rsp_errmsg(100000, buf, sizeof(buf)) > 0);
}

static void version(void)
{
	CHECK(strcmp(rsp_version(), RSP_VERSION) == 0);
	CHECK(RSP_VERSION_NUMBER == (RSP_VERSION_MAJOR * 256 + RSP_VERSION_MINOR) * 256 + RSP_VERSION_PATCH);
	CHECK(sizeof(struct rsp_loadinfo) == 64 && sizeof(struct rsp_sndrcvinfo) == 64);
}

static const struct check_test tests[] = {
        TEST(version),          TEST(socket_kinds), TEST(not_ours),  TEST(null_pointers),
        TEST(pool_handles),     TEST(messages),     TEST(addresses), TEST(address_in_use),
        TEST(load_information), TEST(names),        TEST(selecting), TEST(detail),
};

CHECK_MAIN(tests)
