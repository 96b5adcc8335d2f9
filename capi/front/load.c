/* SPDX-License-Identifier: Apache-2.0
 *
 * load.c - loads the core at the first call and not before: a Go runtime starts
 * threads when it is loaded, and threads do not survive fork(2). So daemon(3)
 * and prefork servers work as long as they fork before their first call.
 */
#define _GNU_SOURCE
#include "front.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CORE_NAME "librserpool-core.so"

static struct core functions;
static char core_path[PATH_MAX] = CORE_NAME;
static char load_error[512];
static atomic_bool started;
static atomic_bool loaded;
static atomic_bool child_of_started;
static pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER;

static void note_fork(void)
{
	if (atomic_load(&started))
		atomic_store(&child_of_started, 1);
	else
		loading = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER; /* of a thread that is not here */
}

/* The core lies beside the front. Where that is must be found out before the
 * program changes its directory, for LD_LIBRARY_PATH may be relative. */
static void find_core(void)
{
	Dl_info self;
	char real[PATH_MAX];
	char *slash;

	if (dladdr(core_path, &self) == 0 || realpath(self.dli_fname, real) == NULL)
		return;
	slash = strrchr(real, '/');
	if (slash == NULL || (size_t)(slash - real) + sizeof("/" CORE_NAME) > sizeof(core_path))
		return;
	slash[1] = '\0';
	strcpy(core_path, real);
	strcat(core_path, CORE_NAME);
}

__attribute__((constructor)) static void begin(int argc, char **argv)
{
	pthread_atfork(NULL, NULL, note_fork);
	keep_environment(argv + argc + 1);
	find_core();
}

static int find_function(void *library, const char *name, void *pointer)
{
	void *symbol = dlsym(library, name);

	memcpy(pointer, &symbol, sizeof(symbol));
	return symbol != NULL;
}

static void *open_core(void)
{
	sigset_t all, before;
	void *library;

	/* Threads of the core inherit this mask: the program's signals keep
	 * going to the program's own threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	library = dlopen(core_path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return library;
}

/* How long the end of the program waits for what was sent. */
enum { LINGER = 1000 /* ms */ };

static void finish(void)
{
	struct rspgo_error error;
	sigset_t all, before;
	struct pollfd done = {.events = POLLIN};

	if (forked())
		return;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	done.fd = functions.rspgo_quit(&error);
	if (done.fd >= 0)
		poll(&done, 1, LINGER);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void load_core(void)
{
	void *library;

	/* Before dlopen: a fork in the middle of it leaves a broken child too. */
	atomic_store(&started, 1);
	library = open_core();
	if (library == NULL) {
		snprintf(load_error, sizeof(load_error),
		         "cannot load %s: %.300s; install it in the directory of librserpool.so.0, and call rsp_init "
		         "before "
		         "chroot or setuid",
		         CORE_NAME, dlerror());
		return;
	}
#define FIND(result, name, parameters)                                                                                 \
	if (!find_function(library, #name, &functions.name))                                                           \
		goto mismatch;
	RSPGO_FUNCTIONS(FIND)
#undef FIND
	if (functions.rspgo_headers() == RSPGO_HEADERS) {
		atexit(finish);
		return;
	}
mismatch:
	snprintf(load_error, sizeof(load_error),
	         "%.300s does not belong to version " RSP_VERSION " of librserpool.so.0; install both from the "
	         "same build",
	         core_path);
}

static void load(void)
{
	struct sigaction urgent;

	/* The runtime has a handler for this signal, though it does not use it. */
	sigaction(SIGURG, NULL, &urgent);
	load_core();
	sigaction(SIGURG, &urgent, NULL);
}

/* What the process lacks it may have later. Loading is no cancellation point. */
static int load_once(void)
{
	int state, result = 0;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	pthread_mutex_lock(&loading);
	if (!atomic_load(&loaded)) {
		result = check_needs();
		if (result == 0) {
			load();
			atomic_store(&loaded, 1);
		}
	}
	pthread_mutex_unlock(&loading);
	pthread_setcancelstate(state, NULL);
	return result;
}

int forked(void)
{
	return atomic_load(&child_of_started);
}

const struct core *core(void)
{
	if (forked()) {
		fail(-1, EOWNERDEAD,
		     "this process was forked after the first rsp_ call of its parent, and the library's threads "
		     "stayed there; fork before the first call, or call execve after fork");
		return NULL;
	}
	if (!atomic_load(&loaded) && load_once() == -1)
		return NULL;
	if (load_error[0] != '\0') {
		fail(-1, ELIBACC, "%s", load_error);
		return NULL;
	}
	return &functions;
}
