/* A peer for the interoperability tests: usrsctp over UDP, driven by commands
 * on standard input, telling on standard output what happens.
 *
 *   usrsctp_peer SCTP_PORT UDP_PORT PEER_UDP_PORT 4|6
 *
 * Commands, one per line:
 *   connect ADDRESS PORT          open an association
 *   send SID PPID UNORDERED SIZE  send a patterned message on the last one
 *   echo 0|1                      send back what arrives (default 1)
 *   read 0|1                      read or leave it (default 1)
 *   shutdown | abort              end the last association
 *   quit
 * Output:
 *   ready | up ID IN OUT | lost ID | shutdown-event ID | shutdown-complete ID
 *   cannot-start ID | restart ID | message SID PPID UNORDERED SIZE GOOD
 */
#include <usrsctp.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_MESSAGE = 2 << 20 };

static struct socket *sock;
static uint16_t peer_udp;
static sctp_assoc_t last_assoc;
static atomic_int echoing = 1, reading = 1;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void set_peer_udp(void)
{
	struct sctp_udpencaps e;

	memset(&e, 0, sizeof e);
	e.sue_address.ss_family = AF_INET;
	e.sue_port = htons(peer_udp);
	if (usrsctp_setsockopt(sock, IPPROTO_SCTP, SCTP_REMOTE_UDP_ENCAPS_PORT, &e, sizeof e) < 0) {
		e.sue_address.ss_family = AF_INET6;
		if (usrsctp_setsockopt(sock, IPPROTO_SCTP, SCTP_REMOTE_UDP_ENCAPS_PORT, &e, sizeof e) < 0)
			die("encapsulation port");
	}
}

static void set_option(int option, const void *value, socklen_t len)
{
	if (usrsctp_setsockopt(sock, IPPROTO_SCTP, option, value, len) < 0)
		die("setsockopt");
}

static void subscribe(uint16_t type)
{
	struct sctp_event ev;

	memset(&ev, 0, sizeof ev);
	ev.se_assoc_id = SCTP_FUTURE_ASSOC;
	ev.se_type = type;
	ev.se_on = 1;
	set_option(SCTP_EVENT, &ev, sizeof ev);
}

static void open_socket(int family, uint16_t port)
{
	int one = 1, buffer = 4 << 20;
	struct sockaddr_in a4;
	struct sockaddr_in6 a6;

	sock = usrsctp_socket(family, SOCK_SEQPACKET, IPPROTO_SCTP, NULL, NULL, 0, NULL);
	if (sock == NULL)
		die("socket");
	usrsctp_setsockopt(sock, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
	usrsctp_setsockopt(sock, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
	set_option(SCTP_RECVRCVINFO, &one, sizeof one);
	set_option(SCTP_NODELAY, &one, sizeof one);
	subscribe(SCTP_ASSOC_CHANGE);
	subscribe(SCTP_SHUTDOWN_EVENT);
	set_peer_udp();
	memset(&a4, 0, sizeof a4);
	memset(&a6, 0, sizeof a6);
	a4.sin_family = AF_INET;
	a4.sin_port = a6.sin6_port = htons(port);
	a4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	a6.sin6_family = AF_INET6;
	a6.sin6_addr = in6addr_loopback;
	if (family == AF_INET ? usrsctp_bind(sock, (struct sockaddr *)&a4, sizeof a4)
	                      : usrsctp_bind(sock, (struct sockaddr *)&a6, sizeof a6))
		die("bind");
	if (usrsctp_listen(sock, 100) < 0)
		die("listen");
}

static unsigned char pattern(size_t i) { return (unsigned char)(i * 7 + i / 251); }

static void send_message(sctp_assoc_t id, uint16_t sid, uint32_t ppid, int unordered, const void *data, size_t n)
{
	struct sctp_sndinfo info;

	memset(&info, 0, sizeof info);
	info.snd_assoc_id = id;
	info.snd_sid = sid;
	info.snd_ppid = htonl(ppid);
	info.snd_flags = unordered ? SCTP_UNORDERED : 0;
	if (usrsctp_sendv(sock, data, n, NULL, 0, &info, sizeof info, SCTP_SENDV_SNDINFO, 0) < 0)
		perror("send");
}

static void tell_change(const struct sctp_assoc_change *c)
{
	switch (c->sac_state) {
	case SCTP_COMM_UP:
		last_assoc = c->sac_assoc_id;
		printf("up %u %u %u\n", c->sac_assoc_id, c->sac_inbound_streams, c->sac_outbound_streams);
		break;
	case SCTP_COMM_LOST:
		printf("lost %u\n", c->sac_assoc_id);
		break;
	case SCTP_RESTART:
		printf("restart %u\n", c->sac_assoc_id);
		break;
	case SCTP_SHUTDOWN_COMP:
		printf("shutdown-complete %u\n", c->sac_assoc_id);
		break;
	case SCTP_CANT_STR_ASSOC:
		printf("cannot-start %u\n", c->sac_assoc_id);
		break;
	}
}

static void tell_notification(const union sctp_notification *n)
{
	if (n->sn_header.sn_type == SCTP_ASSOC_CHANGE)
		tell_change(&n->sn_assoc_change);
	else if (n->sn_header.sn_type == SCTP_SHUTDOWN_EVENT)
		printf("shutdown-event %u\n", n->sn_shutdown_event.sse_assoc_id);
}

static void got_message(const unsigned char *buf, size_t n, const struct sctp_rcvinfo *r)
{
	size_t i;
	int unordered = (r->rcv_flags & SCTP_UNORDERED) != 0;

	for (i = 0; i < n && buf[i] == pattern(i); i++)
		;
	printf("message %u %u %d %zu %d\n", r->rcv_sid, ntohl(r->rcv_ppid), unordered, n, i == n);
	if (echoing)
		send_message(r->rcv_assoc_id, r->rcv_sid, ntohl(r->rcv_ppid), unordered, buf, n);
}

static void *run_receiver(void *arg)
{
	static unsigned char buf[MAX_MESSAGE];
	size_t have = 0;

	(void)arg;
	for (;;) {
		struct sockaddr_storage from;
		struct sctp_recvv_rn rn;
		socklen_t fromlen = sizeof from, infolen = sizeof rn;
		unsigned int infotype = 0;
		int flags = 0;
		ssize_t n;

		while (!reading)
			usleep(10000);
		n = usrsctp_recvv(sock, buf + have, sizeof buf - have, (struct sockaddr *)&from, &fromlen,
		                  &rn, &infolen, &infotype, &flags);
		if (n <= 0)
			return NULL;
		have += (size_t)n;
		if (!(flags & MSG_EOR))
			continue;
		if (flags & MSG_NOTIFICATION)
			tell_notification((union sctp_notification *)buf);
		else
			got_message(buf, have, (struct sctp_rcvinfo *)&rn);
		fflush(stdout);
		have = 0;
	}
}

static void do_connect(int family, const char *host, unsigned port)
{
	struct sockaddr_in a4;
	struct sockaddr_in6 a6;

	memset(&a4, 0, sizeof a4);
	memset(&a6, 0, sizeof a6);
	a4.sin_family = AF_INET;
	a6.sin6_family = AF_INET6;
	a4.sin_port = a6.sin6_port = htons((uint16_t)port);
	inet_pton(family, host, family == AF_INET ? (void *)&a4.sin_addr : (void *)&a6.sin6_addr);
	if (family == AF_INET ? usrsctp_connect(sock, (struct sockaddr *)&a4, sizeof a4)
	                      : usrsctp_connect(sock, (struct sockaddr *)&a6, sizeof a6))
		perror("connect");
}

static void do_send(unsigned sid, unsigned ppid, int unordered, size_t n)
{
	unsigned char *data = malloc(n);
	size_t i;

	if (data == NULL)
		die("malloc");
	for (i = 0; i < n; i++)
		data[i] = pattern(i);
	send_message(last_assoc, (uint16_t)sid, ppid, unordered, data, n);
	free(data);
}

static void do_end(uint16_t how)
{
	struct sctp_sndinfo info;

	memset(&info, 0, sizeof info);
	info.snd_assoc_id = last_assoc;
	info.snd_flags = how;
	if (usrsctp_sendv(sock, how == SCTP_ABORT ? "test" : "", how == SCTP_ABORT ? 4 : 0, NULL, 0, &info,
	                  sizeof info, SCTP_SENDV_SNDINFO, 0) < 0)
		perror("end");
}

static int obey(int family, const char *line)
{
	char host[64];
	unsigned a, b;
	int c;
	size_t n;

	if (sscanf(line, "connect %63s %u", host, &a) == 2)
		do_connect(family, host, a);
	else if (sscanf(line, "send %u %u %d %zu", &a, &b, &c, &n) == 4)
		do_send(a, b, c, n);
	else if (sscanf(line, "echo %d", &c) == 1)
		echoing = c;
	else if (sscanf(line, "read %d", &c) == 1)
		reading = c;
	else if (strncmp(line, "shutdown", 8) == 0)
		do_end(SCTP_EOF);
	else if (strncmp(line, "abort", 5) == 0)
		do_end(SCTP_ABORT);
	else if (strncmp(line, "quit", 4) == 0)
		return 0;
	return 1;
}

int main(int argc, char **argv)
{
	char line[256];
	pthread_t receiver;
	int family;

	if (argc != 5) {
		fprintf(stderr, "usage: %s SCTP_PORT UDP_PORT PEER_UDP_PORT 4|6\n", argv[0]);
		return 2;
	}
	family = argv[4][0] == '6' ? AF_INET6 : AF_INET;
	peer_udp = (uint16_t)atoi(argv[3]);
	usrsctp_init((uint16_t)atoi(argv[2]), NULL, NULL);
	usrsctp_sysctl_set_sctp_no_csum_on_loopback(0);
	usrsctp_sysctl_set_sctp_blackhole(0);
	open_socket(family, (uint16_t)atoi(argv[1]));
	if (pthread_create(&receiver, NULL, run_receiver, NULL) != 0)
		die("pthread_create");
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof line, stdin) != NULL && obey(family, line))
		;
	_exit(0);
}
