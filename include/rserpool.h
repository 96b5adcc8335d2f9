/* SPDX-License-Identifier: Apache-2.0
 *
 * rserpool.h - Reliable Server Pooling (RFC 5351 to 5356) with the functions of
 * draft-ietf-rserpool-api-00: the socket API with an rsp_ prefix.
 *
 * Link with -lrserpool. This header is the manual of the library; the manual
 * pages librserpool(7) and rsp_socket(3) to rsp_version(3) say the same. For C++17
 * rserpool.hpp makes classes of it.
 *
 * Words. A pool element (PE) is a server in a named pool, a pool user (PU) a
 * client of a pool, a registrar keeps the list of pools. A pool handle is the
 * pool's name: any bytes, with a length and without a terminator. A session is
 * what a PU has with a pool: messages in both directions with one PE, and with
 * another one after that PE has failed.
 *
 * A PU:   rsp_socket, rsp_connect, rsp_sendmsg/rsp_recvmsg, rsp_close.
 * A PE:   rsp_socket, rsp_bind, rsp_register, then rsp_recvmsg tells in its info
 *         argument which session a message came from, and rsp_sendmsg with that
 *         info answers it. One descriptor serves all sessions; or, with SOCK_STREAM,
 *         rsp_listen and rsp_accept make one for each of them.
 * With a transport of one's own, such as TCP: a PE calls rsp_pe_registration, a PU
 *         rsp_getaddrinfo and rsp_pe_failure (the basic mode, near the end).
 *
 * Results. Functions behave like the socket call they are named after: on
 * failure they return -1 and set errno, and rsp_errmsg() then has a sentence
 * that says what failed, why, and what to do about it. They never raise SIGPIPE.
 *
 * Descriptors. What rsp_socket() returns is a real file descriptor. poll(2),
 * select(2), epoll(7) and event loops built on them work on it: it is readable
 * when rsp_recvmsg(), or rsp_accept(), would return something and writable when
 * rsp_sendmsg() would not block: with several sessions, for one of them at least.
 * These calls of the system work on it: poll(2), select(2), epoll(7); fcntl(2) with
 * F_SETFL and O_NONBLOCK, F_SETFD, F_DUPFD; dup(2), which makes a second name for the
 * same socket; fstat(2); setsockopt(2) and getsockopt(2) with SO_RCVTIMEO and
 * SO_SNDTIMEO. No others: the file is one end of a socketpair(2), which read(2),
 * write(2), send(2), recv(2), shutdown(2) and other options reach, and not the SCTP
 * socket. So SO_ERROR knows nothing of an rsp_connect() that went on in the background
 * and failed, nor does POLLERR: ask for RSP_ERROR with rsp_getsockopt(), or call
 * rsp_connect() again. It is closed by rsp_close(); what close(2) does is said there.
 *
 * Blocking. Functions wait unless the descriptor has O_NONBLOCK or the call
 * MSG_DONTWAIT, and as long as RSP_RCVTIMEO and RSP_SNDTIMEO let them. A signal
 * handler that runs ends the wait with EINTR, whether or not it was installed with
 * SA_RESTART; this is how poll(2) behaves. Waits are cancellation points of
 * pthread_cancel(3).
 *
 * Threads. All functions may be called from any thread, also on one descriptor
 * by several at once. rsp_close() ends waits of other threads with EBADF.
 *
 * Ownership. The library copies what it is given; no pointer is kept after a
 * call, and nothing it returns needs to be freed but the list of rsp_getaddrinfo().
 *
 * fork. The library starts its threads at the first call, not when the program
 * starts: daemon(3) and prefork servers work as long as they fork before their
 * first rsp_ call. In a child forked later every function fails with EOWNERDEAD
 * until it calls execve(2); its copies of descriptors are for close(2), and as long
 * as it has them the local port may stay in use. A program that gives up rights, or
 * changes its root directory, calls rsp_init() before: daemon(3) first, then
 * rsp_init(), then chroot(2), then setuid(2); of prefork servers each worker.
 *
 * Errors that every function with a descriptor can return, besides its own:
 *   EBADF       fd is not open, or was closed meanwhile
 *   ENOTSOCK    fd is open, but not from rsp_socket()
 *   EOWNERDEAD  this process was forked after the library's first use
 *   ELIBACC     librserpool-core.so was not found beside librserpool.so
 *   EMFILE, ENFILE, ENOMEM, EINVAL  at the first call, and until they are there:
 *               the library lacks descriptors (8), addresses (2 GiB) or room for
 *               data (256 MiB, of which it uses little), or threads (6 and one for
 *               each processor); or a variable of the Go runtime inside of it
 *               (GOMEMLIMIT, GOMAXPROCS, GODEBUG) has a value with which that does
 *               not start
 *   EIO         a defect inside the library, reported on standard error
 * rsp_errmsg() and rsp_version() work in any process.
 *
 * Environment: RSERPOOL_REGISTRARS says where the registrars are; librserpool(7)
 * has the other variables. rsp_socket() reads them. Files that they name are regular
 * ones of up to 64 KiB.
 */
#ifndef RSERPOOL_H
#define RSERPOOL_H

#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>

/* The version of this header; rsp_version() has that of the library in use. */
#define RSP_VERSION_MAJOR 0
#define RSP_VERSION_MINOR 1
#define RSP_VERSION_PATCH 0
#define RSP_VERSION "0.1.0"
#define RSP_VERSION_NUMBER ((RSP_VERSION_MAJOR << 16) | (RSP_VERSION_MINOR << 8) | RSP_VERSION_PATCH)

#if defined(__GNUC__)
#define RSP_API __attribute__((visibility("default")))
#else
#define RSP_API
#endif

/* Programs written for BSD set server_addr.sin_len, a member that Linux does
 * not have. So that they compile unchanged the name stands for the first byte of
 * the padding at the end of struct sockaddr_in, which nothing reads. Define
 * RSP_NO_SIN_LEN before the header is included to switch this off. */
#if defined(__linux__) && !defined(RSP_NO_SIN_LEN) && !defined(sin_len)
#define sin_len sin_zero[0]
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The longest pool handle, in bytes, for users, elements and registrars; with
 * RSERPOOL_COMPAT=rsplib it is 32, the longest that RSPLIB has. */
#define RSP_POOL_MAX 1024

/* Pool member selection policies (RFC 5356; codes of RFC 5354 section 3.8). All
 * elements of a pool use the same one. In brackets the values of struct
 * rsp_loadinfo that each uses; the others must be zero. */
#define RSP_ROUND_ROBIN 0x00000001U            /* one after the other */
#define RSP_WEIGHTED_ROUND_ROBIN 0x00000002U   /* [weight] */
#define RSP_RANDOM 0x00000003U                 /* any */
#define RSP_WEIGHTED_RANDOM 0x00000004U        /* [weight] */
#define RSP_PRIORITY 0x00000005U               /* [priority] the highest */
#define RSP_LEAST_USED 0x40000001U             /* [load] the lowest */
#define RSP_LEAST_USED_DEGRADATION 0x40000002U /* [load, degradation] */
#define RSP_PRIORITY_LEAST_USED 0x40000003U    /* [load, degradation] */
#define RSP_RANDOMIZED_LEAST_USED 0x40000004U  /* [load] */

/* How a pool element wants to be used. Set all of it to zero first: zero is the
 * default of every member, and later versions turn reserved ones into members. */
struct rsp_loadinfo {
	uint32_t policy;      /* RSP_ROUND_ROBIN ...; 0 = RSP_ROUND_ROBIN */
	uint32_t weight;      /* share of the requests, in proportion; 0 = none */
	uint32_t priority;    /* larger is chosen first */
	uint32_t load;        /* of the element, 0 to 0xffffffff = 100 % */
	uint32_t degradation; /* load that one more session adds, same scale */
	uint32_t life;        /* seconds that a registration outlives the element; 0 = 300 */
	uint32_t pe_id;       /* PE identifier; 0 = the library chooses one */
	uint32_t reserved[9]; /* zero */
};

/* What goes with a message: rsp_recvmsg() fills all of it, rsp_sendmsg() reads
 * it. Set all of it to zero before filling it by hand. */
struct rsp_sndrcvinfo {
	uint32_t session;     /* the session; 0 = the one that rsp_connect() made */
	uint32_t pe_id;       /* received: PE identifier of the sender, 0 = a pool user that is
	                         no element itself; sent: ignored */
	uint32_t ppid;        /* SCTP payload protocol identifier, host byte order; 11 is
	                         ASAP's own and refused (RFC 5352 section 5) */
	uint32_t lifetime;    /* sent: discard the message if it could not be sent for so
	                         many milliseconds, 0 = never; received: 0 */
	uint32_t flags;       /* RSP_UNORDERED, RSP_MSG_... */
	uint16_t stream;      /* SCTP stream, 0 to RSP_STREAMS - 1 */
	uint16_t reserved16;  /* zero */
	uint32_t length;      /* received: of the whole message, also when this is a part
	                         of it; sent: ignored */
	uint32_t reserved[9]; /* zero */
};

/* Streams of a session towards its peer. A peer that is not of this library may take
 * fewer; a message that it has no stream for is undelivered. */
#define RSP_STREAMS 64

/* Flags in struct rsp_sndrcvinfo. */
#define RSP_UNORDERED 0x00000001U /* the message may overtake others */
#define RSP_MSG_EOR 0x00000080U   /* received: this is the whole message or its last part;
                                     the next call continues a message that comes without
                                     it; sent: ignored */
#define RSP_MSG_TRUNC 0x00000100U /* received: the buffer was too small, and the rest is lost:
                                     that of a notification, or with MSG_TRUNC; sent: ignored */
#define RSP_MSG_NOTIFICATION 0x00000200U /* received: no message, but a union
                                            rsp_notification; sent: ignored */
#define RSP_MSG_COOKIE_ECHO 0x00000400U  /* received: no message, but the state that
                                            rsp_send_cookie() left; sent: ignored */

/* Notifications: what rsp_recvmsg() puts into the buffer, with
 * RSP_MSG_NOTIFICATION in info->flags, when something happened that the option
 * RSP_NOTIFICATIONS asks for; none by default. They come in order with the
 * messages of their session. A call with info NULL passes over them. Give a buffer
 * of sizeof(union rsp_notification) bytes or more. */
#define RSP_SESSION_ADDED 1      /* .session: it stands; the first of its session */
#define RSP_SESSION_REMOVED 2    /* .session: it has ended without the program's doing;
                                    the last of its session */
#define RSP_FAILOVER_BEGUN 3     /* .failover: the element old_pe_id serves the session no
                                    longer; the library looks for another one */
#define RSP_FAILOVER_COMPLETED 4 /* .failover: the element new_pe_id serves it now */
#define RSP_SHUTDOWN 5           /* .head: the other side ends the session and takes nothing
                                    more; or, at an element, RSP_DRAIN was asked for:
                                    answer what came, leave a last cookie */
#define RSP_COOKIE_REJECTED 6    /* .head: a pool user brought a cookie that is forged or
                                    has expired; the session begins without state */
#define RSP_UNDELIVERED 7        /* .undelivered: a message of this side was not delivered
                                    and will not be. The message itself follows, as far
                                    as the buffer has room */
#define RSP_SEND_READY 8         /* .head: the session, for which rsp_sendmsg() said EAGAIN or
                                    waited, has room again. There is one at a time that
                                    is not received */

/* Bits of the option RSP_NOTIFICATIONS. */
#define RSP_NOTIFY_SESSIONS 0x1U /* RSP_SESSION_ADDED, RSP_SESSION_REMOVED */
#define RSP_NOTIFY_FAILOVER 0x2U /* RSP_FAILOVER_BEGUN, RSP_FAILOVER_COMPLETED */
#define RSP_NOTIFY_SHUTDOWN 0x4U /* RSP_SHUTDOWN */
#define RSP_NOTIFY_COOKIES 0x8U  /* RSP_COOKIE_REJECTED */
#define RSP_NOTIFY_UNDELIVERED 0x10U /* RSP_UNDELIVERED */
#define RSP_NOTIFY_SEND_READY 0x20U  /* RSP_SEND_READY */
#define RSP_NOTIFY_ALL 0x3fU

/* What every notification begins with. */
struct rsp_notification_head {
	uint32_t type;     /* RSP_SESSION_ADDED ... */
	uint32_t session;  /* the session that it is about */
	int32_t error;     /* what failed, as errno; 0 when nothing did */
	uint32_t reserved; /* zero */
	char why[176];     /* the same in words, with a NUL at the end; maybe empty */
};

struct rsp_session_change {
	struct rsp_notification_head head;
	uint32_t pe_id;        /* of the element that serves it; 0 at an element */
	uint32_t reserved[15]; /* zero */
};

struct rsp_failover {
	struct rsp_notification_head head;
	uint32_t old_pe_id;    /* of the element that was lost */
	uint32_t new_pe_id;    /* RSP_FAILOVER_COMPLETED: of the next one; else 0 */
	uint32_t in_doubt;     /* messages in doubt: delivered to the old element, but neither
	                          answered nor covered by a cookie. One message from an
	                          element counts as the answer to one to it: exact for
	                          requests with one answer each, and otherwise too many
	                          rather than too few */
	uint32_t resent;       /* RSP_FAILOVER_COMPLETED: messages that are sent again,
	                          behind the cookie and before newer ones */
	uint32_t reserved[12]; /* zero */
};

/* The stream, the PPID and RSP_UNORDERED of the message are those in struct
 * rsp_sndrcvinfo. What reached another element after a failover was delivered; what
 * was delivered to a peer that then failed is in doubt, and not told of here. */
struct rsp_undelivered {
	struct rsp_notification_head head;
	uint32_t pe_id;        /* of the element that it was for; 0 at an element */
	uint32_t length;       /* of the message, in bytes; it begins at sizeof(union
	                          rsp_notification) */
	uint32_t reserved[14]; /* zero */
};

union rsp_notification {
	uint32_t type; /* RSP_SESSION_ADDED ... */
	struct rsp_notification_head head;
	struct rsp_session_change session;
	struct rsp_failover failover;
	struct rsp_undelivered undelivered;
};

/* rsp_init - begin to use the library now, and not with the first other call.
 *
 * Never needed, but where files cannot be read later, after chroot(2) or setuid(2):
 * it loads the core of the library, which starts the threads, and reads the
 * configuration file and that of the pool's key, which hold for all sockets made later
 * as long as the environment names the same ones. Only the names of registrars, not
 * their addresses, need files after that: those of gethostbyname(3). It may be
 * called again, and then reads the files anew.
 *
 * Returns 0. Waits for nothing but files.
 * Errors: EINVAL for a wrong value in an environment variable or a file; EOWNERDEAD,
 * ELIBACC, EIO, and at the first call EMFILE, ENFILE, ENOMEM, as said above. */
RSP_API int rsp_init(void);

/* rsp_socket - make a socket.
 *
 * domain is AF_INET, or AF_INET6 for both families (as a dual-stack socket);
 * type is SOCK_DGRAM or SOCK_SEQPACKET, which are the same here, one descriptor for
 * all sessions; or SOCK_STREAM, with which an element has one for each, from
 * rsp_accept(). What is sent are messages with bounds in any case, as with SCTP's
 * own sockets of these types (RFC 6458 sections 3 and 4). SOCK_CLOEXEC and SOCK_NONBLOCK may be added; the descriptor is
 * close-on-exec in any case. protocol is IPPROTO_SCTP or 0.
 *
 * Returns a descriptor. Does not wait.
 * Errors: EAFNOSUPPORT, ESOCKTNOSUPPORT, EPROTONOSUPPORT for arguments other
 * than these; EINVAL for a wrong value in an environment variable; EMFILE,
 * ENFILE, ENOBUFS. */
RSP_API int rsp_socket(int domain, int type, int protocol);

/* rsp_bind - give a socket its local address, as bind(2).
 *
 * A pool element is reached at this address; with the wildcard address, at the
 * addresses of this host. Port 0 chooses a free one, which rsp_getlocaladdrs()
 * tells. An element that is bound to a loopback address is known on this host only.
 * RSP_ADVERTISE gives it others, behind a NAT for one. A socket that is not bound takes a free port of the wildcard address at its
 * first use.
 *
 * Does not wait.
 * Errors: EADDRINUSE, EADDRNOTAVAIL, EACCES (ports below 1024 need privileges),
 * EAFNOSUPPORT (not the socket's family), EINVAL (bound already, or len is too
 * small), EFAULT. */
RSP_API int rsp_bind(int fd, const struct sockaddr *addr, socklen_t len);

/* rsp_bindx - give a socket several local addresses, as sctp_bindx(3) packs them: count
 * of them, one behind the other, each a struct sockaddr_in or, for AF_INET6 only, a
 * struct sockaddr_in6, which may alternate. All have the same port; 0 chooses one
 * that is free on all of them. flags is 0.
 *
 * A session then goes on over the others when one address, or the network behind it,
 * fails (multihoming, RFC 9260 section 6.4), and a pool element is registered with
 * all of them. Addresses cannot be added or removed later. A peer is looked for at
 * every one: give only such as it can reach.
 *
 * Does not wait.
 * Errors: those of rsp_bind(), and EINVAL (count is not 1 to RSP_ADDRS_MAX, the ports
 * differ, unknown flags). When it fails the socket has no address. */
RSP_API int rsp_bindx(int fd, const struct sockaddr *addrs, int count, int flags);
#define RSP_ADDRS_MAX 64

/* rsp_listen - take the sessions of pool users one by one with rsp_accept().
 *
 * Only for sockets of type SOCK_STREAM. rsp_register() makes the socket known to pool
 * users, before or after this; sessions wait from then on. backlog is how many may
 * wait, 1 to 4096, and what is outside of that is brought to the nearest of them, as by
 * listen(2); rsp_listen() may be called again to change it. More sessions than
 * that are not refused, for what their pool users had sent would be lost: the
 * first message of each is taken, and then its pool user has to wait until those
 * before it are accepted. (With 4096 waiting, further ones are refused.)
 *
 * Does not wait.
 * Errors: EOPNOTSUPP (the type is another one), EISCONN (the socket is connected, or
 * is from rsp_accept()). */
RSP_API int rsp_listen(int fd, int backlog);

/* rsp_accept - return a descriptor for the next session that waits, as accept(2).
 *
 * A session begins with the first message of a pool user, or with the cookie that it
 * brings from another element. What it sent is received by the new descriptor, also
 * if it has ended meanwhile. If addr is not NULL an address of the pool user is
 * written there, a struct sockaddr_in or, for AF_INET6, sockaddr_in6, and its length
 * to *len, which is the room before; of a pool user that has gone it is the wildcard
 * address.
 *
 * The descriptor blocks, whatever fd does, and is close-on-exec. It is used like
 * any other: rsp_recvmsg(), rsp_sendmsg(), rsp_send_cookie(), with session 0 or its
 * own one; rsp_setsockopt() for the options of its session, which begins with those
 * of fd; rsp_getsockname() tells the pool and the PE identifier, rsp_getpeername() the
 * pool of a pool user that is an element itself, and else an empty name. Notifications
 * about a session come to its descriptor. When the session has ended rsp_recvmsg()
 * returns 0 behind the last message, or fails with ECONNRESET when the pool user
 * was lost. rsp_close() ends the session; the pool user then goes
 * on with another element.
 *
 * The sessions outlive the listening socket: rsp_close() of that one deregisters,
 * ends the sessions that were not accepted, and refuses new ones. Pool users
 * that were accepted stay. What they all share, such as the address, is let go with
 * the last descriptor. rsp_deregister_flags() with RSP_DRAIN moves the sessions of
 * all descriptors.
 *
 * Waits for a session.
 * Errors: EAGAIN (it would have to wait), EINVAL (rsp_listen() was not called),
 * EOPNOTSUPP (the type is not SOCK_STREAM), EMFILE, ENFILE (the session still waits),
 * EFAULT, EINTR. */
RSP_API int rsp_accept(int fd, struct sockaddr *addr, socklen_t *len);

/* rsp_connect - make a session with the pool of this handle (RFC 5352 section
 * 2.2, handle resolution; RFC 5351 section 3.2).
 *
 * Asks a registrar for the pool's elements, takes one as the pool's policy says
 * and connects to it. When that element fails later the session moves to
 * another one by itself. A pool or a registrar that is not there yet is waited for,
 * by default 2 seconds (RSP_CONNECT_WAIT), before the call fails with ENOENT or
 * EHOSTUNREACH; where nobody even refuses, that takes longer. One to which
 * no way leads counts as one that is not there yet: the network may come up. When the pool's elements
 * are there and do not answer, one after the other is tried for RSP_FAILOVER_LIMIT,
 * 15 seconds by default, and some more for the last attempt.
 *
 * The element hears of a session with its first message: the pool user speaks
 * first. Where the protocol wants the server to, send a message that asks for it.
 * A socket that is registered may connect as well; elements that are pool users of this
 * very socket are passed over, for two endpoints have one association at most: use
 * another socket for one of the roles.
 *
 * Waits for the connection. With O_NONBLOCK it fails with EINPROGRESS at once
 * and goes on in the background: the descriptor is writable when it has ended,
 * and another rsp_connect() then fails with EISCONN if it succeeded, or with the
 * reason why it did not; option RSP_ERROR has that, too. EALREADY means that it still goes on. After EINTR it
 * goes on as well; another rsp_connect() waits for the same connection.
 * Errors: ENOENT (the registrar knows no such pool), EHOSTUNREACH or ETIMEDOUT
 * (no registrar, or none of the pool's elements, answers), EISCONN, EINVAL (the
 * handle is empty or longer than RSP_POOL_MAX), EFAULT, EINTR. */
RSP_API int rsp_connect(int fd, const void *pool, size_t pool_len);

/* rsp_register - make the socket an element of the pool of this handle, which
 * begins to exist with its first element (RFC 5352 section 2.2.1).
 *
 * The registration is renewed and moved to another registrar when need be,
 * until rsp_deregister() or rsp_close(). On a socket that is registered in this
 * pool already it changes the policy's values, such as the load.
 *
 * If no registrar is configured and none answers on this host, one is started
 * inside this process, with a line on standard error, or for rsp_set_log(); see
 * librserpool(7). A configured one that is not there yet is waited for
 * (RSP_CONNECT_WAIT).
 *
 * Waits for the registrar's answer. With O_NONBLOCK it fails with EINPROGRESS
 * at once and goes on in the background: the descriptor is writable when it has
 * ended, and another rsp_register() then returns the outcome. EALREADY means
 * that it still goes on. After EINTR it goes on as well; another rsp_register()
 * waits for the same answer.
 * Errors: EHOSTUNREACH or ETIMEDOUT (no registrar answers), ECONNREFUSED,
 * EACCES, EADDRINUSE, ENOBUFS, EINVAL (the registrar refuses; rsp_errmsg() has
 * its reason), EISCONN (registered in another pool), EINVAL (the handle is empty
 * or longer than RSP_POOL_MAX, unknown policy, a value that the policy does not
 * use, a reserved member that is not zero), EFAULT, EINTR. */
RSP_API int rsp_register(int fd, const void *pool, size_t pool_len, const struct rsp_loadinfo *info);

/* rsp_deregister - take the socket out of its pool (RFC 5352 section 2.2.2).
 *
 * Sessions that stand go on; new ones are not sent here any more.
 *
 * rsp_deregister_flags - the same with flags: 0, or RSP_DRAIN. That moves the
 * sessions to other elements, and nothing is lost: each pool user is told to stop
 * and to move on, what it has sent is still received and can be answered. Go on
 * receiving meanwhile, in another thread or with O_NONBLOCK; on RSP_SHUTDOWN,
 * which is told where RSP_NOTIFY_SHUTDOWN asks for it, leave a last cookie. The
 * library ends a session about 50 ms after everything was answered and the last
 * cookie sent, and one second after the last call for it otherwise. It returns
 * when all have moved, and after 30 seconds (option RSP_DRAIN_LIMIT) with ETIMEDOUT:
 * those that were left then are ended.
 *
 * Waits for the registrar's answer; with O_NONBLOCK as rsp_register().
 * Errors: ENOTCONN (not registered), EHOSTUNREACH, ETIMEDOUT (the registration
 * is then not renewed and ends by itself), EINVAL (unknown flags), EINTR. */
RSP_API int rsp_deregister(int fd);
RSP_API int rsp_deregister_flags(int fd, int flags);
#define RSP_DRAIN 0x1

/* rsp_setload - change the values of the policy, such as the load, of a pool
 * element (a re-registration, RFC 5352 section 2.2.1).
 *
 * As often as the program likes: the registrar is told the newest values at most
 * once a second (RSP_LOAD_INTERVAL), the first change at once. policy must be what rsp_register() was
 * given, and so must pe_id and life, if they are not zero.
 *
 * Does not wait. When the registrar refuses, rsp_errmsg() has the reason, and the
 * old values stay.
 * Errors: ENOTCONN (not registered), EINVAL (as rsp_register(), or policy, pe_id or
 * life differ), EFAULT. */
RSP_API int rsp_setload(int fd, const struct rsp_loadinfo *info);

/* rsp_sendmsg - send one message.
 *
 * info may be NULL or 0: the session that rsp_connect() made, in order, stream
 * 0. It may be a pointer to a struct rsp_sndrcvinfo, or that structure itself
 * (in C11 and C++): what rsp_recvmsg() filled sends the answer to where the
 * message came from. flags: MSG_DONTWAIT; MSG_NOSIGNAL and MSG_EOR change
 * nothing.
 *
 * Returns len: a message is sent whole or not at all. Success means that the
 * library has taken it; it then reaches the element that serves the session, or
 * the next one. Waits while there is no room in the send buffer of the session.
 *
 * With a peer that does not read that can last for ever, and an element that serves
 * all its sessions in one thread serves none of them meanwhile. Either RSP_SEND_LIMIT
 * bounds it: then that session alone fails. Or MSG_DONTWAIT says EAGAIN, for the session that
 * has no room; RSP_SEND_READY tells when that one has some again. POLLOUT does
 * not: it is on while any of the sessions has room, or there is none. A session that
 * had no room counts as having some again when half of its send buffer is free: those who
 * wait are not woken for each message.
 *
 * Delivery: within a session to one element exactly once and in order. When the
 * element fails, what the transport did not deliver goes to the next one, in
 * order and before newer messages; what the old one had received and not acted
 * on is in doubt, and RSP_FAILOVER_BEGUN says how many messages that can be. With
 * the option RSP_REPLAY, the state that travels in cookies reflects every message
 * exactly once.
 *
 * Errors: EAGAIN (it would have to wait), ENOTCONN (no session, or no such
 * session any more), EHOSTUNREACH and others (the session has failed, with the
 * reason), ETIMEDOUT (it has, for RSP_SEND_LIMIT was over), EMSGSIZE (more than 1 MiB), EINVAL (len is 0, PPID 11, a stream that does
 * not exist, unknown flags in info, a reserved member that is not zero), EOPNOTSUPP (unknown flags),
 * EFAULT, EINTR. */
RSP_API ssize_t rsp_sendmsg(int fd, const void *buf, size_t len, const struct rsp_sndrcvinfo *info,
                            int flags);

/* rsp_recvmsg, rsp_rcvmsg - receive one message. The slides spell it both ways.
 *
 * info may be NULL: then cookie echoes and notifications are passed over.
 * Otherwise it is filled; look for RSP_MSG_NOTIFICATION and RSP_MSG_COOKIE_ECHO in
 * info->flags: the latter is only received by an element, to which a session
 * comes with a cookie of another one, and is the first of its session.
 *
 * A message that is longer than the buffer comes in parts, with as many calls as it
 * takes, and nothing of another session in between; the last part has RSP_MSG_EOR in
 * info->flags (partial delivery, RFC 6458 section 4.1.8). Only of notifications
 * is lost what does not fit. When several threads receive from one descriptor, each
 * needs room for whole messages: rsp_sendmsg() takes up to 1 MiB.
 * flags: MSG_DONTWAIT; MSG_PEEK leaves what is received to be received again;
 * MSG_TRUNC drops what does not fit instead, and returns the number of bytes that
 * there were, as recv(2) does with datagrams.
 *
 * Returns the number of bytes received. Messages are never empty, so 0 is only
 * returned when len is 0, for the cookie echo of an empty state, and when the
 * session of a descriptor from rsp_accept() has ended. Waits for a message; messages
 * of a session arrive in order.
 * Errors: EAGAIN (it would have to wait), EHOSTUNREACH and others (the session
 * that rsp_connect() made has failed for good, with the reason), ECONNRESET
 * (the pool user of a descriptor from rsp_accept() was lost), ENOTCONN (SOCK_STREAM,
 * and not connected), EOPNOTSUPP (unknown flags), EFAULT, EINTR. */
RSP_API ssize_t rsp_recvmsg(int fd, void *buf, size_t len, struct rsp_sndrcvinfo *info, int flags);
RSP_API ssize_t rsp_rcvmsg(int fd, void *buf, size_t len, struct rsp_sndrcvinfo *info, int flags);

/* rsp_sendmsgv, rsp_recvmsgv - rsp_sendmsg() and rsp_recvmsg() with a message that
 * lies in count pieces of memory, one after the other (writev(2), readv(2)).
 *
 * The pieces are copied into one and back, which rsp_sendmsg() and rsp_recvmsg()
 * with a buffer that is long enough do not need.
 * Errors: theirs, and EINVAL (count is negative or more than RSP_PIECES_MAX, or
 * the lengths are absurd), ENOMEM. */
RSP_API ssize_t rsp_sendmsgv(int fd, const struct iovec *pieces, int count, const struct rsp_sndrcvinfo *info,
                             int flags);
RSP_API ssize_t rsp_recvmsgv(int fd, const struct iovec *pieces, int count, struct rsp_sndrcvinfo *info,
                             int flags);
#define RSP_PIECES_MAX 1024

/* One message of several. */
struct rsp_mmsghdr {
	void *buf;                  /* the message, or room for one */
	size_t len;                 /* its length, or the room */
	size_t received;            /* rsp_recvmmsg(): what rsp_recvmsg() would have returned */
	struct rsp_sndrcvinfo info; /* as for rsp_sendmsg(), or as rsp_recvmsg() fills it */
};

/* rsp_sendmmsg, rsp_recvmmsg - rsp_sendmsg() and rsp_recvmsg() for count messages at a
 * time, 1 to RSP_BATCH_MAX, as sendmmsg(2) and recvmmsg(2).
 *
 * Small messages of one session that are sent together travel in as few packets as it
 * takes (not with the kernel's SCTP). rsp_sendmmsg() sends them in order, and waits where there is no room.
 * rsp_recvmmsg() waits for the first only, and takes what there is: one of them may
 * be a notification or a part of a message, and the end of the session of a descriptor
 * from rsp_accept() is the last. flags: MSG_DONTWAIT; MSG_NOSIGNAL, or MSG_TRUNC.
 *
 * Return how many messages were sent or received. When that is fewer than count, and
 * not because there were no more, the next call for the rest tells the reason.
 * Errors: theirs, for the first message, and EINVAL (count), EFAULT (msgs is NULL). */
RSP_API int rsp_sendmmsg(int fd, const struct rsp_mmsghdr *msgs, unsigned int count, int flags);
RSP_API int rsp_recvmmsg(int fd, struct rsp_mmsghdr *msgs, unsigned int count, int flags);
#define RSP_BATCH_MAX 1024

/* rsp_send_cookie - leave the state of a session with its pool user (RFC 5352
 * section 3.8).
 *
 * Only for elements; session is that of struct rsp_sndrcvinfo. The pool user's
 * library keeps the last state. When the session moves, the element that takes it
 * over receives it before any message of the session, with RSP_MSG_COOKIE_ECHO in
 * info->flags. It stands for all messages of the session that were received
 * before this call. Answer these before it: then an answer may come twice
 * after a failover, but none is missing. With the option RSP_POOL_KEY it is
 * encrypted and authenticated. flags: MSG_DONTWAIT.
 *
 * Waits while there is no room, as rsp_sendmsg().
 * Errors: EAGAIN (it would have to wait), ENOTCONN (no such session, or not any
 * more), ETIMEDOUT (RSP_SEND_LIMIT), EMSGSIZE (more than RSP_COOKIE_MAX bytes), EINVAL (a pool user's session, or
 * the element was registered with RSP_DATA_ONLY), EOPNOTSUPP (unknown flags),
 * EFAULT, EINTR. */
RSP_API int rsp_send_cookie(int fd, const void *cookie, size_t len, uint32_t session, int flags);
#define RSP_COOKIE_MAX 60000

/* rsp_close_session - end one session, and leave the others and the socket alone.
 *
 * session is that of struct rsp_sndrcvinfo; 0 is the one that rsp_connect() made, after
 * which the socket can be connected again, or that of a descriptor from rsp_accept(),
 * which has to be closed nevertheless. flags is 0: what was sent still arrives; or
 * RSP_ABORT: what has not arrived is lost, and the peer is told that the session was
 * aborted (RFC 9260 section 9). In both cases what was received and not read is
 * dropped, and no notification follows. The pool user of an element goes on with
 * another element, if it finds one. After 0 the peer has to go on reading: when it has
 * taken nothing for five seconds, the session is aborted, and the rest is lost. RSP_ABORT
 * with the session's number ends that sooner. A session with the same element begins
 * when the former one has ended, so rsp_connect() may have to wait for that.
 *
 * Does not wait: what was sent arrives in the background.
 * Errors: ENOTCONN (no such session, or not any more), EINVAL (unknown flags). */
RSP_API int rsp_close_session(int fd, uint32_t session, int flags);
#define RSP_ABORT 0x2

/* rsp_setsockopt, rsp_getsockopt - options of a socket and of its sessions.
 *
 * There are no levels. session is the session to set; 0 stands for the socket:
 * what its sessions begin with from now on, and the session that rsp_connect()
 * made. rsp_getsockopt() with 0 tells what that session has, or, without one, what
 * sessions begin with. Values are of type int, with 0 for the default, unless it
 * says otherwise; len is sizeof(int), and for rsp_getsockopt() the room at value
 * and then the length.
 *
 * Do not wait.
 * Errors: ENOPROTOOPT (unknown option; or one of the socket, for a session),
 * ENOTCONN (no such session), EINVAL (the value makes no sense or the length is
 * wrong; too late), EISCONN (registered: too late for RSP_POOL_KEY), EACCES (not to
 * be read; not to be set), EFAULT. */
RSP_API int rsp_setsockopt(int fd, uint32_t session, int option, const void *value, socklen_t len);
RSP_API int rsp_getsockopt(int fd, uint32_t session, int option, void *value, socklen_t *len);

/* Options of sessions. Times are in milliseconds. */
#define RSP_NOTIFICATIONS 1     /* RSP_NOTIFY_ bits; default: none */
#define RSP_FAILOVER_LIMIT 2    /* how long a session looks for an element before it fails,
                                   -1 = for ever; default: 15000, or RSERPOOL_FAILOVER */
#define RSP_SNDBUF 3            /* bytes that a session keeps to send, with RSP_REPLAY also
                                   to send again; rsp_sendmsg() waits when it is full;
                                   default: 4 MiB. Next paragraph */
#define RSP_RCVBUF 4            /* bytes kept to be received; when it is full, the peer of
                                   this session has to wait; default: 4 MiB */
#define RSP_REPLAY 5            /* 1: a pool user keeps what no cookie covers, and after a
                                   failover sends it behind the cookie. Elements need it
                                   as well. Messages go in order on stream 0. Only before
                                   the session begins; default: 0 */
#define RSP_RTO_INITIAL 6       /* retransmission timeouts (RFC 9260 section 16): initial, */
#define RSP_RTO_MIN 7           /* smallest, */
#define RSP_RTO_MAX 8           /* largest; set them in an order that keeps the initial one
                                   between the others */
#define RSP_HEARTBEAT 9         /* pause between heartbeats, -1 = none */
#define RSP_PATH_RETRANSMITS 10 /* how often in a row an address */
#define RSP_ASSOC_RETRANSMITS 11 /* or a peer may fail to answer until it counts as dead.
                                   Where these six have their defaults a pool user's session
                                   follows the round trip that it measures (one that stays
                                   short: 130, 35 and 130 ms, 6 times), and an element bears
                                   6 failures as well: docs/reports/failover.md */
#define RSP_NODELAY 12          /* 1: small messages do not wait for others. It is always on;
                                   0 fails with EINVAL */

#define RSP_NO_FAILOVER 16      /* 1: a session ends with its element instead of moving to
                                   another one (RFC 5352 section 6.5.5). What that did not
                                   get is given back: RSP_NOTIFY_UNDELIVERED. Not with
                                   RSP_REPLAY; default: 0 */
#define RSP_FAILOVER_HOLD 17    /* 1: after a failover nothing is sent but the cookie, until
                                   the program has received RSP_FAILOVER_COMPLETED, which is
                                   told in any case, has sent what the new element has to
                                   know first, and sets RSP_RESUME (RFC 5351 section 4.2).
                                   One thread receives; default: 0 */
#define RSP_RESUME 18           /* 1: messages that RSP_FAILOVER_HOLD holds back are sent, unless
                                   there was another failover, which the program has not
                                   received yet; of a session, 0 is that of rsp_connect();
                                   cannot be read */

#define RSP_SEND_LIMIT 20       /* how long the peer of a session that has no room for a
                                   message, which had to wait or was refused with EAGAIN, may
                                   take nothing until it is aborted: RSP_SESSION_REMOVED with
                                   ETIMEDOUT. It is looked at once in that time, so up to
                                   twice as much may pass. Does not run while the session
                                   looks for an element. -1 = for ever; default: -1 */
#define RSP_FAIL_BACK 19        /* 1: a session of an element whose pool user is an element
                                   of a pool itself, and fails, goes on with another element
                                   of that pool (RFC 5351 section 4.2, business cards); what
                                   was not delivered is sent to it; default: 0 */

#define RSP_STATUS 48 /* struct rsp_status: how the session is; cannot be set. Of a session
                         only, of which 0 is that of rsp_connect() */

#define RSP_DSCP 49   /* 0 to 63: differentiated services codepoint of the packets that this
                         side sends (RFC 2474), such as 46 for expedited forwarding; set for
                         a socket before its first use it holds for packets to registrars
                         as well; default: 0 */

/* Buffers. RSP_SNDBUF counts what the peer's library has not acknowledged, with 64
 * bytes more for each message; RSP_RCVBUF what the program has not received. So a
 * session whose peer does not read takes the sum of the two, and waits then; it does so for
 * as long as the peer's library answers. A buffer that is empty has room for one
 * message, however long: sizes below 1 MiB work with messages of 1 MiB, one after the
 * other. Sizes below RSP_BUFFER_MIN are raised to it. Bookkeeping, 256 bytes for each
 * message, may take as much memory as RSP_RCVBUF once more where messages are small.
 * They bound what the program sends and receives; the traffic with registrars has
 * buffers of its own, and is answered while messages wait. The kernel's SCTP has
 * one send buffer, of 1 MiB or more, for all sessions of a socket, and keeps one half
 * of RSP_RCVBUF itself, at least 64 KiB; without CAP_NET_ADMIN its buffers, and
 * the length of messages, are at most twice what net.core.wmem_max and rmem_max say. */
#define RSP_BUFFER_MIN 4096

/* Options of sockets only. */
#define RSP_POOL_KEY 32  /* bytes, 16 or more: the secret with which the elements of a pool
                            encrypt and authenticate cookies; cannot be read. Before
                            rsp_register(). Default: none, or RSERPOOL_POOL_KEY */
#define RSP_LOAD_INTERVAL 34 /* milliseconds: how often at most rsp_setload() tells the
                                registrar; default: 1000 */
#define RSP_DATA_ONLY 33 /* 1: the next rsp_register() offers no control channel to pool
                            users (RFC 5354 section 3.1, DATA ONLY): no cookies, no
                            draining. All elements of a pool have the same; default: 0 */
#define RSP_DRAIN_LIMIT 35 /* milliseconds that RSP_DRAIN waits for sessions to move, -1 = as
                              long as it takes; default: 30000 */
#define RSP_CONNECT_WAIT 56 /* milliseconds for which rsp_connect() waits for a pool or a
                               registrar that is not there yet, and rsp_register() for a
                               registrar: the order in which programs are started does not
                               matter. Unlike with other options 0 is not the default: it is
                               not to wait. -1 = for ever; default: 2000, or RSERPOOL_WAIT */
#define RSP_ADVERTISE 40 /* text, such as "192.0.2.7,2001:db8::7": the addresses that the next
                            rsp_register() gives to the registrar in place of the socket's
                            own, where a NAT or a container's host passes on to it what comes
                            there, to the same port; "" = its own. A registrar takes them if
                            it advertises them itself, or is told to accept them (rserpool(1),
                            --advertise and --accept). Cannot be read. Default: none, or
                            RSERPOOL_ADVERTISE */
#define RSP_RCVTIMEO 41  /* milliseconds: how long rsp_recvmsg() and its kin, and rsp_accept(), */
#define RSP_SNDTIMEO 42  /* and how long rsp_sendmsg() and its kin, and rsp_send_cookie(), wait
                            until they fail with EAGAIN; rounded up to ticks of the kernel;
                            default: 0, for ever. setsockopt(2) with SO_RCVTIMEO and
                            SO_SNDTIMEO is the same */
#define RSP_ERROR 43     /* errno of what failed in the background, such as an rsp_connect()
                            with O_NONBLOCK, or 0; reading takes it, and rsp_errmsg() has the
                            reason; cannot be set */

/* States of a session. */
#define RSP_STATE_CONNECTING 1  /* the first element is looked for */
#define RSP_STATE_ESTABLISHED 2 /* messages go both ways */
#define RSP_STATE_MOVING 3      /* the element was lost, and another one is looked for */
#define RSP_STATE_ENDING 4      /* one of the sides ends it */

/* Kinds of transport. */
#define RSP_TRANSPORT_USERLAND 1 /* the SCTP of this library, over UDP */
#define RSP_TRANSPORT_KERNEL 2   /* that of the kernel */

/* What RSP_STATUS tells. Times and retransmissions are those of the association that
 * stands: they begin anew with the next element, and are 0 between two. The kernel's
 * SCTP counts pieces of messages instead of messages, and memory instead of bytes, and
 * does not tell what it has received. */
struct rsp_status {
	uint32_t session;          /* its number: rsp_recvmsg() has the same */
	uint32_t state;            /* RSP_STATE_CONNECTING ... */
	uint32_t transport;        /* RSP_TRANSPORT_USERLAND ... */
	uint32_t pe_id;            /* of the element that serves it, or of the pool user if that is
	                              an element itself; else 0 */
	struct sockaddr_storage peer; /* where data goes to: a struct sockaddr_in, or sockaddr_in6
	                              where the domain is AF_INET6; AF_UNSPEC while there is no
	                              peer. rsp_getpeeraddrs() has all its addresses */
	uint32_t peer_addrs;       /* how many it has */
	uint32_t failovers;        /* how often the session has moved to another element */
	uint32_t rtt;              /* round trip to the peer, smoothed, in microseconds */
	uint32_t rto;              /* retransmission timeout, in microseconds */
	uint32_t mtu;              /* of SCTP packets to the peer, in bytes */
	uint32_t uncovered;        /* RSP_REPLAY: messages that were sent and no cookie covers */
	uint32_t send_messages;    /* that the peer has not acknowledged, or, with RSP_REPLAY, */
	uint32_t recv_messages;    /* no cookie covers; what rsp_recvmsg() has next, whole and with
	                              notifications */
	uint64_t send_bytes;       /* of the former, */
	uint64_t recv_bytes;       /* and of the latter, with what has come of others */
	uint64_t retransmissions;  /* of pieces of messages */
	uint64_t reserved[15];     /* 0 */
};

/* The basic mode, for programs that bring their own transport (RFC 5351 section
 * 4.1). A server has sockets of its own, and registers where it serves; a client
 * asks where the servers are, and connects to one itself. There are no descriptors,
 * no sessions and no failover; what one fails is told of with rsp_pe_failure(), and
 * rsp_getaddrinfo() then gives the next one.
 *
 * All threads share one cache and one registrar. The environment is read at the
 * first call that looks for elements, and at each registration. After EINTR the work
 * goes on, and the same call, with the same arguments, waits for its outcome. That is
 * kept for ten seconds; a registration that nobody has asked for by then is undone.
 * Besides their own errors the functions have EOWNERDEAD, ELIBACC and EIO of all;
 * rsp_errmsg() with -1 explains them. */

/* Where an element serves. Laid out like struct addrinfo of netdb.h. */
struct rsp_addrinfo {
	int ai_flags;                 /* zero */
	int ai_family;                /* of the first address: AF_INET, AF_INET6 */
	int ai_socktype;              /* SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET */
	int ai_protocol;              /* IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_UDPLITE,
	                                 IPPROTO_DCCP */
	socklen_t ai_addrlen;         /* of the first address, in bytes */
	uint32_t ai_addrs;            /* number of addresses; only SCTP has more than one */
	struct sockaddr *ai_addr;     /* one after the other, as sctp_connectx(3) takes them */
	struct rsp_addrinfo *ai_next; /* the element to use if this one fails; NULL: no other */
	uint32_t ai_pe_id;            /* PE identifier */
	uint32_t ai_service;          /* DCCP: service code, host byte order */
	uint32_t reserved[6];         /* zero */
};

/* What rsp_getaddrinfo() is to find. Set all of it to zero first: zero is the
 * default of every member. */
struct rsp_addrhints {
	int family;            /* AF_INET or AF_INET6: only such addresses; AF_UNSPEC: any */
	int socktype;          /* only servers of this kind and */
	int protocol;          /* protocol, as in struct rsp_addrinfo; 0: any */
	uint32_t items;        /* elements at most; 0 = as many as the registrar gives */
	int32_t stale;         /* milliseconds: how old an answer of the cache may be;
	                          0 = 30000, -1 = ask a registrar */
	int32_t timeout;       /* milliseconds that all of it may take; 0 = 30000 beyond wait */
	int32_t wait;          /* milliseconds to wait for a pool or a registrar that is not
	                          there yet; 0 = 2000, or RSERPOOL_WAIT; -1 = for ever, 1 is
	                          as good as not at all. timeout ends it as well */
	uint32_t reserved[9];  /* zero */
};

/* rsp_getaddrinfo - find the elements of a pool, as getaddrinfo(3) finds hosts.
 *
 * The first element of the list is the one to use: each call is one selection by
 * the pool's policy. The others are to fall back on, in that order; those that
 * rsp_pe_failure() was told of in the last ten seconds come last, as long as the
 * registrar lists them. hints may be NULL.
 *
 * On success *list is a list of one element or more, for rsp_freeaddrinfo(); on
 * failure it is NULL. Waits for the registrar's answer, unless the cache has one,
 * and for a pool or a registrar that is not there yet (hints->wait).
 * Errors: ENOENT (the registrar knows no such pool), EHOSTUNREACH or ETIMEDOUT (no
 * registrar answers), EPROTONOSUPPORT (the elements serve over something else),
 * EAFNOSUPPORT (they have no such addresses; unknown family), ESOCKTNOSUPPORT
 * (socktype and protocol do not fit), EINVAL (the handle is empty or longer than
 * RSP_POOL_MAX, a wrong value in hints), EFAULT, ENOMEM, EMFILE, ENFILE, EINTR. */
RSP_API int rsp_getaddrinfo(const void *pool, size_t pool_len, const struct rsp_addrhints *hints,
                            struct rsp_addrinfo **list);

/* rsp_freeaddrinfo - free a whole list, which begins at list. NULL is none. Works in
 * any process, never fails. */
RSP_API void rsp_freeaddrinfo(struct rsp_addrinfo *list);

/* rsp_pe_registration - make this program an element of a pool, which serves where
 * *where says (RFC 5352 section 2.2.1).
 *
 * ai_protocol, ai_socktype (one of the two will do), ai_addrs (0 = 1), ai_addrlen
 * and ai_addr count, and ai_service with DCCP; the rest of *where is not looked at.
 * The port must not be 0. The wildcard address stands for the one through which the
 * registrar is reached; another address must be this host's own, and the registrar
 * be reachable from it (RFC 5352 section 2.2.1: it takes no others). All elements of
 * a pool use the same protocol. *info is as for rsp_register(). *pe_id, if pe_id
 * is not NULL, gets the PE identifier.
 *
 * The registration is kept until rsp_pe_deregistration() or the end of the
 * process: the library renews it, and answers the registrar that asks whether the
 * element lives. It does so while the process lives; whether the program serves is
 * for its clients to find out. With info->pe_id of an element that this process
 * has registered in the pool, and the same *where, the call changes the policy's
 * values. If no registrar is configured and none answers on this host, one is
 * started inside this process, as by rsp_register().
 *
 * Waits for the registrar's answer, 30 seconds at most, and before that for a
 * configured registrar that is not there yet, 2 seconds (RSERPOOL_WAIT).
 * Errors: those of rsp_register() without EISCONN and EINPROGRESS; EEXIST (the
 * element is registered with another *where), EALREADY (another thread registers
 * or deregisters it), EADDRNOTAVAIL (the address is not this host's),
 * EPROTONOSUPPORT, ESOCKTNOSUPPORT (unknown, or not together), EAFNOSUPPORT,
 * EMFILE, ENFILE. */
RSP_API int rsp_pe_registration(const void *pool, size_t pool_len, const struct rsp_addrinfo *where,
                                const struct rsp_loadinfo *info, uint32_t *pe_id);

/* rsp_pe_deregistration - take an element that rsp_pe_registration() made out of its
 * pool (RFC 5352 section 2.2.2).
 *
 * Waits for the registrar's answer. Whatever it returns, the registration is not
 * kept any more, except after ENOTCONN and EALREADY.
 * Errors: ENOTCONN (this process has registered no such element), EALREADY (another
 * thread registers or deregisters it), EHOSTUNREACH, ETIMEDOUT (the registration
 * then ends with its life), EINVAL, EFAULT, EINTR. */
RSP_API int rsp_pe_deregistration(const void *pool, size_t pool_len, uint32_t pe_id);

/* rsp_pe_failure - tell that an element could not be reached, or that the
 * connection with it broke (RFC 5352 section 6.9.2).
 *
 * The registrar is told and looks after the element; rsp_getaddrinfo() gives others
 * first. Only for elements that the program tried to reach. Does not wait for
 * anybody's answer.
 * Errors: EINVAL (the handle is empty or longer than RSP_POOL_MAX; pe_id is 0),
 * EHOSTUNREACH (the registrar's name has no address), EFAULT, EMFILE, ENFILE,
 * EINTR. */
RSP_API int rsp_pe_failure(const void *pool, size_t pool_len, uint32_t pe_id);

/* rsp_select, rsp_poll - wait for descriptors, as select(2) and poll(2).
 *
 * They take descriptors of this library and any others together. rsp_select()
 * does not change timeout.
 * Errors: those of select(2) and poll(2), and EOWNERDEAD. */
RSP_API int rsp_select(int nfds, fd_set *readfds, fd_set *writefds, fd_set *exceptfds,
                       struct timeval *timeout);
RSP_API int rsp_poll(struct pollfd *fds, nfds_t nfds, int timeout);

/* rsp_close - deregister, let what was sent arrive, end all sessions, and close
 * the descriptor.
 *
 * Waits until that is done, but three seconds at most; with O_NONBLOCK it goes
 * on in the background. Whatever it returns, fd is closed, except after EBADF, ENOTSOCK
 * and EOWNERDEAD. The socket is closed for its other names too, those that dup(2) made:
 * they stay numbers that close(2) has to free, poll(2) says POLLHUP of them, and
 * functions fail with EBADF or, after many others were closed, with ENOTSOCK. Calls of
 * other threads that wait end with EBADF; rsp_poll() and rsp_select() do as poll(2) does,
 * which goes on to wait where the number stands for another file at once.
 *
 * close(2) of the last name does the same in the background, but is not noticed
 * as long as a child that was forked has the descriptor, or another thread waits for it:
 * use rsp_close() where one does. exit(3), and the end of main(),
 * close what is open and wait for what goes on in the background, one second at
 * most; _exit(2) and the end by a signal do not, and lose what has not arrived.
 * Errors: ETIMEDOUT (something did not get through), EINTR (the rest is done in
 * the background). */
RSP_API int rsp_close(int fd);

/* rsp_getsockname - the pool in which a socket is registered and its own PE
 * identifier. rsp_getpeername - the pool to which a socket is connected and the
 * identifier of the element that serves it at the moment, 0 when there is none.
 *
 * *pool_len is the room at pool, and then the length of the handle: when it is
 * larger than the room was, the handle was cut off, as getsockname(2) does. pool
 * may be NULL when *pool_len is 0, and pool_len and pe_id may be NULL. Neither waits.
 * Errors: ENOTCONN (not registered; not connected), EFAULT. */
RSP_API int rsp_getsockname(int fd, void *pool, size_t *pool_len, uint32_t *pe_id);
RSP_API int rsp_getpeername(int fd, void *pool, size_t *pool_len, uint32_t *pe_id);

/* rsp_getpeeraddrs - the addresses of the peer of a session, which at an element is
 * the pool user. rsp_getlocaladdrs - those of this side: with session 0 what the
 * socket is bound to, a wildcard address as such, and so the port that rsp_bind()
 * chose for 0; with a session, the addresses that its peer knows or sees.
 *
 * session is that of struct rsp_sndrcvinfo; of a descriptor from rsp_accept() 0 is its
 * own session, and for rsp_getpeeraddrs() else the one that rsp_connect() made.
 * addrs is an array of struct sockaddr_in or, where the domain is AF_INET6, of struct
 * sockaddr_in6, with IPv4 addresses in mapped form. The peer's first address is the
 * one that data goes to: with room for one structure that is what there is to get.
 * *len is the room at addrs in bytes, and then the length of all addresses: when it
 * is larger than the room was, those that had no room are left out. addrs may be NULL
 * when *len is 0.
 *
 * Returns how many addresses there are: 0 while the session moves from one element
 * to another. A socket without an address has the wildcard address and port 0.
 * Does not wait.
 * Errors: ENOTCONN (no such session, or not any more), EFAULT. */
RSP_API int rsp_getpeeraddrs(int fd, uint32_t session, struct sockaddr *addrs, socklen_t *len);
RSP_API int rsp_getlocaladdrs(int fd, uint32_t session, struct sockaddr *addrs, socklen_t *len);

/* rsp_set_log - give what the library has to say to a function of the program instead
 * of standard error.
 *
 * function gets arg, one of the levels, and one line of text without its end: what
 * happened, and then name=value of what belongs to it. level is the least important
 * one that it wants; RSERPOOL_LOG plays no part. With NULL lines go to standard error
 * again, those that RSERPOOL_LOG asks for: warnings and errors by default. All sockets
 * of the process, also those that there are, follow.
 *
 * It is called on a thread of the library that does nothing else, one call at a time,
 * with the signals of the program blocked and a stack of the usual size. It may take
 * its time, and call all functions of this library, also this one; but what it logs
 * by that comes to it. text is valid until it returns. It must not end by a jump, an
 * exception or pthread_exit(3). When more than 1000 lines wait for it the next ones are
 * counted only, and the count is told. A defect of the library is reported on standard
 * error in any case.
 *
 * Waits until the former function has been given what was logged before, and has
 * returned for the last time: then arg can be freed. Do not hold a lock that it takes.
 * Called by that function itself it does not wait.
 * Errors: EINVAL (unknown level), EOWNERDEAD, ELIBACC. */
typedef void rsp_log_function(void *arg, int level, const char *text);
RSP_API int rsp_set_log(rsp_log_function *function, void *arg, int level);
#define RSP_LOG_ERROR 1   /* something that was asked for is not done */
#define RSP_LOG_WARNING 2 /* something is wrong, and the library goes on */
#define RSP_LOG_INFO 3    /* sessions and registrations move */
#define RSP_LOG_DEBUG 4   /* everything */

/* rsp_errmsg - what the last failure was, why, and what to do about it.
 *
 * With a descriptor: the last failure of a call on it by this thread, else the
 * last thing that went wrong with it at all, also in the background. With fd -1:
 * the last failure of any rsp_ function in this thread. Writes at most len
 * bytes including the terminating NUL; nothing when len is 0.
 *
 * Returns the length of the whole text without the NUL, like snprintf(3); 0 and
 * an empty text when nothing failed. Does not wait and does not change errno
 * when it succeeds.
 * Errors: EFAULT. */
RSP_API int rsp_errmsg(int fd, char *buf, size_t len);

/* rsp_version - the version of the library, such as "0.1.0". Never fails. */
RSP_API const char *rsp_version(void);

#ifdef __cplusplus
} /* extern "C" */

inline ssize_t rsp_sendmsg(int fd, const void *buf, size_t len, const struct rsp_sndrcvinfo &info, int flags)
{
	return rsp_sendmsg(fd, buf, len, &info, flags);
}

#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L

static inline ssize_t rsp_sendmsg_byvalue(int fd, const void *buf, size_t len, struct rsp_sndrcvinfo info,
                                          int flags)
{
	return rsp_sendmsg(fd, buf, len, &info, flags);
}

/* Chooses by the type of info. (rsp_sendmsg)(...) is the function itself, also
 * for arguments with commas in braces. */
#define rsp_sendmsg(fd, buf, len, info, flags)                                                               \
	_Generic((info), struct rsp_sndrcvinfo : rsp_sendmsg_byvalue, default : rsp_sendmsg)(fd, buf, len,   \
	                                                                                     info, flags)

#endif

#endif
