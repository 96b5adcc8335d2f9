/* SPDX-License-Identifier: Apache-2.0
 *
 * Sixteen threads do on eight descriptors all that can be done at once: send, receive,
 * wait in every way, duplicate, close, signal, cancel, fork. No message is lost, none
 * comes twice, and no call hangs. The argument is for how many seconds. Needs a registrar.
 */
#include "support.h"

#include <stdatomic.h>

enum {
	SERVERS = 4,  /* threads that echo, all with one descriptor */
	CHAOTIC = 11, /* threads that do anything; with the main one they are 16 */
	USERS = 6,    /* descriptors with a session; one serves, and one comes and goes */
	MOST = 1 << 20,
	UNDER_WAY = 64,
};

struct message {
	uint32_t user, number, check;
};

struct user {
	int fd;
	atomic_uint sent, received;
	atomic_bool seen[MOST];
};

static struct user users[USERS];
static pthread_t threads[CHAOTIC];
static pthread_barrier_t begun;
static atomic_bool over;
static atomic_uint signals;

static uint32_t check_of(const struct message *m)
{
	return (m->user * 2654435761u) ^ (m->number * 40503u) ^ 0x5bd1e995u;
}

static void *serve(void *argument)
{
	int *pe = argument;

	for (;;) {
		struct rsp_sndrcvinfo info, to;
		char buf[256];
		ssize_t n = rsp_recvmsg(*pe, buf, sizeof(buf), &info, 0);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && (errno == EBADF || errno == ENOTSOCK))
			return NULL;
		CHECK(n > 0);
		memset(&to, 0, sizeof(to));
		to.session = info.session;
		while (rsp_sendmsg(*pe, buf, (size_t)n, &to, 0) == -1)
			if (errno != EINTR) {
				CHECK(errno == ENOTCONN || errno == EBADF || errno == ENOTSOCK);
				break;
			}
	}
}

static struct user *any(unsigned *random)
{
	return &users[(size_t)rand_r(random) % USERS];
}

static void send_one(struct user *u)
{
	struct message m = {.user = (uint32_t)(u - users)};

	if (atomic_load(&u->sent) - atomic_load(&u->received) >= UNDER_WAY)
		return;
	m.number = atomic_fetch_add(&u->sent, 1);
	CHECK(m.number < MOST);
	m.check = check_of(&m);
	while (rsp_sendmsg(u->fd, &m, sizeof(m), NULL, 0) != sizeof(m))
		CHECK(errno == EINTR || errno == EAGAIN);
}

/* Returns 0 when there is nothing. */
static int receive_one(struct user *u, int fd, int flags)
{
	struct message m;
	ssize_t n = rsp_recvmsg(fd, &m, sizeof(m), NULL, flags);

	if (n == -1) {
		CHECK(errno == EINTR || errno == EAGAIN);
		return 0;
	}
	CHECK(n == sizeof(m) && m.check == check_of(&m) && &users[m.user] == u);
	CHECK(!atomic_exchange(&u->seen[m.number], 1));
	atomic_fetch_add(&u->received, 1);
	return 1;
}

static void send_some(unsigned *random)
{
	struct user *u = any(random);
	int i;

	for (i = rand_r(random) % 8; i >= 0; i--)
		send_one(u);
}

static void receive_waiting(unsigned *random)
{
	struct user *u = any(random);

	receive_one(u, u->fd, 0); /* waits for no longer than RSP_RCVTIMEO says */
}

static void receive_all(unsigned *random)
{
	struct user *u = any(random);

	while (receive_one(u, u->fd, MSG_DONTWAIT))
		;
}

static void wait_for_many(unsigned *random)
{
	struct pollfd fds[USERS];
	struct timeval limit = {0, 2000};
	int i, way = rand_r(random) % 3, highest = 0;
	fd_set in;

	FD_ZERO(&in);
	for (i = 0; i < USERS; i++) {
		fds[i] = (struct pollfd){.fd = users[i].fd, .events = POLLIN};
		FD_SET(users[i].fd, &in);
		highest = users[i].fd > highest ? users[i].fd : highest;
	}
	if (way == 0)
		CHECK(rsp_poll(fds, USERS, 2) >= 0 || errno == EINTR);
	else if (way == 1)
		CHECK(poll(fds, USERS, 2) >= 0 || errno == EINTR);
	else if (rsp_select(highest + 1, &in, NULL, NULL, &limit) == -1)
		CHECK(errno == EINTR);
	for (i = 0; i < USERS; i++)
		receive_one(&users[i], users[i].fd, MSG_DONTWAIT);
}

static void use_duplicate(unsigned *random)
{
	struct user *u = any(random);
	int fd = fcntl(u->fd, F_DUPFD_CLOEXEC, 0);

	CHECK(fd >= 0);
	send_one(u);
	receive_one(u, fd, MSG_DONTWAIT);
	CHECK(close(fd) == 0);
}

/* A session that ends while somebody waits for it. */
static void *wait_in_vain(void *argument)
{
	char buf[16];
	int *fd = argument;

	while (rsp_recvmsg(*fd, buf, sizeof(buf), NULL, 0) == -1 && errno == EINTR)
		;
	return NULL;
}

static void close_waited_for(unsigned *random)
{
	static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
	sigset_t held, before;
	pthread_t thread;
	int fd;

	if (pthread_mutex_trylock(&one) != 0)
		return;
	sigemptyset(&held);
	sigaddset(&held, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &held, &before);
	fd = connected("stress");
	say(fd, "hello");
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	CHECK(pthread_create(&thread, NULL, wait_in_vain, &fd) == 0);
	usleep((useconds_t)rand_r(random) % 2000);
	CHECK(rsp_close(fd) == 0 || errno == EINTR || errno == ETIMEDOUT);
	CHECK(pthread_join(thread, NULL) == 0);
	pthread_mutex_unlock(&one);
}

static void *receive_until_cancelled(void *argument)
{
	struct user *u = argument;

	while (!atomic_load(&over))
		receive_one(u, u->fd, 0);
	return NULL;
}

static void cancel_waiting(unsigned *random)
{
	pthread_t thread;

	CHECK(pthread_create(&thread, NULL, receive_until_cancelled, any(random)) == 0);
	usleep((useconds_t)rand_r(random) % 2000);
	CHECK(pthread_cancel(thread) == 0 && pthread_join(thread, NULL) == 0);
}

static void signal_another(unsigned *random)
{
	pthread_kill(threads[(size_t)rand_r(random) % CHAOTIC], SIGUSR1);
}

static void fork_one(unsigned *random)
{
	struct user *u = any(random);
	int status;
	pid_t child = fork();

	CHECK(child != -1);
	if (child == 0) {
		struct pollfd p = {.fd = u->fd, .events = POLLIN};
		int dead = rsp_sendmsg(u->fd, "x", 1, NULL, 0) == -1 && errno == EOWNERDEAD;

		_exit(dead && rsp_poll(&p, 1, 0) == -1 && errno == EOWNERDEAD ? 0 : 1);
	}
	while (waitpid(child, &status, 0) == -1)
		CHECK(errno == EINTR);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* How often of a thousand times. */
static const struct {
	void (*run)(unsigned *random);
	int share;
} acts[] = {
        {send_some, 380},     {receive_waiting, 200}, {receive_all, 130},    {wait_for_many, 120}, {use_duplicate, 60},
        {cancel_waiting, 40}, {signal_another, 58},   {close_waited_for, 8}, {fork_one, 4},
};

static void *do_anything(void *argument)
{
	unsigned random = (unsigned)(size_t)argument;

	pthread_barrier_wait(&begun);
	while (!atomic_load(&over)) {
		int draw = rand_r(&random) % 1000;
		size_t i;

		for (i = 0; i + 1 < sizeof(acts) / sizeof(acts[0]) && draw >= acts[i].share; i++)
			draw -= acts[i].share;
		acts[i].run(&random);
	}
	return NULL;
}

static void on_signal(int number)
{
	(void)number;
	atomic_fetch_add(&signals, 1);
}

static void all_arrive(void)
{
	long long end = now_ms() + LONG;
	unsigned total = 0;
	int i;

	for (i = 0; i < USERS; i++) {
		struct user *u = &users[i];

		while (atomic_load(&u->received) < atomic_load(&u->sent)) {
			CHECK(now_ms() < end); /* a message was lost */
			receive_one(u, u->fd, 0);
		}
		CHECK(!receive_one(u, u->fd, MSG_DONTWAIT));
		total += atomic_load(&u->sent);
	}
	printf("%u messages there and back, %u signals\n", total, atomic_load(&signals));
	CHECK(total > 0);
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_signal};
	int seconds = argc > 1 ? atoi(argv[1]) : 3, ms = 20, pe, i;
	pthread_t servers[SERVERS];

	CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
	pe = pool_element("stress");
	for (i = 0; i < SERVERS; i++)
		CHECK(pthread_create(&servers[i], NULL, serve, &pe) == 0);
	for (i = 0; i < USERS; i++) {
		users[i].fd = connected("stress");
		CHECK(rsp_setsockopt(users[i].fd, 0, RSP_RCVTIMEO, &ms, sizeof(ms)) == 0);
	}
	CHECK(pthread_barrier_init(&begun, NULL, CHAOTIC) == 0);
	for (i = 0; i < CHAOTIC; i++)
		CHECK(pthread_create(&threads[i], NULL, do_anything, (void *)(size_t)(i + 1)) == 0);
	sleep((unsigned)seconds);
	atomic_store(&over, 1);
	for (i = 0; i < CHAOTIC; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	all_arrive();
	for (i = 0; i < USERS; i++)
		CHECK(rsp_close(users[i].fd) == 0);
	CHECK(rsp_close(pe) == 0);
	for (i = 0; i < SERVERS; i++)
		CHECK(pthread_join(servers[i], NULL) == 0);
	return 0;
}
