/* One side of a measurement with usrsctp over UDP:
 *
 *   peer server
 *   peer client UDP_PORT SCTP_PORT
 *
 * It obeys the commands in ../peer.go, ../server.go and ../client.go. Messages
 * are taken and answered in usrsctp's receive callback, its quickest way. All
 * associations of a process share one UDP port: usrsctp has one per process. */
#include <usrsctp.h>

#include <arpa/inet.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { BUFFER = 1 << 20, MAX_TIMES = 1 << 20, PATIENCE_MS = 3000, SERVER_PORT = 5000 };

enum load { IDLE, PING_PONG, PACED, ECHO, BULK };

static struct socket **socks; /* of the client, one per association */
static atomic_llong messages, bytes;
static atomic_int up, sinking, load, over;
static uint16_t peer_udp;

static unsigned char *message;
static size_t message_size;
static uint64_t begin, sent, end;
static uint64_t *times;
static atomic_size_t ntimes;
static pthread_t sender;
static sem_t room; /* to send again */

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void pause_until(uint64_t t)
{
	struct timespec ts = {.tv_sec = (time_t)(t / 1000000000u), .tv_nsec = (long)(t % 1000000000u)};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

static int transmit(struct socket *s, sctp_assoc_t id, const void *data, size_t n)
{
	struct sctp_sndinfo info;

	memset(&info, 0, sizeof info);
	info.snd_assoc_id = id;
	return usrsctp_sendv(s, data, n, NULL, 0, &info, sizeof info, SCTP_SENDV_SNDINFO, 0) < 0 ? -1 : 0;
}

static void note(uint64_t t)
{
	size_t i = atomic_load(&ntimes);

	if (i < MAX_TIMES) {
		times[i] = t;
		atomic_store(&ntimes, i + 1);
	}
}

/* take_at_client is called for what arrives at the client. */
static void take_at_client(struct socket *s, sctp_assoc_t id, const unsigned char *data, size_t n)
{
	uint64_t t = now(), due;

	switch (atomic_load(&load)) {
	case PING_PONG:
		note(t - sent);
		if (t >= end) {
			atomic_store(&over, 1);
			return;
		}
		sent = t;
		transmit(s, id, message, message_size);
		break;
	case PACED:
		memcpy(&due, data, sizeof due);
		note(t - begin - due);
		break;
	case ECHO:
		transmit(s, id, data, n);
		break;
	}
}

static int receive(struct socket *s, union sctp_sockstore addr, void *data, size_t n, struct sctp_rcvinfo info,
                   int flags, void *is_server)
{
	(void)addr;
	if (data == NULL)
		return 1;
	if (flags & MSG_NOTIFICATION) {
		const union sctp_notification *what = data;

		if (what->sn_header.sn_type == SCTP_ASSOC_CHANGE && what->sn_assoc_change.sac_state == SCTP_COMM_UP)
			atomic_fetch_add(&up, 1);
	} else {
		if (flags & MSG_EOR)
			atomic_fetch_add(&messages, 1);
		atomic_fetch_add(&bytes, (long long)n);
		if (is_server == NULL)
			take_at_client(s, info.rcv_assoc_id, data, n);
		else if (!atomic_load(&sinking))
			transmit(s, info.rcv_assoc_id, data, n);
	}
	free(data);
	return 1;
}

static int has_room(struct socket *s, uint32_t free_bytes, void *arg);

static void set_option(struct socket *s, int option, const void *value, socklen_t len)
{
	if (usrsctp_setsockopt(s, IPPROTO_SCTP, option, value, len) < 0)
		die("setsockopt");
}

static struct sockaddr_in loopback(uint16_t port)
{
	struct sockaddr_in a;

	memset(&a, 0, sizeof a);
	a.sin_family = AF_INET;
	a.sin_port = htons(port);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

static struct socket *open_socket(int server)
{
	struct sockaddr_in a = loopback(server ? SERVER_PORT : 0);
	struct sctp_udpencaps encaps;
	struct sctp_event ev;
	int one = 1, buffer = BUFFER;
	struct socket *s = usrsctp_socket(AF_INET, server ? SOCK_SEQPACKET : SOCK_STREAM, IPPROTO_SCTP, receive,
	                                  server ? NULL : has_room, BUFFER / 4, server ? &messages : NULL);

	if (s == NULL)
		die("socket");
	usrsctp_setsockopt(s, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
	usrsctp_setsockopt(s, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
	set_option(s, SCTP_NODELAY, &one, sizeof one);
	set_option(s, SCTP_RECVRCVINFO, &one, sizeof one);
	memset(&ev, 0, sizeof ev);
	ev.se_assoc_id = SCTP_FUTURE_ASSOC;
	ev.se_type = SCTP_ASSOC_CHANGE;
	ev.se_on = 1;
	set_option(s, SCTP_EVENT, &ev, sizeof ev);
	if (!server) {
		memset(&encaps, 0, sizeof encaps);
		encaps.sue_address.ss_family = AF_INET;
		encaps.sue_port = htons(peer_udp);
		set_option(s, SCTP_REMOTE_UDP_ENCAPS_PORT, &encaps, sizeof encaps);
	}
	if (usrsctp_bind(s, (struct sockaddr *)&a, sizeof a) < 0)
		die("bind");
	if (server && usrsctp_listen(s, 20000) < 0)
		die("listen");
	return s;
}

static int do_connect(int count, uint16_t port)
{
	struct sockaddr_in a = loopback(port);
	uint64_t limit;
	int i;

	socks = calloc((size_t)count, sizeof *socks);
	if (socks == NULL)
		die("calloc");
	for (i = 0; i < count; i++) {
		socks[i] = open_socket(0);
		if (usrsctp_connect(socks[i], (struct sockaddr *)&a, sizeof a) < 0 && errno != EINPROGRESS)
			return -1;
		/* Not too many at once: its UDP socket would overflow. */
		for (limit = now() + 20 * 1000000000ull; i + 1 - atomic_load(&up) > 16 && now() < limit; usleep(100))
			;
	}
	for (limit = now() + 20 * 1000000000ull; atomic_load(&up) < count && now() < limit; usleep(100))
		;
	return atomic_load(&up) < count ? -1 : 0;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void begin_load(enum load what, size_t size)
{
	free(message);
	message = calloc(1, size);
	if (message == NULL)
		die("calloc");
	message_size = size;
	atomic_store(&ntimes, 0);
	atomic_store(&over, 0);
	begin = sent = now();
	atomic_store(&load, what);
}

/* tell_times answers with quantiles; total is what was sent, if that was counted. */
static void tell_times(uint64_t total)
{
	size_t n = atomic_load(&ntimes);
	uint64_t p50, p99;

	qsort(times, n, sizeof *times, by_value);
	p50 = n > 0 ? times[n / 2] : 0;
	p99 = n > 0 ? times[n * 99 / 100] : 0;
	if (total > 0)
		printf("ok %llu %llu %llu %zu\n", (unsigned long long)p50, (unsigned long long)p99,
		       (unsigned long long)total, n);
	else
		printf("ok %llu %llu %zu\n", (unsigned long long)p50, (unsigned long long)p99, n);
}

static void ping_pong(size_t size, uint64_t ms)
{
	end = now() + ms * 1000000u;
	begin_load(PING_PONG, size);
	transmit(socks[0], SCTP_FUTURE_ASSOC, message, size);
	while (!atomic_load(&over) && now() < end + PATIENCE_MS * 1000000ull)
		usleep(1000);
	atomic_store(&load, IDLE);
	tell_times(0);
}

static void paced(size_t size, uint64_t us, uint64_t ms)
{
	uint64_t total = ms * 1000 / us, i, limit;

	begin_load(PACED, size);
	for (i = 0; i < total; i++) {
		uint64_t due = i * us * 1000;

		pause_until(begin + due);
		memcpy(message, &due, sizeof due);
		transmit(socks[0], SCTP_FUTURE_ASSOC, message, size);
	}
	for (limit = now() + PATIENCE_MS * 1000000ull; atomic_load(&ntimes) < total && now() < limit; usleep(10000))
		;
	atomic_store(&load, IDLE);
	tell_times(total);
}

/* Sockets with a receive callback never block. */
static int has_room(struct socket *s, uint32_t free_bytes, void *arg)
{
	(void)s;
	(void)free_bytes;
	(void)arg;
	sem_post(&room);
	return 1;
}

static void *run_bulk(void *unused)
{
	struct timespec limit;

	(void)unused;
	while (atomic_load(&load) == BULK) {
		if (transmit(socks[0], SCTP_FUTURE_ASSOC, message, message_size) == 0)
			continue;
		if (errno != EAGAIN)
			die("send");
		clock_gettime(CLOCK_REALTIME, &limit);
		limit.tv_sec++;
		sem_timedwait(&room, &limit);
	}
	return NULL;
}

static void stop(void)
{
	if (atomic_exchange(&load, IDLE) == BULK)
		pthread_join(sender, NULL);
	usleep(20000); /* what is under way arrives */
}

static void tell_stats(void)
{
	struct rusage u;
	long long cpu;

	getrusage(RUSAGE_SELF, &u);
	cpu = (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000000ll +
	      (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000ll;
	printf("ok %llu %lld %lld %lld\n", (unsigned long long)now(), cpu, (long long)atomic_load(&messages),
	       (long long)atomic_load(&bytes));
}

static void tell_memory(void)
{
	long size = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	malloc_trim(0);
	if (f == NULL || fscanf(f, "%ld %ld", &size, &resident) != 2)
		die("statm");
	fclose(f);
	printf("ok %ld\n", resident * sysconf(_SC_PAGESIZE));
}

static void obey(const char *line, uint16_t port, int count)
{
	unsigned a, b, c;
	int i;

	if (strncmp(line, "stats", 5) == 0) {
		tell_stats();
	} else if (strncmp(line, "memory", 6) == 0) {
		tell_memory();
	} else if (sscanf(line, "connect %u", &a) == 1) {
		puts(do_connect((int)a, port) == 0 ? "ok" : "error not all associations were set up");
	} else if (sscanf(line, "pingpong %u %u", &a, &b) == 2) {
		ping_pong(a, b);
	} else if (sscanf(line, "paced %u %u %u", &a, &b, &c) == 3) {
		paced(a, b, c);
	} else if (sscanf(line, "echo %u", &a) == 1) {
		begin_load(ECHO, a);
		for (i = 0; i < count; i++)
			transmit(socks[i], SCTP_FUTURE_ASSOC, message, a);
		puts("ok");
	} else if (sscanf(line, "bulk %u", &a) == 1) {
		begin_load(BULK, a);
		if (pthread_create(&sender, NULL, run_bulk, NULL) != 0)
			die("pthread_create");
		puts("ok");
	} else if (strncmp(line, "stop", 4) == 0) {
		stop();
		puts("ok");
	} else if (strncmp(line, "echo", 4) == 0 || strncmp(line, "sink", 4) == 0) {
		atomic_store(&sinking, line[0] == 's');
		puts("ok");
	} else {
		printf("error unknown command %s", line);
	}
}

/* enlarge gives usrsctp's UDP sockets the buffers that the other stacks have. It
 * has no call for that; with the system's default, bulk is lost there and waits
 * for timeouts of a second. */
static void enlarge(uint16_t port)
{
	int size = 8 << 20, fd;

	for (fd = 3; fd < 64; fd++) {
		struct sockaddr_in a;
		socklen_t n = sizeof a;

		if (getsockname(fd, (struct sockaddr *)&a, &n) < 0 || ntohs(a.sin_port) != port)
			continue;
		if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
			setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
		if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0)
			setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	}
}

int main(int argc, char **argv)
{
	int server = argc == 2 && strcmp(argv[1], "server") == 0, count = 0;
	uint16_t port = 0;
	uint16_t own_udp = (uint16_t)(20000 + getpid() % 10000);
	char line[256];

	if (!server && !(argc == 4 && strcmp(argv[1], "client") == 0)) {
		fprintf(stderr, "usage: %s server | client UDP_PORT SCTP_PORT\n", argv[0]);
		return 2;
	}
	if (!server) {
		peer_udp = (uint16_t)atoi(argv[2]);
		port = (uint16_t)atoi(argv[3]);
	}
	if (sem_init(&room, 0, 0) < 0)
		die("sem_init");
	times = malloc(MAX_TIMES * sizeof *times);
	if (times == NULL)
		die("malloc");
	usrsctp_init(own_udp, NULL, NULL);
	enlarge(own_udp);
	usrsctp_sysctl_set_sctp_no_csum_on_loopback(0);
	usrsctp_sysctl_set_sctp_blackhole(0);
	if (server) {
		open_socket(1);
		printf("ready %u %d\n", own_udp, SERVER_PORT);
	} else {
		puts("ready");
	}
	fflush(stdout);
	while (fgets(line, sizeof line, stdin) != NULL) {
		if (sscanf(line, "connect %d", &count) == 1 && count < 1)
			count = 1;
		obey(line, port, count);
		fflush(stdout);
	}
	_exit(0);
}
