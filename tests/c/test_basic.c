/* SPDX-License-Identifier: Apache-2.0
 *
 * The basic mode (RFC 5351 section 4.1): services of other transports are
 * registered and found; what fails is reported. Needs a registrar.
 * ASAP-2.1-03, ASAP-2.2.1-02, ASAP-6.4-01, ASAP-6.9.1-01, ASAP-6.9.2-01, OVR-4.1-01
 */
#include "support.h"

#include <arpa/inet.h>
#include <sys/resource.h>

#define SOCK_DCCP_TYPE 6

static struct sockaddr_in loopback(int port)
{
	struct sockaddr_in here;

	memset(&here, 0, sizeof(here));
	here.sin_family = AF_INET;
	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	here.sin_port = htons((uint16_t)port);
	return here;
}

static struct rsp_addrinfo at(struct sockaddr_in *address, int protocol)
{
	struct rsp_addrinfo where;

	memset(&where, 0, sizeof(where));
	where.ai_protocol = protocol;
	where.ai_addrlen = sizeof(*address);
	where.ai_addr = (struct sockaddr *)address;
	return where;
}

/* Registers a service at a port of the loopback; 0 = the library chooses the
 * identifier. */
static uint32_t serve(const char *pool, int protocol, int port, uint32_t pe_id)
{
	struct sockaddr_in here = loopback(port);
	struct rsp_addrinfo where = at(&here, protocol);
	struct rsp_loadinfo load;
	uint32_t id = 0;

	memset(&load, 0, sizeof(load));
	load.pe_id = pe_id;
	CHECK(rsp_pe_registration(pool, strlen(pool), &where, &load, &id) == 0);
	CHECK(pe_id != 0 ? id == pe_id : id != 0);
	return id;
}

static int get(const char *pool, const struct rsp_addrhints *hints, struct rsp_addrinfo **list)
{
	return rsp_getaddrinfo(pool, strlen(pool), hints, list);
}

static const struct rsp_addrhints *anew(void)
{
	static struct rsp_addrhints hints;

	hints.stale = -1;
	return &hints;
}

static int leave(const char *pool, uint32_t id)
{
	return rsp_pe_deregistration(pool, strlen(pool), id);
}

/* The identifiers of the list, which is freed. */
static int identifiers(struct rsp_addrinfo *list, uint32_t *ids, int room)
{
	struct rsp_addrinfo *i;
	int n = 0;

	for (i = list; i != NULL; i = i->ai_next) {
		CHECK(n < room);
		ids[n++] = i->ai_pe_id;
	}
	rsp_freeaddrinfo(list);
	return n;
}

static void every_transport(void)
{
	static const struct {
		const char *pool;
		int protocol, socktype;
	} kinds[] = {
	        {"basic-tcp", IPPROTO_TCP, SOCK_STREAM},      {"basic-udp", IPPROTO_UDP, SOCK_DGRAM},
	        {"basic-sctp", IPPROTO_SCTP, SOCK_SEQPACKET}, {"basic-udplite", IPPROTO_UDPLITE, SOCK_DGRAM},
	        {"basic-dccp", IPPROTO_DCCP, SOCK_DCCP_TYPE},
	};
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct sockaddr_in here = loopback(7000 + (int)i);
		struct rsp_addrinfo where = at(&here, kinds[i].protocol), *list = NULL;
		struct rsp_loadinfo load;
		uint32_t id;

		memset(&load, 0, sizeof(load));
		where.ai_service = kinds[i].protocol == IPPROTO_DCCP ? 0xfeedbeef : 0;
		CHECK(rsp_pe_registration(kinds[i].pool, strlen(kinds[i].pool), &where, &load, &id) == 0);
		CHECK(get(kinds[i].pool, NULL, &list) == 0);
		CHECK(list->ai_flags == 0 && list->ai_family == AF_INET);
		CHECK(list->ai_protocol == kinds[i].protocol && list->ai_socktype == kinds[i].socktype);
		CHECK(list->ai_addrlen == sizeof(here) && list->ai_addrs == 1);
		CHECK(memcmp(list->ai_addr, &here, sizeof(here)) == 0);
		CHECK(list->ai_pe_id == id && list->ai_next == NULL && list->ai_service == where.ai_service);
		rsp_freeaddrinfo(list);
		CHECK(leave(kinds[i].pool, id) == 0);
		CHECK_ERROR(get(kinds[i].pool, anew(), &list), ENOENT);
		CHECK(list == NULL);
		CHECK_ERROR(leave(kinds[i].pool, id), ENOTCONN);
	}
	rsp_freeaddrinfo(NULL);
}

/* A socket type alone is enough, and chooses the usual protocol. */
static void socket_types(void)
{
	static const int types[][2] = {
	        {SOCK_STREAM, IPPROTO_TCP}, {SOCK_DGRAM, IPPROTO_UDP}, {SOCK_SEQPACKET, IPPROTO_SCTP}};
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct sockaddr_in here = loopback(7100);
		struct rsp_addrinfo where = at(&here, 0), *list;
		struct rsp_addrhints hints;
		struct rsp_loadinfo load;
		uint32_t id;

		memset(&load, 0, sizeof(load));
		memset(&hints, 0, sizeof(hints));
		where.ai_socktype = types[i][0];
		CHECK(rsp_pe_registration("basic-types", 11, &where, &load, &id) == 0);
		hints.socktype = types[i][0];
		hints.stale = -1;
		CHECK(get("basic-types", &hints, &list) == 0);
		CHECK(list->ai_protocol == types[i][1] && list->ai_socktype == types[i][0]);
		rsp_freeaddrinfo(list);
		hints.socktype = 0;
		hints.protocol = types[(i + 1) % 3][1];
		CHECK_ERROR(get("basic-types", &hints, &list), EPROTONOSUPPORT);
		CHECK_EXPLAINED("serve over");
		hints.protocol = types[i][1];
		hints.family = AF_INET6;
		CHECK_ERROR(get("basic-types", &hints, &list), EAFNOSUPPORT);
		hints.family = AF_INET;
		hints.items = 1;
		CHECK(get("basic-types", &hints, &list) == 0);
		rsp_freeaddrinfo(list);
		CHECK(leave("basic-types", id) == 0);
	}
}

/* The wildcard address stands for the one through which the registrar is reached,
 * also over IPv6 sockets. */
static void wildcard(void)
{
	struct sockaddr_in6 six;
	struct sockaddr_in any = loopback(7200);
	struct rsp_addrinfo where = at(&any, IPPROTO_TCP), *list;
	struct rsp_loadinfo load;
	uint32_t id;

	memset(&load, 0, sizeof(load));
	any.sin_addr.s_addr = htonl(INADDR_ANY);
	CHECK(rsp_pe_registration("basic-wildcard", 14, &where, &load, NULL) == 0);
	memset(&six, 0, sizeof(six));
	six.sin6_family = AF_INET6;
	six.sin6_port = htons(7201);
	where.ai_addr = (struct sockaddr *)&six;
	where.ai_addrlen = sizeof(six);
	CHECK(rsp_pe_registration("basic-wildcard-6", 16, &where, &load, &id) == 0);
	CHECK(get("basic-wildcard", NULL, &list) == 0);
	CHECK(((struct sockaddr_in *)list->ai_addr)->sin_addr.s_addr != htonl(INADDR_ANY));
	CHECK(((struct sockaddr_in *)list->ai_addr)->sin_port == htons(7200));
	id = list->ai_pe_id;
	rsp_freeaddrinfo(list);
	CHECK(leave("basic-wildcard", id) == 0);
	CHECK(get("basic-wildcard-6", NULL, &list) == 0);
	CHECK(((struct sockaddr_in *)list->ai_addr)->sin_port == htons(7201)); /* at the same place in both */
	id = list->ai_pe_id;
	rsp_freeaddrinfo(list);
	CHECK(leave("basic-wildcard-6", id) == 0);
}

/* An SCTP server may have several addresses, of which the family chooses. */
static void several_addresses(void)
{
	struct sockaddr_in here[2] = {loopback(7300), loopback(7300)};
	struct rsp_addrinfo where = at(here, IPPROTO_SCTP), *list;
	struct rsp_loadinfo load;
	uint32_t id;

	memset(&load, 0, sizeof(load));
	here[1].sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
	where.ai_addrs = 2;
	CHECK(rsp_pe_registration("basic-homes", 11, &where, &load, &id) == 0);
	CHECK(get("basic-homes", NULL, &list) == 0);
	CHECK(list->ai_addrs == 2 && memcmp(list->ai_addr, here, sizeof(here)) == 0);
	rsp_freeaddrinfo(list);
	CHECK(leave("basic-homes", id) == 0);
	where.ai_protocol = IPPROTO_TCP;
	CHECK_ERROR(rsp_pe_registration("basic-homes", 11, &where, &load, &id), EINVAL);
}

/* Each call is one selection; what is called a failure comes last, once the
 * registrar is asked, and is not there at all before. */
static void one_after_the_other(void)
{
	static const uint32_t turns[4][3] = {{1, 2, 3}, {2, 3, 1}, {3, 1, 2}, {1, 2, 3}};
	struct rsp_addrinfo *list;
	struct rsp_addrhints hints;
	uint32_t ids[4];
	int i;

	for (i = 0; i < 3; i++)
		serve("basic-turns", IPPROTO_TCP, 7400 + i, (uint32_t)i + 1);
	for (i = 0; i < 4; i++) {
		CHECK(get("basic-turns", NULL, &list) == 0);
		CHECK(identifiers(list, ids, 4) == 3 && memcmp(ids, turns[i], sizeof(turns[i])) == 0);
	}
	memset(&hints, 0, sizeof(hints));
	hints.items = 2;
	CHECK(get("basic-turns", &hints, &list) == 0);
	CHECK(identifiers(list, ids, 4) == 2 && ids[0] == 2 && ids[1] == 3);
	hints.items = UINT32_MAX;
	hints.stale = INT32_MAX;
	hints.timeout = INT32_MAX;
	CHECK(get("basic-turns", &hints, &list) == 0);
	CHECK(identifiers(list, ids, 4) == 3);
	CHECK(rsp_pe_failure("basic-turns", 11, 2) == 0);
	for (i = 0; i < 4; i++) {
		CHECK(get("basic-turns", NULL, &list) == 0);
		CHECK(identifiers(list, ids, 4) == 2 && ids[0] != 2 && ids[1] != 2);
	}
	CHECK(get("basic-turns", anew(), &list) == 0);
	CHECK(identifiers(list, ids, 4) == 3 && ids[2] == 2);
	CHECK(rsp_pe_failure("basic-turns", 11, 99) == 0); /* unknown: the registrar passes over it */
	for (i = 0; i < 3; i++)
		CHECK(leave("basic-turns", (uint32_t)i + 1) == 0);
}

/* The answer of the cache is used as long as it may be. */
static void cache(void)
{
	struct rsp_addrinfo *list;
	struct rsp_addrhints hints;
	uint32_t ids[4];

	serve("basic-cache", IPPROTO_UDP, 7500, 1);
	CHECK(get("basic-cache", NULL, &list) == 0);
	CHECK(identifiers(list, ids, 4) == 1);
	serve("basic-cache", IPPROTO_UDP, 7501, 2);
	CHECK(get("basic-cache", NULL, &list) == 0);
	CHECK(identifiers(list, ids, 4) == 1);
	memset(&hints, 0, sizeof(hints));
	hints.stale = 1;
	usleep(2000);
	CHECK(get("basic-cache", &hints, &list) == 0);
	CHECK(identifiers(list, ids, 4) == 2);
	CHECK(leave("basic-cache", 1) == 0);
	CHECK(leave("basic-cache", 2) == 0);
	CHECK(get("basic-cache", NULL, &list) == 0); /* nobody has told it */
	CHECK(identifiers(list, ids, 4) == 2);
	CHECK_ERROR(get("basic-cache", anew(), &list), ENOENT);
	CHECK_ERROR(get("basic-cache", NULL, &list), ENOENT);
}

/* Registered again: the values change, the place does not. */
static void duplicates(void)
{
	struct sockaddr_in here = loopback(7600), there = loopback(7601);
	struct rsp_addrinfo where = at(&here, IPPROTO_TCP), other = at(&there, IPPROTO_TCP),
	                    udp = at(&here, IPPROTO_UDP);
	struct rsp_loadinfo load;
	int status;
	pid_t child;
	uint32_t id;
	int go[2];
	char byte;

	memset(&load, 0, sizeof(load));
	load.policy = RSP_WEIGHTED_RANDOM;
	load.weight = 1;
	load.pe_id = 77;
	CHECK(rsp_pe_registration("basic-twice", 11, &where, &load, &id) == 0 && id == 77);
	load.weight = 5;
	CHECK(rsp_pe_registration("basic-twice", 11, &where, &load, &id) == 0 && id == 77);
	CHECK_ERROR(rsp_pe_registration("basic-twice", 11, &other, &load, &id), EEXIST);
	CHECK_EXPLAINED("deregister it first");
	CHECK_ERROR(rsp_pe_registration("basic-twice", 11, &udp, &load, &id), EEXIST);
	load.pe_id = 78;
	CHECK_ERROR(rsp_pe_registration("basic-twice", 11, &udp, &load, &id), EINVAL); /* another transport */
	CHECK_EXPLAINED("rejected");
	load.policy = RSP_ROUND_ROBIN;
	load.weight = 0;
	CHECK_ERROR(rsp_pe_registration("basic-twice", 11, &other, &load, &id), EINVAL); /* another policy */
	load.policy = RSP_WEIGHTED_RANDOM;
	load.weight = 1;
	CHECK(rsp_pe_registration("basic-twice", 11, &other, &load, &id) == 0 && id == 78);

	/* Another process takes neither the name nor the element away. */
	CHECK(pipe(go) == 0);
	child = fork();
	if (child == 0) {
		close(go[1]);
		CHECK(read(go[0], &byte, 1) == 0);
		execl("/proc/self/exe", "test_basic", "stranger", (char *)NULL);
		_exit(1);
	}
	close(go[0]);
	close(go[1]);
	CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
	CHECK(leave("basic-twice", 77) == 0);
	CHECK(leave("basic-twice", 78) == 0);
}

/* What duplicates() starts. */
static void stranger(void)
{
	struct sockaddr_in here = loopback(7602);
	struct rsp_addrinfo where = at(&here, IPPROTO_TCP);
	struct rsp_loadinfo load;

	if (getenv("RSERPOOL_REGISTRARS") == NULL || rsp_pe_failure("basic-twice", 11, 77) == -1)
		return; /* on its own it has nothing to do */
	memset(&load, 0, sizeof(load));
	load.policy = RSP_WEIGHTED_RANDOM;
	load.weight = 1;
	load.pe_id = 77;
	if (rsp_pe_registration("basic-twice", 11, &where, &load, NULL) == -1)
		CHECK(errno == EADDRINUSE);
	else
		CHECK(leave("basic-twice", 77) == 0);
	CHECK_ERROR(leave("basic-twice", 78), ENOTCONN);
}

static void wrong_arguments(void)
{
	static char handle[RSP_POOL_MAX + 1];
	struct sockaddr_in here = loopback(7700);
	struct rsp_addrinfo where = at(&here, IPPROTO_TCP), *list = &where;
	struct rsp_addrhints hints;
	struct rsp_loadinfo load;
	uint32_t id = 5;

	memset(&load, 0, sizeof(load));
	memset(&hints, 0, sizeof(hints));
	memset(handle, 'x', sizeof(handle));
	CHECK_ERROR(rsp_getaddrinfo(NULL, 4, NULL, &list), EFAULT);
	CHECK(list == NULL);
	CHECK_ERROR(rsp_getaddrinfo("echo", 4, NULL, NULL), EFAULT);
	CHECK_ERROR(rsp_getaddrinfo("", 0, NULL, &list), EINVAL);
	CHECK_ERROR(rsp_getaddrinfo(handle, sizeof(handle), NULL, &list), EINVAL);
	CHECK_EXPLAINED("1 to 1024 bytes");
	CHECK_ERROR(rsp_getaddrinfo(handle, SIZE_MAX, NULL, &list), EINVAL);
	CHECK_ERROR(rsp_getaddrinfo(handle, RSP_POOL_MAX, NULL, &list), ENOENT);
#define HINT(member, value, error)                                                                                     \
	do {                                                                                                           \
		hints.member = (value);                                                                                \
		CHECK_ERROR(rsp_getaddrinfo("echo", 4, &hints, &list), error);                                         \
		memset(&hints, 0, sizeof(hints));                                                                      \
	} while (0)
	HINT(family, AF_UNIX, EAFNOSUPPORT);
	HINT(protocol, 255, EPROTONOSUPPORT);
	HINT(protocol, -1, EPROTONOSUPPORT);
	HINT(socktype, 77, ESOCKTNOSUPPORT);
	HINT(stale, -2, EINVAL);
	HINT(timeout, -1, EINVAL);
	HINT(wait, -2, EINVAL);
	HINT(reserved[8], 1, EINVAL);
	hints.protocol = IPPROTO_UDP;
	HINT(socktype, SOCK_STREAM, ESOCKTNOSUPPORT);

#define WHERE(member, value, error)                                                                                    \
	do {                                                                                                           \
		where.member = (value);                                                                                \
		CHECK_ERROR(rsp_pe_registration("wrong", 5, &where, &load, &id), error);                               \
		where = at(&here, IPPROTO_TCP);                                                                        \
	} while (0)
	CHECK_ERROR(rsp_pe_registration(NULL, 5, &where, &load, &id), EFAULT);
	CHECK_ERROR(rsp_pe_registration("wrong", 5, NULL, &load, &id), EFAULT);
	CHECK_ERROR(rsp_pe_registration("wrong", 5, &where, NULL, &id), EFAULT);
	CHECK_ERROR(rsp_pe_registration("", 0, &where, &load, &id), EINVAL);
	CHECK_ERROR(rsp_pe_registration(handle, sizeof(handle), &where, &load, &id), EINVAL);
	WHERE(ai_addr, NULL, EFAULT);
	WHERE(ai_flags, 1, EINVAL);
	WHERE(reserved[0], 1, EINVAL);
	WHERE(ai_protocol, 255, EPROTONOSUPPORT);
	WHERE(ai_protocol, 0, EPROTONOSUPPORT);
	WHERE(ai_socktype, SOCK_DGRAM, ESOCKTNOSUPPORT);
	WHERE(ai_addrlen, 1, EINVAL);
	WHERE(ai_addrlen, 8, EINVAL);
	WHERE(ai_addrs, 2, EINVAL);
	WHERE(ai_addrs, UINT32_MAX, EINVAL);
	WHERE(ai_service, 1, EINVAL);
	here.sin_port = 0;
	WHERE(ai_family, 0, EINVAL);
	CHECK_EXPLAINED("port 0");
	here = loopback(7700);
	here.sin_family = AF_UNIX;
	WHERE(ai_family, 0, EAFNOSUPPORT);
	here = loopback(7700);
	here.sin_addr.s_addr = htonl(0xe0000001); /* 224.0.0.1 */
	WHERE(ai_family, 0, EINVAL);
	here.sin_addr.s_addr = htonl(0xc0000201); /* 192.0.2.1 */
	WHERE(ai_family, 0, EADDRNOTAVAIL);
	here = loopback(7700);
	load.policy = 99;
	WHERE(ai_family, 0, EINVAL);
	load.policy = 0;
	load.reserved[3] = 1;
	WHERE(ai_family, 0, EINVAL);
	CHECK(id == 5); /* untouched */

	CHECK_ERROR(rsp_pe_deregistration(NULL, 4, 1), EFAULT);
	CHECK_ERROR(rsp_pe_deregistration("", 0, 1), EINVAL);
	CHECK_ERROR(rsp_pe_deregistration("echo", 4, 0), ENOTCONN);
	CHECK_ERROR(rsp_pe_deregistration("echo", 4, 1), ENOTCONN);
	CHECK_EXPLAINED("echo");
	CHECK_ERROR(rsp_pe_failure(NULL, 4, 1), EFAULT);
	CHECK_ERROR(rsp_pe_failure("", 0, 1), EINVAL);
	CHECK_ERROR(rsp_pe_failure(handle, sizeof(handle), 1), EINVAL);
	CHECK_ERROR(rsp_pe_failure("echo", 4, 0), EINVAL);
}

/* A server dies without a word: its process is gone, the registrar finds out. */
static void server_dies(void)
{
	struct rsp_addrinfo *list;
	uint32_t ids[4];
	int ready[2], n;
	char byte;
	pid_t child;

	CHECK(pipe(ready) == 0);
	child = fork(); /* before the first call of this process: this is the first test */
	if (child == 0) {
		serve("basic-dies", IPPROTO_TCP, 7800, 1);
		CHECK(write(ready[1], "y", 1) == 1);
		pause();
		_exit(1);
	}
	CHECK(read(ready[0], &byte, 1) == 1);
	serve("basic-dies", IPPROTO_TCP, 7801, 2);
	CHECK(get("basic-dies", NULL, &list) == 0);
	CHECK(identifiers(list, ids, 4) == 2);
	CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
	CHECK(rsp_pe_failure("basic-dies", 10, 1) == 0);
	CHECK(get("basic-dies", NULL, &list) == 0);
	CHECK(identifiers(list, ids, 4) == 1 && ids[0] == 2);
	do { /* at the registrar */
		usleep(20000);
		CHECK(get("basic-dies", anew(), &list) == 0);
		n = identifiers(list, ids, 4);
		CHECK(ids[0] == 2);
	} while (n > 1);
	CHECK(leave("basic-dies", 2) == 0);
}

/* Descriptors run out, and are there again afterwards. */
static void too_many(void)
{
	struct rlimit limit, few;
	static uint32_t ids[1000];
	struct sockaddr_in here = loopback(7900);
	struct rsp_addrinfo where = at(&here, IPPROTO_TCP);
	struct rsp_loadinfo load;
	int i, n = 0;

	memset(&load, 0, sizeof(load));
	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	few = limit;
	few.rlim_cur = 100;
	CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
	for (; n < 1000; n++) {
		here.sin_port = htons((uint16_t)(8000 + n));
		if (rsp_pe_registration("basic-many", 10, &where, &load, &ids[n]) == -1)
			break;
	}
	CHECK(errno == EMFILE);
	CHECK_EXPLAINED("ulimit");
	CHECK(n > 10);
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	for (i = 0; i < n; i++)
		CHECK(leave("basic-many", ids[i]) == 0);
}

static void *work(void *argument)
{
	int number = *(int *)argument, i;
	struct rsp_addrinfo *list;
	uint32_t ids[64];

	for (i = 0; i < 20; i++) {
		uint32_t own = serve("basic-threads", IPPROTO_TCP, 8200 + 20 * number + i, 0);

		CHECK(get("basic-threads", i % 2 != 0 ? NULL : anew(), &list) == 0);
		CHECK(identifiers(list, ids, 64) >= 1);
		if (i % 5 == 0)
			CHECK(rsp_pe_failure("basic-threads", 13, ids[0]) == 0);
		CHECK(leave("basic-threads", own) == 0);
	}
	return NULL;
}

static void threads(void)
{
	pthread_t all[8];
	int numbers[8], i;
	uint32_t stays = serve("basic-threads", IPPROTO_TCP, 8199, 0);

	for (i = 0; i < 8; i++) {
		numbers[i] = i;
		CHECK(pthread_create(&all[i], NULL, work, &numbers[i]) == 0);
	}
	for (i = 0; i < 8; i++)
		CHECK(pthread_join(all[i], NULL) == 0);
	CHECK(leave("basic-threads", stays) == 0);
}

/* Several threads do the same at once: one does it. */
static void *same(void *argument)
{
	struct sockaddr_in here = loopback(8500);
	struct rsp_addrinfo where = at(&here, IPPROTO_TCP);
	struct rsp_loadinfo load;

	memset(&load, 0, sizeof(load));
	load.pe_id = 42;
	*(int *)argument = rsp_pe_registration("basic-same", 10, &where, &load, NULL) == 0 ? 0 : errno;
	return NULL;
}

static void the_same_at_once(void)
{
	pthread_t all[8];
	int errors[8], i, done = 0;

	for (i = 0; i < 8; i++)
		CHECK(pthread_create(&all[i], NULL, same, &errors[i]) == 0);
	for (i = 0; i < 8; i++) {
		CHECK(pthread_join(all[i], NULL) == 0);
		CHECK(errors[i] == 0 || errors[i] == EALREADY);
		done += errors[i] == 0;
	}
	CHECK(done >= 1);
	CHECK(leave("basic-same", 42) == 0);
}

static const struct check_test tests[] = {
        TEST(server_dies), TEST(every_transport),   TEST(socket_types),
        TEST(wildcard),    TEST(several_addresses), TEST(one_after_the_other),
        TEST(cache),       TEST(duplicates),        TEST(wrong_arguments),
        TEST(too_many),    TEST(threads),           TEST(the_same_at_once),
        TEST(stranger),
};

CHECK_MAIN(tests)
