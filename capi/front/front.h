/* SPDX-License-Identifier: Apache-2.0
 *
 * front.h - what the files of the C front share. The front is all that a
 * program links: it has no thread and starts none until the first rsp_ call.
 */
#ifndef RSERPOOL_FRONT_H
#define RSERPOOL_FRONT_H

#include "../abi.h"

#include <rserpool.h>
#include <signal.h>

/* The functions of the core. */
struct core {
#define POINTER(result, name, parameters) result(*name) parameters;
	RSPGO_FUNCTIONS(POINTER)
#undef POINTER
};

/* load.c. core() returns the functions of the core and loads it when need be;
 * NULL with the error set when it cannot be used in this process. */
const struct core *core(void);
int forked(void);

/* needs.c. Whether this process has what the core needs; -1 with the error set if
 * not. keep_environment() says what it was started with. */
int check_needs(void);
void keep_environment(char **from);

/* error.c. fail() returns -1 and sets errno, for failures the front finds.
 * core_failed() takes over -errno from the core, whose text is in
 * *error_space(). fd is the descriptor they are about, or -1. last_error()
 * returns what this thread failed with on fd, NULL if it did not. */
int fail(int fd, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));
int core_failed(int fd, int64_t result);
struct rspgo_error *error_space(void);
const char *last_error(int fd);

/* call.c. One call of the program. From begin_call() to end_call() the thread's
 * signals are held back: code of the core runs on small stacks, where a handler
 * that was installed without SA_ONSTACK has no room. wait_poll() lets them
 * through while it waits, and so none is ever missed. */
struct call {
	const struct core *go;
	const char *function;
	int fd;
	uint64_t ino;    /* of fd */
	unsigned closes; /* what closings() was before the core was asked */
	struct rspgo_lead lead;
	int64_t until; /* when waits for fd end, by the monotonic clock in ms: 0 = not known yet, -1 = never */
	sigset_t before;
};

/* Both return -1 with the error set, and then end_call() must not follow. fd of
 * begin_call() must be a socket's, begin_new_call() is for none yet. */
int begin_call(struct call *call, const char *function, int fd);
int begin_new_call(struct call *call, const char *function);
/* Returns result, without touching errno. */
ssize_t end_call(struct call *call, ssize_t result);

/* wait.c. closings() counts the sockets that were closed. await_waiters() is for who
 * closes one: it returns when nobody waits for its descriptor any more, whose number
 * may then come to stand for something else. */
unsigned closings(void);
void await_waiters(uint64_t ino);
/* Waits until the descriptor of the call is ready for events; -1 with the
 * error set after a signal, and after the time of RSP_RCVTIMEO or RSP_SNDTIMEO. */
int wait_ready(struct call *call, short events);
/* Reads what wait_ready() has found, for a call whose next try does not. */
void step(struct call *call);
/* Takes what a function of the core returned that begins what takes its time, waits
 * for the end if there is something to wait for, and fetches the outcome; -1 with the
 * error set. outcome may be NULL if it is only that. */
int wait_outcome(struct call *call, int done, struct rspgo_outcome *outcome);
/* Has the waits of a call, whatever they are for, end as those for events of its
 * descriptor do. */
void limit_wait(struct call *call, short events);
/* For calls that try first. may_wait() says whether one that got result from the
 * core is to wait: only then is it worth a system call to see how the descriptor
 * is set. tried() is how it ends; waited says that it has waited before. */
int may_wait(struct call *call, int64_t result, int flags);
ssize_t tried(struct call *call, int waited, int64_t result);

/* message.c. rsp_sendmsg() and rsp_recvmsg(), and with pieces set what vector.c
 * makes of them. */
ssize_t send_message(int fd, const void *buf, size_t len, const struct rsp_sndrcvinfo *info, int flags, int pieces);
ssize_t receive_message(int fd, void *buf, size_t len, struct rsp_sndrcvinfo *info, int flags, int pieces);
/* Their parts, for several messages in one call. The first and the last return -1
 * with the error set. */
int check_send(struct call *call, const void *buf, size_t len, const struct rsp_sndrcvinfo *info, int flags);
struct rspgo_msginfo sent_as(const struct rsp_sndrcvinfo *info);
ssize_t send_call(struct call *call, const void *buf, size_t len, struct rspgo_msginfo *info, int flags);
ssize_t checked_receive(struct call *call, void *buf, size_t len, struct rspgo_msginfo *info, int how, int flags);
void fill(struct rsp_sndrcvinfo *info, const struct rspgo_msginfo *message);

/* control.c. What several calls are given. The checks return -1 with the error
 * set. */
int check_handle(struct call *call, const void *pool, size_t size);
int check_loadinfo(struct call *call, const struct rsp_loadinfo *info);
struct rspgo_loadinfo load_of(const struct rsp_loadinfo *info);

#endif
