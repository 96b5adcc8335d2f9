package socket

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/loop"
	"github.com/librserpool/librserpool/core/internal/transport"
	"github.com/librserpool/librserpool/core/internal/transport/open"
)

// Why the system may refuse a local address.
const (
	errAddrInUse    = syscall.EADDRINUSE
	errAddrNotAvail = syscall.EADDRNOTAVAIL
	errAccess       = syscall.EACCES
)

// isRefusal says that nobody has a port.
func isRefusal(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

// host is what the sockets of a process share: the transports, and the
// registrars inside the process, by port.
type host struct {
	open   func(transport.Config) (transport.Endpoint, string, error)
	listen func(netip.AddrPort) (net.Listener, error)  // TCP; nil in worlds without
	dial   func(context.Context, netip.AddrPort) error // the same; closes again

	lookUp loop.Resolver
	addrs  *loop.Host

	mu       sync.Mutex
	embedded map[uint16]*embeddedRegistrar
}

var thisHost = func() *host {
	h := newHost(open.Endpoint)
	h.listen, h.dial = listenTCP, dialTCP
	return h
}()

// listenTCP opens a TCP port for the same addresses as SCTP: for "tcp" alone
// 0.0.0.0 would be those of IPv6, too.
func listenTCP(at netip.AddrPort) (net.Listener, error) {
	network := "tcp"
	if at.Addr().Unmap().Is4() {
		network = "tcp4"
	}
	return net.Listen(network, at.String())
}

func newHost(open func(transport.Config) (transport.Endpoint, string, error)) *host {
	return &host{open: open, lookUp: net.DefaultResolver.LookupNetIP, addrs: loop.NewHost(loop.HostAddrs), embedded: map[uint16]*embeddedRegistrar{}}
}

// embeddedRegistrar lives as long as the pool elements that wanted it.
type embeddedRegistrar struct {
	*loop.Registrar
	users int
}

// Several attempts to embed a registrar: where the port is taken by a process
// that has just begun to serve, the next hunt finds that.
const (
	embedPatience = time.Second // at least, whatever Config.WaitForPool says
	embedPause    = 50 * time.Millisecond
)

// join starts the registrar, or counts one more user of the one that is there.
func (h *host) join(cfg Config) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e := h.embedded[cfg.LoopbackPort]; e != nil {
		e.users++
		return nil
	}
	r, err := h.startEmbedded(cfg)
	if err != nil {
		return fmt.Errorf("cannot start a registrar in this process: %w", err)
	}
	h.embedded[cfg.LoopbackPort] = &embeddedRegistrar{r, 1}
	cfg.Logger.Warn("no registrar found: started one inside this process (RSERPOOL_EMBEDDED=off forbids it)", "at", r.ASAPAddrs()[0])
	return nil
}

// startEmbedded starts a registrar at the first loopback address that this host has.
func (h *host) startEmbedded(cfg Config) (r *loop.Registrar, err error) {
	for _, at := range cfg.loopbackRegistrars("ip") {
		r, err = loop.StartRegistrar(loop.RegistrarConfig{
			ASAP: []netip.AddrPort{at}, Machine: cfg.machine(false), Advertise: cfg.Advertise, Host: h.addrs,
			Transport: cfg.Transport, Open: h.open, Logger: cfg.Logger,
		})
		if !errors.Is(err, errAddrNotAvail) {
			break
		}
	}
	return r, err
}

// leave stops the registrar when its last user leaves.
func (h *host) leave(cfg Config) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e := h.embedded[cfg.LoopbackPort]
	if e.users--; e.users > 0 {
		return
	}
	delete(h.embedded, cfg.LoopbackPort)
	if err := e.Close(); err != nil {
		cfg.Logger.Warn("the registrar inside this process does not close", "err", err)
	}
}

// embedder sees to it that the host has a registrar, for a pool element for
// which nobody configured one: when the process that embeds it dies, one of
// the others takes its place.
type embedder struct {
	joined   bool
	embedded bool // the registrar in use, or the last one, is inside a process, too
	timer    *time.Timer
}

// Before it takes the place of a registrar that is gone, an embedder leaves time
// for one that restarts; none that was inside a process does. The pauses are
// random: one of many embedders is first.
const (
	embedderPause = time.Second
	embedderHaste = 50 * time.Millisecond
)

func (s *Socket) mayEmbed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.loopback && !s.cfg.NoEmbedded && !s.closing
}

// share makes a pool element that found a registrar inside its own process a
// user of it: it is not to end before its elements.
func (s *Socket) share() {
	if s.mayEmbed() && s.cfg.host.embeds(s.cfg.LoopbackPort) {
		_ = s.embed() // gone meanwhile: the embedder sees to it
	}
}

func (h *host) embeds(port uint16) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.embedded[port] != nil
}

// embed starts the registrar inside the process, without the socket's lock.
func (s *Socket) embed() error {
	s.mu.Lock()
	joined, cfg := s.embedder.joined, s.cfg
	s.mu.Unlock()
	if joined {
		return nil
	}
	if err := cfg.host.join(cfg); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.embedder.joined { // somebody else was quicker: the program, or the timer
		go cfg.host.leave(cfg)
		if s.closed {
			return ErrClosed
		}
		return nil
	}
	s.embedder.joined = true
	s.machine.Post(endpoint.RegistrarStarted{})
	return nil
}

// embedderStart wakes the embedder of a pool element that has lost its registrar,
// with the socket locked.
func (s *Socket) embedderStart() {
	if !s.loopback || s.cfg.NoEmbedded || s.name.Pool == "" || s.closing || s.embedder.timer != nil {
		return
	}
	pause := embedderPause
	if s.embedder.embedded {
		pause = embedderHaste
	}
	s.embedder.timer = time.AfterFunc(pause+rand.N(pause/2), s.embedderDue)
}

// embedderDone lets the embedder sleep, with the socket locked.
func (s *Socket) embedderDone() {
	if s.embedder.timer != nil {
		s.embedder.timer.Stop()
		s.embedder.timer = nil
	}
}

func (s *Socket) embedderDue() {
	if err := s.embed(); err != nil && !errors.Is(err, errAddrInUse) && !errors.Is(err, ErrClosed) {
		s.log.Warn("no registrar answers", "err", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.embedder.timer = nil
	if s.home == "" {
		s.embedderStart()
	}
}

// sleep waits for d or for the end of ctx.
func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
