/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "lead.h"

#include "_cgo_export.h"

#include <pthread.h>
#include <time.h>

/* An endpoint that was lent is not read for twice that time at most. */
#define PAUSE_NS 1000000

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wanted = PTHREAD_COND_INITIALIZER;
static int wants, runs;

static void *recall(void *unused)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};

	(void)unused;
	for (;;) {
		pthread_mutex_lock(&lock);
		while (!wants)
			pthread_cond_wait(&wanted, &lock);
		wants = 0;
		pthread_mutex_unlock(&lock);
		do
			nanosleep(&pause, NULL);
		while (!recall_lent());
	}
	return NULL;
}

static int start(void)
{
	pthread_attr_t attributes;
	pthread_t thread;
	int failed;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	failed = pthread_create(&thread, &attributes, recall, NULL);
	pthread_attr_destroy(&attributes);
	return !failed;
}

int recall_soon(void)
{
	int ok;

	pthread_mutex_lock(&lock);
	wants = 1;
	if (!runs)
		runs = start();
	ok = runs;
	pthread_cond_signal(&wanted);
	pthread_mutex_unlock(&lock);
	return ok;
}
