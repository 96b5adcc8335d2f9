// Package rserpool gives Go programs Reliable Server Pooling (RFC 5351 to
// 5356): servers join a named pool, clients talk to the pool, and a session
// moves to another server when the one that serves it dies.
//
// The words are the RFCs': a pool element (PE) is a server in a pool, a pool
// user (PU) a client of one, and registrars keep the list of pools.
//
// A pool element calls [Listen], a pool user [Dial]; both get a [Conn] per
// session, which carries messages over SCTP. [Resolve] only asks who is in a
// pool. [StartRegistrar] runs a registrar inside the program.
//
// # What is promised
//
// Within a session to one element every message arrives exactly once, and those
// of one stream in order. When the element is lost (it crashes, hangs, drains,
// or its host is gone) the session moves to another one by itself, and what the
// transport did not deliver is sent to that one, in order, before anything
// newer. What the lost element's transport had acknowledged is not sent again;
// the element may have acted on it or not. That part is in doubt, and the
// notification of the failover says how many messages it is
// ([Notification.InDoubt]). On streams other than 0, and unordered, messages keep
// this promise but not their order relative to a cookie echo: packets that are
// lost can let them overtake it.
//
// An element whose sessions have a state leaves it with its pool users as
// cookies ([Conn.SendCookie]). The element to which the
// session moves receives the last one before any message
// ([RecvInfo.CookieEcho]). With [Options.PoolKey] cookies are encrypted and
// authenticated. A pool user that echoes an older cookie than its last is not
// noticed: what must not be undone does not belong in a cookie alone.
//
// With [SessionOptions].Replay, at both ends, nothing is in doubt: the pool user
// keeps what it sent until a cookie covers it, and after a failover sends it
// again behind the echo of that cookie. The state that travels in cookies then
// reflects every message exactly once; what elements did besides, such as
// answering, they may do twice. Sending waits while the messages
// that no cookie covers fill [SessionOptions].SendBuffer, so elements have to
// leave cookies often enough. A session that ends gracefully has delivered its
// messages; to know that they are covered, wait until [SessionStatus].Uncovered
// is 0.
//
// [Listener.Drain] ends an element without losing anything or leaving anything in
// doubt, provided that its pool users use this library.
//
// A session that finds no element for [SessionOptions].FailoverLimit fails with
// [ErrNoElement]. No queue grows without bounds: a full one makes the one that
// fills it wait, and nobody else ([SessionOptions].ReceiveBuffer; with the kernel's
// SCTP a full one takes a descriptor, and where there is none left all sessions of
// the socket wait).
//
// # How a registrar is found
//
// In this order: [Options.Registrars]; the environment variable
// RSERPOOL_REGISTRARS; the configuration file; the registrars that announce
// themselves ([Options.Announce]), if there is a group; a registrar on this host's
// loopback, 127.0.0.1 or ::1. If the first three name none and none answers on loopback, a pool
// element starts a registrar inside its own process, on loopback, and says so
// in one line on standard error; RSERPOOL_EMBEDDED=off or [Options.NoEmbedded]
// forbid that. A pool user that finds none, or a registrar that does not know its
// pool, waits ([Options.WaitForPool]): programs may be started in any order. Then it
// gets [ErrNoRegistrar], which names what was tried, or [ErrUnknownPool].
//
// # Environment
//
//	RSERPOOL_REGISTRARS  comma-separated host:port list of registrars
//	RSERPOOL_TRANSPORT   auto (default), kernel or userland
//	RSERPOOL_EMBEDDED    off: never start a registrar inside a pool element
//	RSERPOOL_PORT        port of the loopback registrar, 3863 by default
//	RSERPOOL_FAILOVER    how long a session looks for another element, 15s by default
//	RSERPOOL_WAIT        how long to wait for a pool or a registrar that is not there yet, 2s by default
//	RSERPOOL_POOL_KEY    secret of the pool's elements, hexadecimal or a file with it
//	RSERPOOL_PEERS       ENRP addresses of other registrars, for a registrar
//	RSERPOOL_ANNOUNCE    multicast group where registrars announce themselves
//	RSERPOOL_ADVERTISE   addresses to be known at in place of this host's own (NAT, containers)
//	RSERPOOL_COMPAT      rsplib where programs of RSPLIB take part
//	RSERPOOL_LOG         off, error, warn (default), info or debug
//	RSERPOOL_CONFIG      configuration file, /etc/rserpool.conf by default
//
// The file holds the same names, one NAME=VALUE per line; the environment wins
// over it, and fields set in [Options] win over both.
package rserpool
