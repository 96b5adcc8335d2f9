// Package rserpool gives Go programs Reliable Server Pooling (RFC 5351 to
// 5356): servers join a named pool, clients talk to the pool, and a session
// moves to another server when the one that serves it dies.
//
// The words are the RFCs': a pool element (PE) is a server in a pool, a pool
// user (PU) a client of one, and registrars keep the list of pools.
//
// A pool element calls [Listen], a pool user [Dial]; both get a [Conn] per
// session, which carries messages over SCTP. [Resolve] only asks who is in a
// pool. [StartRegistrar] runs a registrar inside the program. [Socket] is the
// level below, in the style of the socket API and without blocking; the C
// library is built on it.
//
// # How a registrar is found
//
// In this order: [Config.Registrars]; the environment variable
// RSERPOOL_REGISTRARS; the configuration file; a registrar on this host's
// loopback. If the first three name none and none answers on loopback, a pool
// element starts a registrar inside its own process, on loopback, and says so
// in one line on standard error; RSERPOOL_EMBEDDED=off or [Config.NoEmbedded]
// forbid that. A pool user that finds none gets [ErrNoRegistrar], which names
// what was tried.
//
// # Environment
//
//	RSERPOOL_REGISTRARS  comma-separated host:port list of registrars
//	RSERPOOL_TRANSPORT   auto (default), kernel or userland
//	RSERPOOL_EMBEDDED    off: never start a registrar inside a pool element
//	RSERPOOL_PORT        port of the loopback registrar, 3863 by default
//	RSERPOOL_FAILOVER    how long a session looks for another element, 15s by default
//	RSERPOOL_LOG         off, error, warn (default), info or debug
//	RSERPOOL_CONFIG      configuration file, /etc/rserpool.conf by default
//
// The file holds the same names, one NAME=VALUE per line; the environment wins
// over it, and fields set in a [Config] win over both.
package rserpool
