package rserpool

import (
	"context"
	"net/netip"
)

// Socket is the API of the slides, without blocking: one SCTP endpoint that is
// a pool element, a pool user, or both. All methods are safe for concurrent
// use. Those with a context wait, the others return at once.
type Socket struct{}

// NewSocket makes a socket for IPv4 ("ip4"), IPv6 ("ip6") or both ("ip"). It
// has no address until Bind, or until its first use binds it to an ephemeral
// port of the wildcard address.
func NewSocket(cfg Config, network string) (*Socket, error) { return &Socket{}, nil }

// Bind gives the socket its local addresses, all with one port; port 0 chooses
// one. A pool element is reached at these addresses; bound to a wildcard, at
// the local addresses through which it reaches its registrar. It returns
// ErrBound when the socket has an address already; a system error (EADDRINUSE,
// EACCES, EADDRNOTAVAIL) is in the chain of what it returns.
func (s *Socket) Bind(addrs ...netip.AddrPort) error { return nil }

// Connect makes a session with an element of the pool and waits until it
// stands. Messages sent meanwhile are kept for it. The session then moves to
// another element whenever the one that serves it fails. It returns
// ErrUnknownPool as soon as a registrar says so, ErrNoRegistrar, ErrNoElement,
// or ErrConnected; after an error the socket can connect again.
func (s *Socket) Connect(ctx context.Context, pool string) error { return nil }

// Register makes the socket an element of the pool and waits for the
// registrar's consent. The registration is renewed, at another registrar if
// need be, until Deregister or Close. On a socket that is registered in this
// pool it changes the policy values and the life.
func (s *Socket) Register(ctx context.Context, pool string, r Registration) error { return nil }

// Deregister takes the socket out of its pool and waits for the registrar's
// answer. Sessions that stand go on.
func (s *Socket) Deregister(ctx context.Context) error { return nil }

// TrySend sends one message. A nil info means the zero SendInfo. ErrWouldBlock
// means that there is no room: the writable hook tells when to try again. A
// message that was accepted reaches the element that serves the session, or
// the next one.
func (s *Socket) TrySend(b []byte, info *SendInfo) error { return nil }

// TryRecv copies the next message into b and describes it in info, which may
// be nil. n is the number of bytes copied; what does not fit in b is lost and
// info.Truncated set. With peek the message stays to be received again.
// ErrWouldBlock means that there is none. When the session that Connect made
// has failed for good and nothing is left to receive, TryRecv returns why.
func (s *Socket) TryRecv(b []byte, info *RecvInfo, peek bool) (n int, err error) { return 0, nil }

// Hooks installs functions that follow the socket's readiness. Each is called
// at once with the present state, then on every change, in the order of the
// changes. Readable means that TryRecv returns something other than
// ErrWouldBlock, writable that TrySend does not return ErrWouldBlock, as far as
// is known. They are called with the socket locked: they must be brief and must
// not call it.
func (s *Socket) Hooks(readable, writable func(bool)) {}

// LocalName returns the pool in which the socket is registered and its own
// identifier there, or ErrNotRegistered.
func (s *Socket) LocalName() (Name, error) { return Name{}, nil }

// PeerName returns the pool of a session and the element that serves it at the
// moment. Session zero is the one that Connect made. The peer of a session of
// a pool element is a pool user, whose name is empty. ErrNotConnected means
// that there is no such session.
func (s *Socket) PeerName(session SessionID) (Name, error) { return Name{}, nil }

// LocalAddrs returns the addresses the socket is bound to; none before Bind or
// the first use.
func (s *Socket) LocalAddrs() []netip.AddrPort { return nil }

// Status describes the socket, its registrar and its sessions.
func (s *Socket) Status() Status { return Status{} }

// EndSession ends one session of a pool element gracefully: what was sent
// still arrives, nothing more is received.
func (s *Socket) EndSession(session SessionID) error { return nil }

// Close closes the socket like CloseContext, waiting one second at most.
func (s *Socket) Close() error { return nil }

// CloseContext deregisters, lets what was sent arrive and ends all sessions,
// as far as that can be done until ctx ends. Afterwards, and in calls that
// wait meanwhile, everything returns ErrClosed. It returns the context's error
// when it ended first; the socket is closed all the same.
func (s *Socket) CloseContext(ctx context.Context) error { return nil }
