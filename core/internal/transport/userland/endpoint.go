package userland

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp"
	"github.com/librserpool/librserpool/core/internal/transport"
)

var (
	_ transport.Endpoint = (*Endpoint)(nil)
	_ transport.Holder   = (*Endpoint)(nil)
	_ transport.Batcher  = (*Endpoint)(nil)
	_ transport.Lender   = (*Endpoint)(nil)
	_ transport.Led      = (*Endpoint)(nil)
)

// Endpoint implements transport.Endpoint.
type Endpoint struct {
	sockets []*socket
	local   []netip.AddrPort // with the SCTP port
	log     *slog.Logger

	mu     sync.Mutex // guards the rest
	engine *sctp.Endpoint

	writer // flush.go
	hooks  // hooks.go
	wakeup // timer.go

	leading // lead.go

	together  int           // calls of Together that have not returned
	guard     time.Duration // how long associations may take to end after Close
	closed    bool          // Close was called
	giveUp    time.Time     // when the rest is cut off after Close
	lingers   bool          // associations were shutting down at Close
	lingering bool          // they are done
	dead      bool          // sockets are closed
}

// enter takes the lock for an operation of the caller.
func (e *Endpoint) enter() (now time.Time, err error) {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return now, net.ErrClosed
	}
	return clock(), nil
}

// leave sends what the operation brought about, and gives the lock back. What
// the hooks have to be told they are told by a goroutine of the endpoint: the
// caller may hold locks of its own.
func (e *Endpoint) leave(now time.Time) {
	if e.together > 0 && !e.closed {
		e.mu.Unlock()
		return
	}
	if e.hooking && !e.closed && now.Sub(e.hookStart) < hookLimit {
		e.postpone()
		e.mu.Unlock()
		return
	}
	e.flush(now)
	e.bury()
	e.schedule(e.hooksDue())
	e.mu.Unlock()
}

// Send implements transport.Endpoint.
func (e *Endpoint) Send(b []byte, info *assoc.SendInfo) error {
	now, err := e.enter()
	if err != nil {
		return err
	}
	err = e.engine.Send(now, b, info)
	e.leave(now)
	return err
}

// Together implements transport.Batcher.
func (e *Endpoint) Together(f func()) {
	e.mu.Lock()
	e.together++
	e.mu.Unlock()
	f()
	e.mu.Lock()
	e.together--
	e.leave(clock())
}

// Recv implements transport.Endpoint.
func (e *Endpoint) Recv(b []byte, info *assoc.RecvInfo) (int, error) {
	e.mu.Lock()
	now := e.hookStart // what reading brings about then waits for the hook
	if !e.hooking {
		now = clock()
	}
	n, err := e.engine.Recv(now, b, info)
	if err == assoc.ErrWouldBlock {
		e.starved = true
		if e.closed {
			err = net.ErrClosed
		}
	}
	e.leave(now)
	return n, err
}

// Connect implements transport.Endpoint.
func (e *Endpoint) Connect(peer []netip.AddrPort, p *assoc.Params) (assoc.ID, error) {
	addrs, err := e.reachable(peer)
	if err != nil {
		return 0, err
	}
	now, err := e.enter()
	if err != nil {
		return 0, err
	}
	id, err := e.engine.Connect(now, addrs, p)
	e.leave(now)
	return id, err
}

// reachable returns the addresses of a peer for which there is a socket.
func (e *Endpoint) reachable(peer []netip.AddrPort) ([]netip.AddrPort, error) {
	var addrs []netip.AddrPort
	for _, a := range peer {
		if !a.Addr().IsValid() || a.Port() == 0 || a.Addr().IsMulticast() {
			return nil, fmt.Errorf("connect to %v: %w", a, assoc.ErrInvalid)
		}
		if a = normal(a); e.serves(a.Addr()) {
			addrs = append(addrs, a)
		}
	}
	switch {
	case len(peer) == 0:
		return nil, fmt.Errorf("connect to no address: %w", assoc.ErrInvalid)
	case len(addrs) == 0:
		family := "IPv4 (AF_INET)"
		if e.sockets[0].v6 {
			family = "IPv6 (AF_INET6), and this host has no other"
		}
		return nil, fmt.Errorf("connect to %v: the socket is for %s: %w", peer, family, assoc.ErrUnreachable)
	}
	return addrs, nil
}

// serves says whether there is a socket of the address's family.
func (e *Endpoint) serves(a netip.Addr) bool {
	for _, s := range e.sockets {
		if s.v6 == a.Is6() {
			return true
		}
	}
	return false
}

// Shutdown implements transport.Endpoint.
func (e *Endpoint) Shutdown(id assoc.ID) error {
	now, err := e.enter()
	if err != nil {
		return err
	}
	err = e.engine.Shutdown(now, id)
	e.leave(now)
	return err
}

// Abort implements transport.Endpoint.
func (e *Endpoint) Abort(id assoc.ID, reason string) error {
	now, err := e.enter()
	if err != nil {
		return err
	}
	err = e.engine.Abort(now, id, reason)
	e.leave(now)
	return err
}

// SetParams implements transport.Endpoint.
func (e *Endpoint) SetParams(id assoc.ID, p assoc.Params) error {
	now, err := e.enter()
	if err != nil {
		return err
	}
	if err = e.engine.SetParams(id, p); err == nil && id == 0 && p.ShutdownGuard != 0 {
		e.guard = p.ShutdownGuard
	}
	e.leave(now)
	return err
}

// Status implements transport.Endpoint.
func (e *Endpoint) Status(id assoc.ID) (assoc.Status, error) {
	if _, err := e.enter(); err != nil {
		return assoc.Status{}, err
	}
	defer e.mu.Unlock()
	return e.engine.Status(id)
}

// LocalAddrs implements transport.Endpoint.
func (e *Endpoint) LocalAddrs() []netip.AddrPort {
	return append([]netip.AddrPort(nil), e.local...)
}

// AssocAddrs implements transport.Endpoint.
func (e *Endpoint) AssocAddrs(id assoc.ID) (local, peer []netip.AddrPort, err error) {
	if _, err := e.enter(); err != nil {
		return nil, nil, err
	}
	defer e.mu.Unlock()
	return e.engine.AssocAddrs(id)
}

// Hold implements transport.Holder.
func (e *Endpoint) Hold(id assoc.ID, on bool) error {
	now, err := e.enter()
	if err != nil {
		return err
	}
	err = e.engine.Hold(id, on)
	e.leave(now)
	return err
}

// Lend implements transport.Lender.
func (e *Endpoint) Lend() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.engine.Lend()
}

// Return implements transport.Lender.
func (e *Endpoint) Return(id assoc.ID, bytes, messages int) {
	now, err := e.enter()
	if err != nil {
		return
	}
	e.engine.Return(id, bytes, messages)
	e.leave(now)
}
