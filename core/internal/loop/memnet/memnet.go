// Package memnet is a network of transport endpoints in memory, for tests of
// the layers above: no packets, no delay, no loss, but windows that fill,
// peers that stop reading, and processes that die.
package memnet

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/transport"
)

// Loopback is the address that wildcard bindings show to their peers.
var Loopback = netip.MustParseAddr("127.0.0.1")

// Net is a network. All its endpoints share one lock.
type Net struct {
	mu    sync.Mutex
	ports map[uint16]*Endpoint
	next  uint16
	cross bool
}

// New returns a network without endpoints.
func New() *Net { return &Net{ports: map[uint16]*Endpoint{}, next: 40000} }

// Open is an opener of endpoints like that of package open.
func (n *Net) Open(cfg transport.Config) (transport.Endpoint, string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	local := slices.Clone(cfg.Local)
	if len(local) == 0 {
		local = []netip.AddrPort{netip.AddrPortFrom(netip.IPv4Unspecified(), 0)}
	}
	port := local[0].Port()
	for port == 0 {
		n.next++
		if n.ports[n.next] == nil {
			port = n.next
		}
	}
	if n.ports[port] != nil {
		return nil, "", fmt.Errorf("memnet: port %d: %w", port, syscall.EADDRINUSE)
	}
	for i, a := range local {
		local[i] = netip.AddrPortFrom(a.Addr(), port)
	}
	e := &Endpoint{net: n, local: local, params: cfg.Params.OrDefault(), refuse: cfg.NoListen, conns: map[assoc.ID]*conn{}, kick: make(chan struct{}, 1), gone: make(chan struct{})}
	n.ports[port] = e
	go e.runHooks()
	return e, "memory", nil
}

// Endpoint is a transport.Endpoint.
type Endpoint struct {
	net    *Net
	local  []netip.AddrPort
	params assoc.Params
	refuse bool // NoListen
	conns  map[assoc.ID]*conn
	lastID assoc.ID
	inbox  []item
	frozen bool
	closed bool

	readable func()
	writable func(assoc.ID)
	kick     chan struct{}
	gone     chan struct{}
	waiting  []assoc.ID // blocked associations that have room again
	lends    bool
}

type item struct {
	info assoc.RecvInfo
	data []byte
}

var (
	_ transport.Endpoint = (*Endpoint)(nil)
	_ transport.Holder   = (*Endpoint)(nil)
	_ transport.Lender   = (*Endpoint)(nil)
)

// Freeze makes the endpoint deaf: what is sent to it stays with the sender.
func (e *Endpoint) Freeze() {
	e.net.mu.Lock()
	defer e.net.mu.Unlock()
	e.frozen = true
}

// Cross has the exclusive connections of two endpoints to each other meet under way,
// and each wait for the other.
func (n *Net) Cross() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cross = true
}

// Kill ends the endpoint as SIGKILL does: its peers see their associations
// break and get back what did not arrive.
func (e *Endpoint) Kill() {
	e.net.mu.Lock()
	defer e.net.mu.Unlock()
	e.end(assoc.ErrRefused)
}

// Vanish ends the endpoint as a power failure does: its peers do not notice. An
// endpoint that takes its place and connects to them restarts its associations.
func (e *Endpoint) Vanish() {
	e.net.mu.Lock()
	defer e.net.mu.Unlock()
	e.frozen = true
	e.vanish()
}

func (e *Endpoint) vanish() {
	e.closed = true
	delete(e.net.ports, e.local[0].Port())
	close(e.gone)
}

// Close implements transport.Endpoint.
func (e *Endpoint) Close() error {
	e.net.mu.Lock()
	defer e.net.mu.Unlock()
	e.end(assoc.ErrAborted)
	return nil
}

func (e *Endpoint) end(why error) {
	if e.closed {
		return
	}
	e.vanish()
	for _, c := range e.sorted() {
		c.lose(why)
	}
}

func (e *Endpoint) push(m item) {
	if e.closed {
		return
	}
	if c := e.conns[m.info.Assoc]; c != nil && c.held {
		c.parked = append(c.parked, m)
		return
	}
	e.inbox = append(e.inbox, m)
	e.wake()
}

// Hold implements transport.Holder.
func (e *Endpoint) Hold(id assoc.ID, on bool) error {
	e.net.mu.Lock()
	defer e.net.mu.Unlock()
	c := e.conns[id]
	if c == nil {
		return assoc.ErrNotConnected
	}
	c.hold(on)
	return nil
}

// Lend implements transport.Lender.
func (e *Endpoint) Lend() {
	e.net.mu.Lock()
	defer e.net.mu.Unlock()
	e.lends = true
}

// Return implements transport.Lender.
func (e *Endpoint) Return(id assoc.ID, bytes, _ int) {
	e.net.mu.Lock()
	defer e.net.mu.Unlock()
	if c := e.conns[id]; c != nil {
		c.taken(bytes)
	}
}

func (e *Endpoint) wake() {
	select {
	case e.kick <- struct{}{}:
	default:
	}
}

func (e *Endpoint) runHooks() {
	for {
		select {
		case <-e.gone:
			return
		case <-e.kick:
		}
		e.net.mu.Lock()
		readable, writable, ids := e.readable, e.writable, e.waiting
		e.waiting = nil
		e.net.mu.Unlock()
		if readable != nil {
			readable()
		}
		for _, id := range ids {
			if writable != nil {
				writable(id)
			}
		}
	}
}

// Notify implements transport.Endpoint.
func (e *Endpoint) Notify(readable func(), writable func(assoc.ID)) {
	e.net.mu.Lock()
	defer e.net.mu.Unlock()
	e.readable, e.writable = readable, writable
	e.wake()
}

// Recv implements transport.Endpoint.
func (e *Endpoint) Recv(b []byte, info *assoc.RecvInfo) (int, error) {
	e.net.mu.Lock()
	defer e.net.mu.Unlock()
	if len(e.inbox) == 0 {
		if e.closed {
			return 0, net.ErrClosed
		}
		return 0, assoc.ErrWouldBlock
	}
	m := &e.inbox[0]
	*info = m.info
	n := copy(b, m.data)
	m.data = m.data[n:]
	if info.More = len(m.data) > 0; !info.More {
		e.inbox = e.inbox[1:]
	}
	if c := e.conns[info.Assoc]; c != nil && info.Kind == assoc.Message && !e.lends {
		c.taken(n)
	}
	return n, nil
}

// Send implements transport.Endpoint.
func (e *Endpoint) Send(b []byte, info *assoc.SendInfo) error {
	e.net.mu.Lock()
	defer e.net.mu.Unlock()
	c := e.conns[info.Assoc]
	switch {
	case e.closed:
		return net.ErrClosed
	case c == nil:
		return assoc.ErrNotConnected
	case len(b) == 0:
		return assoc.ErrInvalid
	case len(b) > e.params.MaxMessage:
		return assoc.ErrMessageSize
	case c.closing:
		return assoc.ErrPipe
	case c.queued > 0 && c.queued+len(b) > c.sendBuffer:
		c.blocked = true
		return assoc.ErrWouldBlock
	}
	c.pending = append(c.pending, item{
		info: assoc.RecvInfo{Stream: info.Stream, PPID: info.PPID, Unordered: info.Unordered, Context: info.Context},
		data: slices.Clone(b),
	})
	c.queued += len(b)
	if c.up {
		c.deliver()
	}
	return nil
}

// SetParams implements transport.Endpoint; a network in memory has no others than
// the sizes of buffers.
func (e *Endpoint) SetParams(id assoc.ID, p assoc.Params) error {
	e.net.mu.Lock()
	defer e.net.mu.Unlock()
	c := e.conns[id]
	switch {
	case id == 0:
		e.params.SendBuffer = cmp.Or(p.SendBuffer, e.params.SendBuffer)
		e.params.ReceiveBuffer = cmp.Or(p.ReceiveBuffer, e.params.ReceiveBuffer)
	case c == nil:
		return assoc.ErrNotConnected
	default:
		c.resize(p)
	}
	return nil
}

// Status implements transport.Endpoint.
func (e *Endpoint) Status(id assoc.ID) (assoc.Status, error) {
	e.net.mu.Lock()
	defer e.net.mu.Unlock()
	c := e.conns[id]
	if c == nil {
		return assoc.Status{}, assoc.ErrNotConnected
	}
	return assoc.Status{State: "ESTABLISHED", Unsent: len(c.pending), QueuedBytes: c.queued, QueuedPayload: c.queued}, nil
}

// LocalAddrs implements transport.Endpoint.
func (e *Endpoint) LocalAddrs() []netip.AddrPort { return slices.Clone(e.local) }

// AssocAddrs implements transport.Endpoint.
func (e *Endpoint) AssocAddrs(id assoc.ID) (local, peer []netip.AddrPort, err error) {
	e.net.mu.Lock()
	defer e.net.mu.Unlock()
	c := e.conns[id]
	if c == nil || c.peer == nil {
		return nil, nil, assoc.ErrNotConnected
	}
	return e.seen(), c.peer.self.seen(), nil
}

func (e *Endpoint) seen() []netip.AddrPort {
	out := slices.Clone(e.local)
	for i, a := range out {
		if a.Addr().IsUnspecified() {
			out[i] = netip.AddrPortFrom(Loopback, a.Port())
		}
	}
	return out
}
