/* SPDX-License-Identifier: Apache-2.0
 *
 * abi.h - what the C front (librserpool.so) and the Go core
 * (librserpool-core.so) say to each other. Private: both are built together, and
 * a front refuses a core that was built with another text of this file or of
 * rserpool.h: rspgo_headers() returns the beginning of a hash of both.
 *
 * Functions of the core never wait. They return a result, or -errno after
 * writing a sentence into *err. A socket is named by the inode number of its
 * descriptor, which unlike the descriptor's number does not come back for
 * another file; fd is the number the caller knows it by at the moment.
 */
#ifndef RSERPOOL_ABI_H
#define RSERPOOL_ABI_H

#include <stddef.h>
#include <stdint.h>

struct rspgo_loadinfo {
	uint32_t policy, weight, priority, load, degradation, life, pe_id;
};

/* No message is longer. */
#define RSPGO_LONGEST (1 << 20)

/* What was received. */
enum rspgo_kind { RSPGO_MESSAGE, RSPGO_COOKIE_ECHO, RSPGO_NOTIFICATION };

struct rspgo_msginfo {
	uint32_t session, pe_id, ppid, lifetime, length;
	uint32_t left; /* of the message, for the next call */
	uint16_t stream;
	uint8_t unordered, truncated, kind;
	uint8_t pieces; /* sent: the function is rsp_sendmsgv */
	uint8_t batch;  /* sent: it is rsp_sendmmsg */
};

/* What rspgo_send_batch takes. */
struct rspgo_sending {
	void *buf;
	size_t len;
	struct rspgo_msginfo info;
};

/* How to receive. */
#define RSPGO_PEEK 1
#define RSPGO_PLAIN 2    /* pass over what is no message */
#define RSPGO_DISCARD 4  /* what has no room is lost; the result counts it, too */
#define RSPGO_PIECES 8   /* the function is rsp_recvmsgv */
#define RSPGO_BATCH 16   /* it is rsp_recvmmsg */
#define RSPGO_DONTWAIT 32 /* it is not going to wait */

/* What rspgo_set_log takes. */
typedef void (*rspgo_log_fn)(void *, int, const char *);

#define RSPGO_WHY_SIZE 176

/* Filled instead of the buffer for an RSPGO_NOTIFICATION. */
struct rspgo_notification {
	uint32_t type, session, old_pe_id, new_pe_id, in_doubt, resent;
	int32_t error;
	char why[RSPGO_WHY_SIZE];
};

/* What a thread that waits for a socket waits for as well: it then reads the socket's
 * packets itself, in place of the threads of the core. rspgo_wait begins that, if no
 * other thread does it, and rspgo_leave ends it, which must not be forgotten: nobody
 * else reads meanwhile. rspgo_recv ends it with what it receives. */
#define RSPGO_LED 8

struct rspgo_lead {
	int waits;      /* not 0: rspgo_wait was called, and rspgo_leave was not */
	int fds[RSPGO_LED];
	unsigned count; /* of fds; 0: another thread leads, or none can */
	unsigned ready; /* a bit for each: there is something to read */
};

#define RSPGO_ERROR_SIZE 1024

struct rspgo_error {
	char text[RSPGO_ERROR_SIZE];
};

/* What takes its time is begun by rspgo_start, rspgo_find, rspgo_join, rspgo_about
 * and rspgo_room. They return an eventfd that becomes readable when it has ended:
 * rspgo_finish then takes the outcome. rspgo_abandon is for a caller that stops
 * waiting: when it does not come back and ask for the same, what has no socket is
 * undone. Both close the eventfd. */
struct rspgo_outcome {
	void *list; /* rspgo_find: struct rsp_addrinfo, all in one piece for free(3) */
	uint32_t pe_id; /* rspgo_join */
};

/* Verbs of rspgo_start. With background set it returns -EINPROGRESS instead, and
 * the socket's descriptor becomes writable at the end. An outcome that is there
 * already is returned at once, and RSPGO_CLOSE with background set is done. */
enum rspgo_verb { RSPGO_CONNECT, RSPGO_REGISTER, RSPGO_DEREGISTER, RSPGO_CLOSE, RSPGO_DRAIN, RSPGO_VERBS };

/* Returned by rspgo_start for what has ended well already. */
#define RSPGO_ENDED 0x7fffffff

struct rspgo_hints {
	int family, socktype, protocol;
	uint32_t items;
	int32_t stale, timeout, wait;
};

struct rspgo_where {
	int socktype, protocol;
	uint32_t service, addrs, addrlen;
	void *addr;
};

/* What rspgo_about tells of an element. */
enum rspgo_about { RSPGO_LEAVES, RSPGO_FAILED };

/* What rspgo_room begins ends when a session that had no room has some, and
 * fails when the session has ended. */

/* rspgo_quit is for the end of the program: it closes all sockets, and returns an
 * eventfd that becomes readable when what they had to send has arrived. */

/* F(result, name, parameters): all functions, for prototypes, pointers and the
 * loader alike. */
#define RSPGO_FUNCTIONS(F)                                                                                   \
	F(uint64_t, rspgo_headers, (void))                                                                   \
	F(int, rspgo_init, (struct rspgo_error *err))                                                        \
	F(int, rspgo_quit, (struct rspgo_error *err))                                                        \
	F(int, rspgo_socket, (int domain, int stream, struct rspgo_error *err))                              \
	F(int, rspgo_listen, (uint64_t ino, int backlog, struct rspgo_error *err))                           \
	F(int, rspgo_accept, (int fd, uint64_t ino, void *addr, size_t *len, struct rspgo_error *err))       \
	F(int, rspgo_bind, (uint64_t ino, void *addr, size_t len, struct rspgo_error *err))                  \
	F(int, rspgo_start, (int fd, uint64_t ino, int verb, void *pool, size_t pool_len,                    \
	                     struct rspgo_loadinfo *info, int background, struct rspgo_error *err))          \
	/* outcome is not NULL after rspgo_find and rspgo_join. */                                           \
	F(int, rspgo_finish, (int done, struct rspgo_outcome *outcome, struct rspgo_error *err))             \
	F(void, rspgo_abandon, (int done))                                                                   \
	F(int64_t, rspgo_send, (int fd, uint64_t ino, void *buf, size_t len, struct rspgo_msginfo *info,     \
	                        struct rspgo_error *err))                                                    \
	/* Returns how many were taken, one at least. */                                                    \
	F(int64_t, rspgo_send_batch, (int fd, uint64_t ino, struct rspgo_sending *messages, size_t count,    \
	                              struct rspgo_error *err))                                              \
	F(int64_t, rspgo_recv, (int fd, uint64_t ino, void *buf, size_t len, struct rspgo_msginfo *info,     \
	                        struct rspgo_notification *note, int how, struct rspgo_lead *lead,           \
	                        struct rspgo_error *err))                                                    \
	F(void, rspgo_wait, (uint64_t ino, struct rspgo_lead *lead))                                         \
	F(void, rspgo_step, (struct rspgo_lead *lead))                                                       \
	F(void, rspgo_leave, (struct rspgo_lead *lead))                                                      \
	F(int, rspgo_send_cookie, (int fd, uint64_t ino, void *buf, size_t len, uint32_t session,            \
	                           struct rspgo_error *err))                                                 \
	F(int, rspgo_close_session, (uint64_t ino, uint32_t session, int abort, struct rspgo_error *err))    \
	F(int, rspgo_setopt, (uint64_t ino, uint32_t session, int option, void *value, size_t len,           \
	                      struct rspgo_error *err))                                                      \
	F(int, rspgo_getopt, (uint64_t ino, uint32_t session, int option, void *value, size_t *len,          \
	                      struct rspgo_error *err))                                                      \
	F(int, rspgo_setload, (uint64_t ino, struct rspgo_loadinfo *info, struct rspgo_error *err))          \
	F(int, rspgo_name, (uint64_t ino, int peer, void *pool, size_t *pool_len, uint32_t *pe_id,           \
	                    struct rspgo_error *err))                                                        \
	F(int, rspgo_bindx, (uint64_t ino, void *addrs, int count, struct rspgo_error *err))                 \
	F(int, rspgo_addresses, (uint64_t ino, uint32_t session, int peer, void *addrs, size_t *len,         \
	                         struct rspgo_error *err))                                                   \
	/* What is known already is in the outcome, and RSPGO_ENDED returned. */                             \
	F(int, rspgo_find, (void *pool, size_t pool_len, struct rspgo_hints *hints,                          \
	                    struct rspgo_outcome *outcome, struct rspgo_error *err))                         \
	F(int, rspgo_join, (void *pool, size_t pool_len, struct rspgo_where *where,                          \
	                    struct rspgo_loadinfo *info, struct rspgo_error *err))                           \
	F(int, rspgo_about, (int what, void *pool, size_t pool_len, uint32_t pe_id, struct rspgo_error *err)) \
	F(int, rspgo_room, (uint64_t ino, uint32_t session, struct rspgo_error *err))                       \
	/* Waits until the former function has returned. */                                                  \
	F(int, rspgo_set_log, (rspgo_log_fn function, void *argument, int level, struct rspgo_error *err))   \
	F(int, rspgo_last_error, (uint64_t ino, struct rspgo_error *err))

#endif
