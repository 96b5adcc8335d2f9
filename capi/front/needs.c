/* SPDX-License-Identifier: Apache-2.0
 *
 * needs.c - what the core needs of the process. Where something is missing the Go
 * runtime ends the program, so that it is looked for before the core is loaded.
 */
#define _GNU_SOURCE
#include "front.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

/* The runtime keeps up to five descriptors and uses others at its start. */
enum { DESCRIPTORS = 8 };

/* The runtime reserves about 900 MiB of addresses; the rest is for threads and what
 * the program sends. Of memory it uses little, but takes much at its start. */
#define ADDRESSES (2048ULL << 20)
#define WRITABLE (256ULL << 20)

/* Besides one for each processor. */
enum { THREADS = 9, MOST_THREADS = 32 };

static int check_descriptors(void)
{
	int fds[DESCRIPTORS], count, error = 0;

	for (count = 0; count < DESCRIPTORS; count++) {
		fds[count] = eventfd(0, EFD_CLOEXEC);
		if (fds[count] == -1) {
			error = errno;
			break;
		}
	}
	while (count > 0)
		close(fds[--count]);
	if (error == 0)
		return 0;
	return fail(-1, error,
	            "%s: the library needs %d free descriptors to begin with; close descriptors, or raise the limit "
	            "(ulimit -n)",
	            strerror(error), DESCRIPTORS);
}

static int reserve(unsigned long long size, int protection)
{
	void *at = mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (at == MAP_FAILED)
		return -1;
	munmap(at, size);
	return 0;
}

static int check_memory(void)
{
	if (reserve(ADDRESSES, PROT_NONE) == -1)
		return fail(-1, ENOMEM,
		            "there is no room for the library in the addresses of the process: it needs %llu MiB of "
		            "them, and much less memory; raise the limit (ulimit -v)",
		            ADDRESSES >> 20);
	if (reserve(WRITABLE, PROT_READ | PROT_WRITE) == -1)
		return fail(-1, ENOMEM,
		            "there is no memory for the library: it needs room for %llu MiB of data; raise the limit "
		            "(ulimit -d)",
		            WRITABLE >> 20);
	return 0;
}

static void *pass(void *gate)
{
	pthread_mutex_lock(gate);
	pthread_mutex_unlock(gate);
	return NULL;
}

/* As many threads as the runtime begins with, all at the same time. */
static int start_threads(int want)
{
	pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
	pthread_t threads[MOST_THREADS];
	sigset_t all, before;
	int count, error = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_mutex_lock(&gate);
	for (count = 0; count < want && error == 0; count++)
		error = pthread_create(&threads[count], NULL, pass, &gate);
	if (error != 0)
		count--;
	pthread_mutex_unlock(&gate);
	while (count > 0)
		pthread_join(threads[--count], NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

static int check_threads(void)
{
	cpu_set_t cpus;
	int want = THREADS, error;

	want += sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? CPU_COUNT(&cpus) : MOST_THREADS;
	if (want > MOST_THREADS)
		want = MOST_THREADS;
	error = start_threads(want);
	if (error == 0)
		return 0;
	return fail(-1, ENOMEM,
	            "the library needs %d threads to begin with, and cannot have them: %s; raise the limit of threads "
	            "(ulimit -u; in a container that of its processes) or of memory (ulimit -v, -s)",
	            want, strerror(error));
}

static char **environment;

void keep_environment(char **from)
{
	environment = from;
}

/* The runtime looks at the environment with which the program was started. */
static const char *variable(const char *name)
{
	size_t length = strlen(name);
	char **at;

	for (at = environment; at != NULL && *at != NULL; at++)
		if (strncmp(*at, name, length) == 0 && (*at)[length] == '=')
			return *at + length + 1;
	return NULL;
}

static int refuse(const char *name, const char *value, const char *wanted)
{
	return fail(-1, EINVAL,
	            "%s=%.60s in the environment: the Go runtime inside of the library takes %s; change it, or remove "
	            "it and start the program again",
	            name, value, wanted);
}

/* As a count of bytes, with a unit or without. */
static int is_size(const char *value)
{
	static const struct {
		const char *name;
		unsigned shift;
	} units[] = {{"", 0}, {"B", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}};
	unsigned long long number;
	char *end;
	size_t i;

	if (*value < '0' || *value > '9')
		return 0;
	errno = 0;
	number = strtoull(value, &end, 10);
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(end, units[i].name) == 0)
			return errno == 0 && number <= (unsigned long long)INT64_MAX >> units[i].shift;
	return 0;
}

/* Settings with which the runtime does not start. */
static int is_fatal(const char *setting, size_t length)
{
	static const char fips[] = "fips140=", check[] = "cgocheck=";
	const char *value = memchr(setting, '=', length);
	size_t rest = value != NULL ? length - (size_t)(++value - setting) : 0;

	if (length >= sizeof(fips) - 1 && memcmp(setting, fips, sizeof(fips) - 1) == 0)
		return rest > 0 && (rest != 3 || memcmp(value, "off", 3) != 0);
	if (length >= sizeof(check) - 1 && memcmp(setting, check, sizeof(check) - 1) == 0)
		return rest != 1 || *value > '1';
	return 0;
}

static int check_variables(void)
{
	const char *memory = variable("GOMEMLIMIT"), *processors = variable("GOMAXPROCS"),
	           *settings = variable("GODEBUG");
	const char *at;

	if (memory != NULL && *memory != '\0' && strcmp(memory, "off") != 0 && !is_size(memory))
		return refuse("GOMEMLIMIT", memory, "a number of bytes, such as 512MiB, or off");
	if (processors != NULL && strtol(processors, NULL, 10) > 1024)
		return refuse("GOMAXPROCS", processors, "1 to 1024");
	for (at = settings; at != NULL && *at != '\0'; at += strcspn(at, ",")) {
		at += strspn(at, ",");
		if (is_fatal(at, strcspn(at, ",")))
			return refuse("GODEBUG", settings, "fips140=off and cgocheck=0 or 1 only");
	}
	return 0;
}

int check_needs(void)
{
	if (check_variables() == -1 || check_descriptors() == -1 || check_memory() == -1 || check_threads() == -1)
		return -1;
	return 0;
}
