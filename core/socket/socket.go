package socket

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync/atomic"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/loop"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/session"
	"github.com/librserpool/librserpool/core/internal/transport"
)

// Socket is the API of the slides, without blocking: one SCTP endpoint that is
// a pool element, a pool user, or both. All methods are safe for concurrent
// use. Those with a context wait, the others return at once.
type Socket struct {
	cfg     Config
	network string
	log     *slog.Logger

	registering chan struct{} // holds a token while nobody registers or deregisters

	waiting atomic.Int32 // threads between Lead and Leave

	mu       guard // guards the rest
	closing  bool
	closed   bool
	changed  signal // a session ended, the registration changed, the socket closes
	taken    int    // Conns of Accept that were not closed
	detached bool   // the Listener is gone, and the socket goes with the last Conn

	port    *loop.Port // nil until the socket has an address
	kind    string     // of transport
	led     Leader     // nil if the endpoint cannot be led
	bound   []netip.AddrPort
	garbage *loop.RateLimitedLog
	arrived assoc.RecvInfo // what dispatch handles; here it need not be allocated

	pools   signal  // a pool has changed, or the registrar
	events  []Event // that Config.Observe was not told of
	telling bool    // it is being told

	table       *session.Table // the sessions
	deadline    loop.Timer     // of the table
	attended    map[SessionID]*attended
	tellWaiters func(session.Change) // changedSession
	ready       readiness

	machine       *loop.Loop[endpoint.Event, endpoint.Effect] // nil until it is needed
	directory     directory
	loopback      bool     // nobody configured a registrar
	home          string   // the registrar in use
	hereHome      hereHome // if it is on this host
	tcp           tcpRegistrars
	announcements *loop.GroupReceiver // nil unless registrars announce themselves
	embedder      embedder

	foreign     protocol.Transport // where the application serves, if not here
	report      reporting
	leaving     bool // for good: the socket closes
	name        Name
	registerEnd func(error) // takes the outcome of Register or Deregister
	lastErr     error

	lookups    map[endpoint.Token]func([]Element, error)
	missing    map[endpoint.Token]error // lookups of what is not there yet: why
	lastLookup endpoint.Token
}

// NewSocket makes a socket for IPv4 ("ip4"), IPv6 ("ip6", which also reaches
// IPv4) or both ("ip"). It has no address until Bind, or until its first use
// binds it to an ephemeral port of the wildcard address.
func NewSocket(cfg Config, network string) (*Socket, error) { return newSocket(cfg, network, false) }

// newSocket makes a socket, with perSession one whose sessions are read one by one.
func newSocket(cfg Config, network string, perSession bool) (*Socket, error) {
	cfg, err := cfg.resolve()
	if err != nil {
		return nil, err
	}
	if !slices.Contains([]string{"ip", "ip4", "ip6"}, network) {
		return nil, fmt.Errorf("%w: network %q; it is ip, ip4 or ip6", ErrInvalid, network)
	}
	s := &Socket{
		cfg: cfg, network: network, log: cfg.Logger,
		registering: make(chan struct{}, 1),
		garbage:     loop.NewRateLimitedLog(cfg.Logger),
		attended:    map[SessionID]*attended{},
		lookups:     map[endpoint.Token]func([]Element, error){},
		missing:     map[endpoint.Token]error{},
	}
	s.mu.s = s
	s.tellWaiters, s.deadline.Due = s.changedSession, s.deadlineDue
	s.table = session.New(session.Config{
		Options: cfg.SessionOptions, MaxMessage: cfg.MaxMessage, CookieLife: cfg.CookieLife,
		PerSession: perSession, Observe: cfg.Observe != nil, NoCards: cfg.Compat == CompatRSPLIB, // RSPLIB cannot read cards
		Post: s.post, Encode: s.encode, Decode: s.decode, Explain: s.publicError, Here: s.atHome,
		Random: func(b []byte) { _, _ = rand.Read(b) }, // never fails
	})
	s.table.SetService(session.Service{PoolKey: cfg.PoolKey})
	s.registering <- struct{}{}
	return s, nil
}

// Bind gives the socket its local addresses, all with one port; port 0 chooses
// one. A pool element is reached at these addresses; bound to a wildcard, at
// the local addresses through which it reaches its registrar. It returns
// ErrBound when the socket has an address already; a system error (EADDRINUSE,
// EACCES, EADDRNOTAVAIL) is in the chain of what it returns.
func (s *Socket) Bind(addrs ...netip.AddrPort) error {
	if len(addrs) == 0 {
		return fmt.Errorf("%w: no address to bind", ErrInvalid)
	}
	for _, a := range addrs {
		if !a.IsValid() || a.Port() != addrs[0].Port() {
			return fmt.Errorf("%w: addresses %v to bind; they are IP addresses with one port", ErrInvalid, addrs)
		}
		if s.network == "ip4" && !a.Addr().Unmap().Is4() {
			return fmt.Errorf("%w: cannot bind an IPv4 socket to %v", ErrInvalid, a)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closing:
		return ErrClosed
	case s.port != nil:
		return fmt.Errorf("%w: to %v; bind before the first other use of the socket", ErrBound, s.port.LocalAddrs())
	}
	return s.open(addrs)
}

// open opens the transport endpoint, with the socket locked.
func (s *Socket) open(local []netip.AddrPort) error {
	ep, kind, err := s.cfg.host.open(transport.Config{
		Kind:   s.cfg.Transport,
		Local:  local,
		Params: s.table.EndpointParams(),
		Led:    s.cfg.Led,
		Logger: s.log,
	})
	if err != nil {
		return bindError(local, err)
	}
	s.bound = local
	s.port, s.kind = loop.NewPort(ep), kind
	s.led, _ = ep.(transport.Led)
	s.table.Attach(controlPort{s.port, s}, ep, s.port.Lend())
	s.log.Debug("endpoint is open", "transport", kind, "local", ep.LocalAddrs())
	ep.Notify(s.readableHook, s.writableHook)
	return nil
}

// ensureOpen gives the socket an address if it has none, with the socket
// locked.
func (s *Socket) ensureOpen() error {
	if s.closing {
		return ErrClosed
	}
	if s.port != nil {
		return nil
	}
	any := netip.IPv6Unspecified()
	if s.network == "ip4" {
		any = netip.IPv4Unspecified()
	}
	return s.open([]netip.AddrPort{netip.AddrPortFrom(any, 0)})
}

// LocalAddrs returns the addresses the socket is bound to; none before Bind or
// the first use.
func (s *Socket) LocalAddrs() []netip.AddrPort {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.port == nil {
		return nil
	}
	return s.port.LocalAddrs()
}

// LocalName returns the pool in which the socket is registered and its own
// identifier there, or ErrNotRegistered.
func (s *Socket) LocalName() (Name, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return Name{}, ErrClosed
	}
	if s.name.Pool == "" {
		return Name{}, ErrNotRegistered
	}
	return s.name, nil
}

// PeerName returns the pool of a session and the element that serves it at the
// moment. Session zero is the one that Connect made. The peer of a session of
// a pool element is a pool user, and has a name only if it says that it is an
// element of a pool itself (RFC 5352 section 3.9). ErrNotConnected means
// that there is no such session.
func (s *Socket) PeerName(id SessionID) (Name, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ss, err := s.session(id)
	if err != nil {
		return Name{}, err
	}
	return ss.Peer(), nil
}

// session returns a session that has not ended, with the socket locked.
func (s *Socket) session(id SessionID) (*session.Session, error) {
	if s.closing {
		return nil, ErrClosed
	}
	return s.table.Lookup(id)
}

func bindError(local []netip.AddrPort, err error) error {
	text := fmt.Sprintf("cannot bind to %v", local)
	switch {
	case errors.Is(err, errAddrInUse):
		return fmt.Errorf("%s: %w; choose another port, or end the program that has it", text, err)
	case errors.Is(err, errAccess):
		return fmt.Errorf("%s: %w; ports below 1024 need privileges: choose another port or run as root", text, err)
	}
	return fmt.Errorf("%s: %w", text, err)
}
