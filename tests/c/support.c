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
	const size_t size = 1 << 20;
	char *buf = malloc(size);
	struct rsp_sndrcvinfo info;

	CHECK(buf != NULL);
	for (;;) {
		ssize_t n = rsp_recvmsg(pe->fd, buf, size, &info, 0);

		if (n == -1 && errno == EBADF) {
			free(buf);
			return NULL;
		}
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

int pool_element(const char *pool)
{
	struct rsp_loadinfo load;
	int fd = bound_socket();

	memset(&load, 0, sizeof(load));
	CHECK(rsp_register(fd, pool, strlen(pool), &load) == 0);
	return fd;
}

void serve_and_ask(const char *pool)
{
	struct echo pe;
	int fd;

	echo_start(&pe, pool);
	fd = connected(pool);
	say(fd, "hello");
	expect(fd, "hello");
	CHECK(rsp_close(fd) == 0);
	echo_stop(&pe);
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

/* What the relay holds until it is due; to is where it goes, over which socket. */
struct packet {
	long long due;
	int over;
	struct sockaddr_in to;
	size_t len;
	char data[2048];
};

enum { CLIENTS = 16, HELD = 1024, DELAY = 60 /* ms each way: 120 there and back */ };

static struct {
	struct pollfd sockets[1 + CLIENTS]; /* for clients, and one towards the registrar for each */
	struct sockaddr_in clients[1 + CLIENTS], registrar;
	int count;
	struct packet held[HELD];
	unsigned first, next;
} relay;

static int client_number(const struct sockaddr_in *from)
{
	int i;

	for (i = 1; i < relay.count; i++)
		if (relay.clients[i].sin_port == from->sin_port)
			return i;
	CHECK(relay.count <= CLIENTS);
	relay.clients[i] = *from;
	relay.sockets[i] = (struct pollfd){.fd = socket(AF_INET, SOCK_DGRAM, 0), .events = POLLIN};
	CHECK(relay.sockets[i].fd >= 0);
	return relay.count++;
}

static void hold(int number)
{
	struct packet *p = &relay.held[relay.next % HELD];
	struct sockaddr_in from;
	socklen_t size = sizeof(from);
	ssize_t n = recvfrom(relay.sockets[number].fd, p->data, sizeof(p->data), 0, (struct sockaddr *)&from, &size);

	if (n == -1)
		return;
	CHECK(++relay.next - relay.first < HELD);
	p->len = (size_t)n;
	p->due = now_ms() + DELAY;
	p->over = number > 0 ? relay.sockets[0].fd : relay.sockets[client_number(&from)].fd;
	p->to = number > 0 ? relay.clients[number] : relay.registrar;
}

static void *run_relay(void *unused)
{
	for (;;) {
		int i, count = relay.count;

		CHECK(poll(relay.sockets, (nfds_t)count, 5) >= 0 || errno == EINTR);
		for (i = 0; i < count; i++)
			if ((relay.sockets[i].revents & POLLIN) != 0)
				hold(i);
		for (; relay.first != relay.next && relay.held[relay.first % HELD].due <= now_ms(); relay.first++) {
			struct packet *p = &relay.held[relay.first % HELD];

			sendto(p->over, p->data, p->len, 0, (struct sockaddr *)&p->to, sizeof(p->to));
		}
	}
	return unused;
}

int slow_registrar(char address[32])
{
	const char *transport = getenv("RSERPOOL_TRANSPORT"), *registrar = getenv("RSERPOOL_REGISTRARS");
	struct sockaddr_in here;
	int kernel = -1;
	sigset_t all, before;
	pthread_t thread;

	if (transport == NULL || strcmp(transport, "userland") != 0)
		kernel = socket(AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP);
	if (kernel != -1) {
		close(kernel);
		return 0;
	}
	CHECK(registrar != NULL && strncmp(registrar, "127.0.0.1:", 10) == 0);
	relay.registrar = (struct sockaddr_in){.sin_family = AF_INET,
	                                       .sin_port = htons((uint16_t)atoi(registrar + 10)),
	                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	here = relay.registrar; /* with its port: inside of UDP it stands once more */
	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
	relay.sockets[0] = (struct pollfd){.fd = socket(AF_INET, SOCK_DGRAM, 0), .events = POLLIN};
	CHECK(bind(relay.sockets[0].fd, (struct sockaddr *)&here, sizeof(here)) == 0);
	snprintf(address, 32, "127.0.0.2:%d", ntohs(here.sin_port));
	relay.count = 1;
	sigfillset(&all); /* the test's signals are for the test */
	CHECK(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
	CHECK(pthread_create(&thread, NULL, run_relay, NULL) == 0);
	CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
	return 1;
}
