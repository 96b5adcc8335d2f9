/* SPDX-License-Identifier: Apache-2.0
 *
 * Options of sockets and sessions, and loads. Needs a registrar.
 */
#include "support.h"

static int get(int fd, uint32_t session, int option)
{
	int value = -99;
	socklen_t len = sizeof(value);

	CHECK(rsp_getsockopt(fd, session, option, &value, &len) == 0 && len == sizeof(value));
	return value;
}

static int set(int fd, uint32_t session, int option, int value)
{
	return rsp_setsockopt(fd, session, option, &value, sizeof(value));
}

static const struct {
	int option, initial, value, wrong;
} options[] = {
        {RSP_NOTIFICATIONS, 0, RSP_NOTIFY_ALL, 0x40},
        {RSP_FAILOVER_LIMIT, 15000, 2500, -2},
        {RSP_SNDBUF, 4 << 20, 65536, -1},
        {RSP_RCVBUF, 4 << 20, 70000, -1},
        {RSP_REPLAY, 0, 1, 2},
        {RSP_RTO_MAX, -1, 2000, 1},
        {RSP_RTO_INITIAL, -1, 700, 2001},
        {RSP_RTO_MIN, -1, 600, 701},
        {RSP_HEARTBEAT, -1, 5000, -2},
        {RSP_PATH_RETRANSMITS, -1, 7, -1},
        {RSP_ASSOC_RETRANSMITS, -1, 9, -1},
        {RSP_NODELAY, 1, 1, 2},
        {RSP_DSCP, 0, 46, 64},
        {RSP_FAILOVER_HOLD, 0, 1, 2},
        {RSP_FAIL_BACK, 0, 1, 2},
};

/* What is set is told, sessions begin with it, and nonsense is refused. */
static void every_option(void)
{
	struct rsp_sndrcvinfo info;
	int fd = rsp_socket(AF_INET, SOCK_SEQPACKET, 0), pe = bound_socket(), initial;
	struct rsp_loadinfo load;
	char buf[300];
	size_t i;

	memset(&load, 0, sizeof(load));
	CHECK(rsp_register(pe, "options", 7, &load) == 0);
	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		initial = get(fd, 0, options[i].option);
		CHECK(options[i].initial == -1 ? initial > 0 : initial == options[i].initial);
		CHECK(set(fd, 0, options[i].option, options[i].value) == 0);
		CHECK(get(fd, 0, options[i].option) == options[i].value);
		CHECK_ERROR(set(fd, 0, options[i].option, options[i].wrong), EINVAL);
		CHECK(get(fd, 0, options[i].option) == options[i].value);
	}
	CHECK(rsp_connect(fd, "options", 7) == 0);
	CHECK(rsp_recvmsg(fd, buf, sizeof(buf), &info, 0) == sizeof(union rsp_notification));
	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		CHECK(get(fd, info.session, options[i].option) == options[i].value);
	/* For the session alone; 0 is it and those to come. */
	CHECK(set(fd, info.session, RSP_SNDBUF, 100000) == 0);
	CHECK(get(fd, 0, RSP_SNDBUF) == 100000);
	CHECK(set(fd, info.session, RSP_HEARTBEAT, -1) == 0 && get(fd, info.session, RSP_HEARTBEAT) == -1);
	CHECK(get(fd, 0, RSP_SEND_LIMIT) == -1);
	CHECK_ERROR(set(fd, 0, RSP_SEND_LIMIT, -2), EINVAL);
	CHECK(set(fd, 0, RSP_SEND_LIMIT, 60000) == 0 && get(fd, info.session, RSP_SEND_LIMIT) == 60000);
	CHECK(set(fd, 0, RSP_SEND_LIMIT, 0) == 0 && get(fd, info.session, RSP_SEND_LIMIT) == -1);
	/* Sizes of buffers that are too small are raised, as SO_RCVBUF does it. */
	CHECK(set(fd, info.session, RSP_RCVBUF, 1) == 0 && get(fd, info.session, RSP_RCVBUF) == RSP_BUFFER_MIN);
	CHECK(set(fd, 0, RSP_SNDBUF, RSP_BUFFER_MIN - 1) == 0 && get(fd, 0, RSP_SNDBUF) == RSP_BUFFER_MIN);
	CHECK(set(fd, 0, RSP_FAILOVER_LIMIT, -1) == 0 && get(fd, info.session, RSP_FAILOVER_LIMIT) == -1);
	CHECK(set(fd, 0, RSP_FAILOVER_LIMIT, 0) == 0 && get(fd, info.session, RSP_FAILOVER_LIMIT) == 15000);
	CHECK_ERROR(set(fd, info.session, RSP_REPLAY, 0), EINVAL); /* too late */
	CHECK(rsp_close(fd) == 0);
	CHECK(rsp_close(pe) == 0);
}

/* A session of an element has options of its own. */
static void element_session(void)
{
	struct rsp_sndrcvinfo info;
	struct rsp_loadinfo load;
	int pe = bound_socket(), fd;
	char c;

	memset(&load, 0, sizeof(load));
	CHECK(rsp_register(pe, "options-pe", 10, &load) == 0);
	fd = connected("options-pe");
	say(fd, "x");
	CHECK(rsp_recvmsg(pe, &c, 1, &info, 0) == 1);
	CHECK(set(pe, info.session, RSP_RTO_MAX, 3000) == 0);
	CHECK(get(pe, info.session, RSP_RTO_MAX) == 3000 && get(pe, 0, RSP_RTO_MAX) != 3000);
	CHECK_ERROR(set(pe, info.session + 1, RSP_RTO_MAX, 3000), ENOTCONN);
	CHECK(rsp_close(fd) == 0);
	CHECK(rsp_close(pe) == 0);
}

/* The send buffer bounds what is kept: with replay, until a cookie covers it. */
static void replay_fills_the_buffer(void)
{
	static char block[10000];
	struct rsp_sndrcvinfo info;
	struct rsp_loadinfo load;
	int pe = bound_socket(), fd = rsp_socket(AF_INET, SOCK_DGRAM, 0), i, sent;

	memset(&load, 0, sizeof(load));
	CHECK(set(pe, 0, RSP_REPLAY, 1) == 0 && set(fd, 0, RSP_REPLAY, 1) == 0);
	CHECK(set(fd, 0, RSP_SNDBUF, 50000) == 0);
	CHECK(rsp_register(pe, "options-replay", 14, &load) == 0);
	CHECK(rsp_connect(fd, "options-replay", 14) == 0);
	for (sent = 0; sent < 5; sent++)
		CHECK(rsp_sendmsg(fd, block, sizeof(block), NULL, 0) == sizeof(block));
	CHECK_ERROR(rsp_sendmsg(fd, block, sizeof(block), NULL, MSG_DONTWAIT), EAGAIN);
	for (i = 0; i < sent; i++)
		CHECK(rsp_recvmsg(pe, block, sizeof(block), &info, 0) == sizeof(block));
	CHECK(events_of(fd, POLLOUT, 0) == 0);
	CHECK(rsp_send_cookie(pe, "five", 4, info.session, 0) == 0);
	CHECK(events_of(fd, POLLOUT, LONG) == POLLOUT);
	CHECK(rsp_sendmsg(fd, block, sizeof(block), NULL, 0) == sizeof(block));
	CHECK(rsp_close(fd) == 0);
	CHECK(rsp_close(pe) == 0);
}

static void data_only(void)
{
	struct rsp_sndrcvinfo info;
	struct rsp_loadinfo load;
	int pe = bound_socket(), fd;
	char c;

	memset(&load, 0, sizeof(load));
	CHECK(get(pe, 0, RSP_DATA_ONLY) == 0);
	CHECK_ERROR(set(pe, 0, RSP_DATA_ONLY, 5), EINVAL);
	CHECK(set(pe, 0, RSP_DATA_ONLY, 1) == 0 && get(pe, 0, RSP_DATA_ONLY) == 1);
	CHECK(rsp_register(pe, "options-data", 12, &load) == 0);
	fd = connected("options-data");
	say(fd, "x");
	CHECK(rsp_recvmsg(pe, &c, 1, &info, 0) == 1);
	CHECK_ERROR(rsp_send_cookie(pe, "state", 5, info.session, 0), EINVAL);
	CHECK(rsp_close(fd) == 0);
	CHECK(rsp_close(pe) == 0);
}

static void pool_key(void)
{
	struct rsp_loadinfo load;
	int pe = bound_socket();
	char buf[32];
	socklen_t len = sizeof(buf);

	memset(&load, 0, sizeof(load));
	CHECK_ERROR(rsp_setsockopt(pe, 0, RSP_POOL_KEY, "short", 5), EINVAL);
	CHECK(rsp_setsockopt(pe, 0, RSP_POOL_KEY, "0123456789abcdef", 16) == 0);
	CHECK_ERROR(rsp_getsockopt(pe, 0, RSP_POOL_KEY, buf, &len), EACCES);
	CHECK(rsp_register(pe, "options-key", 11, &load) == 0);
	CHECK_ERROR(rsp_setsockopt(pe, 0, RSP_POOL_KEY, "0123456789abcdef", 16), EISCONN);
	CHECK(rsp_close(pe) == 0);
}

/* RSP_ADVERTISE: a registrar that was told nothing of them refuses addresses that
 * are not the association's, and says what to do. */
static void advertise(void)
{
	struct rsp_loadinfo load;
	int pe = bound_socket();
	char why[1024];
	socklen_t len = sizeof(why);

	memset(&load, 0, sizeof(load));
	CHECK_ERROR(rsp_setsockopt(pe, 0, RSP_ADVERTISE, "192.0.2.7:5000", 14), EINVAL);
	CHECK_ERROR(rsp_setsockopt(pe, 0, RSP_ADVERTISE, "0.0.0.0", 7), EINVAL);
	CHECK_ERROR(rsp_setsockopt(pe, 1, RSP_ADVERTISE, "192.0.2.7", 9), ENOPROTOOPT);
	CHECK_ERROR(rsp_getsockopt(pe, 0, RSP_ADVERTISE, why, &len), EACCES);
	CHECK(rsp_setsockopt(pe, 0, RSP_ADVERTISE, "192.0.2.7,2001:db8::7", 21) == 0);
	CHECK(rsp_register(pe, "options-advertise", 17, &load) == -1);
	rsp_errmsg(pe, why, sizeof(why));
	CHECK(strstr(why, "--accept") != NULL);
	CHECK(rsp_setsockopt(pe, 0, RSP_ADVERTISE, "", 0) == 0);
	CHECK(rsp_register(pe, "options-advertise", 17, &load) == 0);
	CHECK(rsp_close(pe) == 0);
}

static void wrong_use(void)
{
	int fd = rsp_socket(AF_INET, SOCK_DGRAM, 0), value = 1;
	socklen_t len = 3;

	CHECK_ERROR(set(fd, 0, 0, 1), ENOPROTOOPT);
	CHECK_ERROR(set(fd, 0, 1000, 1), ENOPROTOOPT);
	CHECK_ERROR(set(fd, 1, RSP_DATA_ONLY, 1), ENOPROTOOPT);
	CHECK_ERROR(set(fd, 1, RSP_POOL_KEY, 1), ENOPROTOOPT);
	CHECK_ERROR(set(fd, 1, RSP_SNDBUF, 1), ENOTCONN);
	CHECK_ERROR(set(-1, 0, RSP_SNDBUF, 1), EBADF);
	CHECK_ERROR(set(0, 0, RSP_SNDBUF, 1), ENOTSOCK);
	CHECK_ERROR(rsp_setsockopt(fd, 0, RSP_SNDBUF, &value, 3), EINVAL);
	CHECK_ERROR(rsp_setsockopt(fd, 0, RSP_SNDBUF, NULL, sizeof(value)), EFAULT);
	CHECK_ERROR(rsp_getsockopt(fd, 0, RSP_SNDBUF, &value, &len), EINVAL);
	CHECK_ERROR(rsp_getsockopt(fd, 0, RSP_SNDBUF, NULL, &len), EFAULT);
	CHECK_ERROR(rsp_getsockopt(fd, 0, RSP_SNDBUF, &value, NULL), EFAULT);
	len = sizeof(value);
	CHECK_ERROR(rsp_getsockopt(fd, 0, 77, &value, &len), ENOPROTOOPT);
	CHECK_ERROR(rsp_getsockopt(fd, 5, RSP_SNDBUF, &value, &len), ENOTCONN);
	CHECK(rsp_close(fd) == 0);
}

/* The element that says it is busy gets no session. */
static void set_load(void)
{
	struct rsp_loadinfo load;
	struct echo pe[2];
	uint32_t id[2], served;
	int i, fd, tries;

	memset(&load, 0, sizeof(load));
	load.policy = RSP_LEAST_USED;
	for (i = 0; i < 2; i++) {
		pe[i].fd = bound_socket();
		CHECK_ERROR(rsp_setload(pe[i].fd, &load), ENOTCONN);
		load.load = i == 0 ? 100 : 200;
		CHECK(rsp_register(pe[i].fd, "options-load", 12, &load) == 0);
		CHECK(rsp_getsockname(pe[i].fd, NULL, NULL, &id[i]) == 0);
	}
	fd = connected("options-load");
	CHECK(rsp_getpeername(fd, NULL, NULL, &served) == 0 && served == id[0]);
	CHECK(rsp_close(fd) == 0);
	load.load = 300;
	CHECK(rsp_setload(pe[0].fd, &load) == 0);
	for (tries = 0, served = id[0]; served != id[1]; tries++) {
		CHECK(tries < 200);
		usleep(50000);
		fd = connected("options-load");
		CHECK(rsp_getpeername(fd, NULL, NULL, &served) == 0);
		CHECK(rsp_close(fd) == 0);
	}
	load.weight = 1;
	CHECK_ERROR(rsp_setload(pe[0].fd, &load), EINVAL);
	load.weight = 0;
	load.pe_id = id[1];
	CHECK_ERROR(rsp_setload(pe[0].fd, &load), EINVAL);
	load.pe_id = 0;
	load.life = 7;
	CHECK_ERROR(rsp_setload(pe[0].fd, &load), EINVAL);
	load.life = 0;
	load.policy = RSP_RANDOMIZED_LEAST_USED;
	CHECK_ERROR(rsp_setload(pe[0].fd, &load), EINVAL);
	CHECK_ERROR(rsp_setload(pe[0].fd, NULL), EFAULT);
	CHECK_ERROR(rsp_setload(-1, &load), EBADF);
	for (i = 0; i < 2; i++)
		CHECK(rsp_close(pe[i].fd) == 0);
}

/* RSP_LOAD_INTERVAL: how often the registrar is told. */
static void load_interval(void)
{
	int fd = bound_socket(), other = bound_socket(), value = 250, i, told = 0;
	socklen_t len = sizeof(value);
	struct rsp_loadinfo load;
	uint32_t id, served;

	CHECK(rsp_getsockopt(fd, 0, RSP_LOAD_INTERVAL, &value, &len) == 0 && value == 1000 && len == sizeof(int));
	value = -1;
	CHECK_ERROR(rsp_setsockopt(fd, 0, RSP_LOAD_INTERVAL, &value, sizeof(value)), EINVAL);
	CHECK_ERROR(rsp_setsockopt(fd, 0, RSP_LOAD_INTERVAL, &value, 1), EINVAL);
	CHECK_ERROR(rsp_setsockopt(fd, 5, RSP_LOAD_INTERVAL, &value, sizeof(value)), ENOPROTOOPT);
	CHECK_ERROR(rsp_getsockopt(fd, 5, RSP_LOAD_INTERVAL, &value, &len), ENOPROTOOPT);
	value = 1;
	CHECK(rsp_setsockopt(fd, 0, RSP_LOAD_INTERVAL, &value, sizeof(value)) == 0);
	CHECK(rsp_getsockopt(fd, 0, RSP_LOAD_INTERVAL, &value, &len) == 0 && value == 1);
	value = 0;
	CHECK(rsp_setsockopt(fd, 0, RSP_LOAD_INTERVAL, &value, sizeof(value)) == 0);
	CHECK(rsp_getsockopt(fd, 0, RSP_LOAD_INTERVAL, &value, &len) == 0 && value == 1000);
	value = INT32_MAX; /* then the second change is never told */
	CHECK(rsp_setsockopt(fd, 0, RSP_LOAD_INTERVAL, &value, sizeof(value)) == 0);

	memset(&load, 0, sizeof(load));
	load.policy = RSP_LEAST_USED;
	load.load = 1000;
	CHECK(rsp_register(fd, "options-interval", 16, &load) == 0);
	load.load = 500;
	CHECK(rsp_register(other, "options-interval", 16, &load) == 0);
	CHECK(rsp_getsockname(fd, NULL, NULL, &id) == 0);
	load.load = 10;
	CHECK(rsp_setload(fd, &load) == 0); /* the first one at once */
	for (i = 0; i < 200 && !told; i++) {
		int user = connected("options-interval");

		CHECK(rsp_getpeername(user, NULL, NULL, &served) == 0);
		CHECK(rsp_close(user) == 0);
		told = served == id;
		usleep(10000);
	}
	CHECK(told);
	load.load = 2000;
	CHECK(rsp_setload(fd, &load) == 0);
	for (i = 0; i < 20; i++) {
		int user = connected("options-interval");

		CHECK(rsp_getpeername(user, NULL, NULL, &served) == 0 && served == id);
		CHECK(rsp_close(user) == 0);
		usleep(10000);
	}
	CHECK(rsp_close(other) == 0);
	CHECK(rsp_close(fd) == 0);
}

/* Messages that are longer than the buffers come, and in parts as always; what does not
 * fit at the moment waits. */
static void small_buffers(void)
{
	static const size_t sizes[] = {65536, 1, 262144, 1048576, 100, 1048576};
	static char block[1048576];
	int fd = rsp_socket(AF_INET, SOCK_SEQPACKET, 0), pe = bound_socket();
	struct rsp_loadinfo load;
	size_t i;

	memset(&load, 0, sizeof(load));
	CHECK(set(pe, 0, RSP_RCVBUF, 100000) == 0 && set(pe, 0, RSP_SNDBUF, 1) == 0);
	CHECK(set(fd, 0, RSP_SNDBUF, 100000) == 0 && set(fd, 0, RSP_RCVBUF, 1) == 0);
	CHECK(rsp_register(pe, "small-buffers", 13, &load) == 0);
	CHECK(rsp_connect(fd, "small-buffers", 13) == 0);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct rsp_sndrcvinfo info;
		size_t received = 0;

		CHECK(rsp_sendmsg(fd, block, sizes[i], NULL, 0) == (ssize_t)sizes[i]);
		do {
			ssize_t n = rsp_recvmsg(pe, block, 50000, &info, 0);

			CHECK(n > 0 && info.length == sizes[i]);
			received += (size_t)n;
		} while ((info.flags & RSP_MSG_EOR) == 0);
		CHECK(received == sizes[i]);
		CHECK(rsp_sendmsg(pe, block, sizes[i], &info, 0) == (ssize_t)sizes[i]);
		CHECK(rsp_recvmsg(fd, block, sizeof(block), NULL, 0) == (ssize_t)sizes[i]);
	}
	CHECK(rsp_close(fd) == 0);
	CHECK(rsp_close(pe) == 0);
}

/* Waits end after the time that was set, by either name of the option. */
static void time_limits(void)
{
	static char much[1 << 20];
	struct timeval limit = {0, 60000};
	struct rsp_loadinfo load;
	struct rsp_addrinfo *list = NULL;
	int fd = bound_socket(), deaf = bound_socket(), i;
	long long start = now_ms();

	CHECK(get(fd, 0, RSP_RCVTIMEO) == 0 && get(fd, 0, RSP_SNDTIMEO) == 0);
	CHECK_ERROR(set(fd, 0, RSP_RCVTIMEO, -1), EINVAL);
	CHECK_ERROR(set(fd, 1, RSP_SNDTIMEO, 10), ENOPROTOOPT);
	CHECK_ERROR(set(0, 0, RSP_SNDTIMEO, 10), ENOTSOCK);
	CHECK_ERROR(rsp_setsockopt(fd, 0, RSP_SNDTIMEO, much, 3), EINVAL);
	CHECK(set(fd, 0, RSP_RCVTIMEO, 40) == 0 && get(fd, 0, RSP_RCVTIMEO) >= 40);
	CHECK_ERROR(rsp_recvmsg(fd, much, sizeof(much), NULL, 0), EAGAIN);
	CHECK_EXPLAINED("RSP_RCVTIMEO");
	CHECK(now_ms() - start >= 39); /* two clocks, each rounded down */
	CHECK(set(fd, 0, RSP_RCVTIMEO, 0) == 0);
	CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0);
	CHECK(get(fd, 0, RSP_RCVTIMEO) >= 60);
	CHECK_ERROR(rsp_recvmsg(fd, much, sizeof(much), NULL, 0), EAGAIN);

	memset(&load, 0, sizeof(load));
	CHECK(rsp_register(deaf, "options-deaf", 12, &load) == 0);
	CHECK(rsp_connect(fd, "options-deaf", 12) == 0);
	CHECK(set(fd, 0, RSP_SNDTIMEO, 40) == 0);
	for (i = 0; i < 100 && rsp_sendmsg(fd, much, sizeof(much), NULL, 0) == sizeof(much); i++)
		;
	CHECK(i < 100 && errno == EAGAIN);
	CHECK_EXPLAINED("RSP_SNDTIMEO");
	CHECK(rsp_close(fd) == 0 || errno == ETIMEDOUT);
	CHECK(rsp_close(deaf) == 0);

	fd = rsp_socket(AF_INET, SOCK_STREAM, IPPROTO_SCTP);
	CHECK(fd >= 0 && rsp_listen(fd, 1) == 0 && set(fd, 0, RSP_RCVTIMEO, 10) == 0);
	CHECK_ERROR(rsp_accept(fd, NULL, NULL), EAGAIN);
	CHECK(rsp_close(fd) == 0);
	CHECK_ERROR(rsp_getaddrinfo("nobody", 6, NULL, &list), ENOENT); /* these have limits of their own */
}

static const struct check_test tests[] = {
        TEST(every_option), TEST(small_buffers), TEST(element_session), TEST(replay_fills_the_buffer),
        TEST(data_only),    TEST(pool_key),      TEST(advertise),       TEST(wrong_use),
        TEST(set_load),     TEST(load_interval), TEST(time_limits)};

CHECK_MAIN(tests)
