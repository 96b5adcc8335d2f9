/* SPDX-License-Identifier: Apache-2.0
 *
 * error.c - errno, and the sentence that goes with it, of each thread.
 */
#define _GNU_SOURCE
#include "front.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static _Thread_local struct rspgo_error text;
static _Thread_local int about = -1;

/* "Not yet" must not hide what a descriptor has to say about itself later. */
static int transient(int error)
{
	return error == EAGAIN || error == EINPROGRESS || error == EALREADY;
}

static int failed(int fd, int error)
{
	about = transient(error) ? -1 : fd;
	errno = error;
	return -1;
}

int fail(int fd, int error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text.text, sizeof(text.text), format, arguments);
	va_end(arguments);
	return failed(fd, error);
}

int core_failed(int fd, int64_t result)
{
	return failed(fd, (int)-result);
}

struct rspgo_error *error_space(void)
{
	return &text;
}

const char *last_error(int fd)
{
	if (fd != -1 && fd != about && !forked())
		return NULL;
	return text.text;
}
