/* A peer for the interoperability tests: usrsctp over UDP, driven by commands
 * on standard input, telling on standard output what happens.
 *
 *   usrsctp_peer SCTP_PORT UDP_PORT PEER_UDP_PORT 4|6 [SETTING=VALUE | ADDRESS ...]
 *
 * Settings are ecn, pr, auth, asconf, reconfig, nrsack and pktdrop, which are 0
 * or 1, and heartbeat, in milliseconds, which makes the timers short too.
 * Without an address it binds loopback.
 *
 * Commands, one per line:
 *   connect ADDRESS PORT          open an association
 *   send SID PPID UNORDERED SIZE  send a patterned message on the last one
 *   echo 0|1                      send back what arrives (default 1)
 *   read 0|1                      read or leave it (default 1)
 *   udp PORT                      the UDP port of the peers to come
 *   shutdown | abort              end the last association
 *   quit
 * Output:
 *   ready | up ID IN OUT | lost ID | shutdown-event ID | shutdown-complete ID
 *   cannot-start ID | restart ID | message SID PPID UNORDERED SIZE GOOD
 *   path ADDRESS STATE (of struct sctp_paddr_change)
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

/* An address of either family, as text, with a port. */
static socklen_t parse_address(const char *host, unsigned port, struct sockaddr_storage *a)
{
	struct sockaddr_in *a4 = (struct sockaddr_in *)a;
	struct sockaddr_in6 *a6 = (struct sockaddr_in6 *)a;

	memset(a, 0, sizeof *a);
	if (inet_pton(AF_INET, host, &a4->sin_addr) == 1) {
		a4->sin_family = AF_INET;
		a4->sin_port = htons((uint16_t)port);
		return sizeof *a4;
	}
	if (inet_pton(AF_INET6, host, &a6->sin6_addr) != 1) {
		fprintf(stderr, "%s is no address\n", host);
		exit(2);
	}
	a6->sin6_family = AF_INET6;
	a6->sin6_port = htons((uint16_t)port);
	return sizeof *a6;
}

static void bind_addresses(const char **hosts, int count, uint16_t port)
{
	struct sockaddr_storage a;
	int i, off = 0;

	usrsctp_setsockopt(sock, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off); /* fails on IPv4 sockets */
	for (i = 0; i < count; i++) {
		parse_address(hosts[i], port, &a);
		if (usrsctp_bindx(sock, (struct sockaddr *)&a, 1, SCTP_BINDX_ADD_ADDR) < 0)
			die("bind");
	}
}

/* Heartbeats at an interval, and timers to match it. */
static void set_heartbeat(uint32_t ms)
{
	struct sctp_paddrparams p;
	struct sctp_rtoinfo rto;
	struct sctp_initmsg init;

	memset(&p, 0, sizeof p);
	p.spp_address.ss_family = AF_INET;
	p.spp_hbinterval = ms;
	p.spp_pathmaxrxt = 2;
	p.spp_flags = SPP_HB_ENABLE;
	set_option(SCTP_PEER_ADDR_PARAMS, &p, sizeof p);
	memset(&rto, 0, sizeof rto);
	rto.srto_initial = rto.srto_min = 50;
	rto.srto_max = 100;
	set_option(SCTP_RTOINFO, &rto, sizeof rto);
	memset(&init, 0, sizeof init);
	init.sinit_max_attempts = 100; /* they come soon: the other side may be busy */
	init.sinit_max_init_timeo = 100;
	set_option(SCTP_INITMSG, &init, sizeof init);
}

static uint32_t heartbeat;

static void set(const char *name, uint32_t value)
{
	if (strcmp(name, "ecn") == 0)
		usrsctp_sysctl_set_sctp_ecn_enable(value);
	else if (strcmp(name, "pr") == 0)
		usrsctp_sysctl_set_sctp_pr_enable(value);
	else if (strcmp(name, "auth") == 0)
		usrsctp_sysctl_set_sctp_auth_enable(value);
	else if (strcmp(name, "asconf") == 0)
		usrsctp_sysctl_set_sctp_asconf_enable(value);
	else if (strcmp(name, "reconfig") == 0)
		usrsctp_sysctl_set_sctp_reconfig_enable(value);
	else if (strcmp(name, "nrsack") == 0)
		usrsctp_sysctl_set_sctp_nrsack_enable(value);
	else if (strcmp(name, "pktdrop") == 0)
		usrsctp_sysctl_set_sctp_pktdrop_enable(value);
	else if (strcmp(name, "heartbeat") == 0)
		heartbeat = value;
	else {
		fprintf(stderr, "there is no setting %s\n", name);
		exit(2);
	}
}

static void open_socket(int family, uint16_t port, const char **hosts, int count)
{
	static const char *loopback[] = {"127.0.0.1", "::1"};
	int one = 1, buffer = 4 << 20;

	sock = usrsctp_socket(family, SOCK_SEQPACKET, IPPROTO_SCTP, NULL, NULL, 0, NULL);
	if (sock == NULL)
		die("socket");
	usrsctp_setsockopt(sock, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
	usrsctp_setsockopt(sock, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
	set_option(SCTP_RECVRCVINFO, &one, sizeof one);
	set_option(SCTP_NODELAY, &one, sizeof one);
	subscribe(SCTP_ASSOC_CHANGE);
	subscribe(SCTP_SHUTDOWN_EVENT);
	subscribe(SCTP_PEER_ADDR_CHANGE);
	set_peer_udp();
	if (heartbeat != 0)
		set_heartbeat(heartbeat);
	if (count > 0)
		bind_addresses(hosts, count, port);
	else
		bind_addresses(&loopback[family == AF_INET6], 1, port);
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

static void tell_path(const struct sctp_paddr_change *c)
{
	const struct sockaddr_in6 *a6 = (const struct sockaddr_in6 *)&c->spc_aaddr;
	const void *address = &a6->sin6_addr;
	char host[INET6_ADDRSTRLEN];

	if (a6->sin6_family == AF_INET)
		address = &((const struct sockaddr_in *)a6)->sin_addr;
	inet_ntop(a6->sin6_family, address, host, sizeof host);
	printf("path %s %u\n", host, c->spc_state);
}

static void tell_notification(const union sctp_notification *n)
{
	if (n->sn_header.sn_type == SCTP_ASSOC_CHANGE)
		tell_change(&n->sn_assoc_change);
	else if (n->sn_header.sn_type == SCTP_SHUTDOWN_EVENT)
		printf("shutdown-event %u\n", n->sn_shutdown_event.sse_assoc_id);
	else if (n->sn_header.sn_type == SCTP_PEER_ADDR_CHANGE)
		tell_path(&n->sn_paddr_change);
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

static void do_connect(const char *host, unsigned port)
{
	struct sockaddr_storage a;
	socklen_t len = parse_address(host, port, &a);

	if (usrsctp_connect(sock, (struct sockaddr *)&a, len) < 0)
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

static int obey(const char *line)
{
	char host[64];
	unsigned a, b;
	int c;
	size_t n;

	if (sscanf(line, "connect %63s %u", host, &a) == 2)
		do_connect(host, a);
	else if (sscanf(line, "send %u %u %d %zu", &a, &b, &c, &n) == 4)
		do_send(a, b, c, n);
	else if (sscanf(line, "echo %d", &c) == 1)
		echoing = c;
	else if (sscanf(line, "read %d", &c) == 1)
		reading = c;
	else if (sscanf(line, "udp %u", &a) == 1) {
		peer_udp = (uint16_t)a;
		set_peer_udp();
	} else if (strncmp(line, "shutdown", 8) == 0)
		do_end(SCTP_EOF);
	else if (strncmp(line, "abort", 5) == 0)
		do_end(SCTP_ABORT);
	else if (strncmp(line, "quit", 4) == 0)
		return 0;
	return 1;
}

int main(int argc, char **argv)
{
	const char *hosts[16];
	char line[256];
	pthread_t receiver;
	int i, count = 0;

	if (argc < 5) {
		fprintf(stderr, "usage: %s SCTP_PORT UDP_PORT PEER_UDP_PORT 4|6 [SETTING=VALUE | ADDRESS ...]\n", argv[0]);
		return 2;
	}
	peer_udp = (uint16_t)atoi(argv[3]);
	usrsctp_init((uint16_t)atoi(argv[2]), NULL, NULL);
	usrsctp_sysctl_set_sctp_no_csum_on_loopback(0);
	usrsctp_sysctl_set_sctp_blackhole(0);
	for (i = 5; i < argc; i++) {
		char *value = strchr(argv[i], '=');

		if (value != NULL) {
			*value = '\0';
			set(argv[i], (uint32_t)atoi(value + 1));
		} else if (count < 16)
			hosts[count++] = argv[i];
	}
	open_socket(argv[4][0] == '6' ? AF_INET6 : AF_INET, (uint16_t)atoi(argv[1]), hosts, count);
	if (pthread_create(&receiver, NULL, run_receiver, NULL) != 0)
		die("pthread_create");
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof line, stdin) != NULL && obey(line))
		;
	_exit(0);
}
