// Package memnet is a network of transport endpoints in memory, for tests of
// the layers above: no packets, no delay, no loss, but windows that fill,
// peers that stop reading, and processes that die.
package memnet

import (
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
}

// conn is one end of an association.
type conn struct {
	id      assoc.ID
	self    *Endpoint
	peer    *conn
	crosses *Endpoint // who is to connect as well
	up      bool
	closing bool
	pending []item // messages on their way to the peer
	queued  int    // bytes of pending
	unread  int    // bytes of the peer's messages in self.inbox
	held    bool
	parked  []item // what would be in self.inbox if it were not held
	blocked bool
}

type item struct {
	info assoc.RecvInfo
	data []byte
}

var (
	_ transport.Endpoint = (*Endpoint)(nil)
	_ transport.Holder   = (*Endpoint)(nil)
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

func (e *Endpoint) sorted() []*conn {
	out := make([]*conn, 0, len(e.conns))
	for id := assoc.ID(1); id <= e.lastID; id++ {
		if c := e.conns[id]; c != nil {
			out = append(out, c)
		}
	}
	return out
}

// lose breaks an association: the peer's end is told, this one is forgotten.
func (c *conn) lose(why error) {
	delete(c.self.conns, c.id)
	p := c.peer
	if p == nil || p.self.conns[p.id] != p {
		return
	}
	p.finish(assoc.CommLost, why)
}

// finish reports what did not arrive and the end, and forgets the end.
func (c *conn) finish(kind assoc.Kind, why error) {
	c.hold(false)
	for _, m := range c.pending {
		m.info.Kind = assoc.SendFailed
		m.info.Assoc = c.id
		m.info.Unsent = true
		m.info.Err = why
		c.self.push(m)
	}
	c.pending = nil
	delete(c.self.conns, c.id)
	c.self.push(item{info: assoc.RecvInfo{Kind: kind, Assoc: c.id, Err: why}})
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

func (c *conn) hold(on bool) {
	if c.held == on {
		return
	}
	e := c.self
	c.held = on
	if !on {
		e.inbox = append(e.inbox, c.parked...)
		c.parked = nil
		e.wake()
		return
	}
	var rest []item
	for _, m := range e.inbox {
		if m.info.Assoc == c.id {
			c.parked = append(c.parked, m)
		} else {
			rest = append(rest, m)
		}
	}
	e.inbox = rest
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
	if c := e.conns[info.Assoc]; c != nil && info.Kind == assoc.Message {
		c.unread -= n
		c.peer.deliver()
	}
	return n, nil
}

// deliver moves messages into the peer's inbox while its window is open.
func (c *conn) deliver() {
	p := c.peer
	for c.up && len(c.pending) > 0 && !p.self.frozen && p.unread < p.self.params.ReceiveBuffer {
		m := c.pending[0]
		c.pending = c.pending[1:]
		c.queued -= len(m.data)
		p.unread += len(m.data)
		m.info.Kind, m.info.Assoc = assoc.Message, p.id
		p.self.push(m)
	}
	if c.blocked && c.queued < c.self.params.SendBuffer/2 {
		c.blocked = false
		c.self.waiting = append(c.self.waiting, c.id)
		c.self.wake()
	}
	if c.closing && len(c.pending) == 0 && c.self.conns[c.id] == c {
		c.finish(assoc.ShutdownComplete, nil)
		if p.self.conns[p.id] == p {
			p.finish(assoc.ShutdownComplete, nil)
		}
	}
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
	case c.queued > 0 && c.queued+len(b) > e.params.SendBuffer:
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

// Connect implements transport.Endpoint.
func (e *Endpoint) Connect(peer []netip.AddrPort, p *assoc.Params) (assoc.ID, error) {
	e.net.mu.Lock()
	defer e.net.mu.Unlock()
	if e.closed {
		return 0, net.ErrClosed
	}
	if len(peer) == 0 {
		return 0, assoc.ErrInvalid
	}
	target := e.net.ports[peer[0].Port()]
	for _, c := range e.sorted() {
		if target != nil && c.peer != nil && c.peer.self == target {
			return c.id, assoc.ErrAlreadyExists
		}
	}
	c := e.newConn()
	if target == nil || target.refuse {
		c.finish(assoc.CannotStart, assoc.ErrRefused)
		return c.id, nil
	}
	if old := target.left(e); old != nil {
		c.restart(old)
		return c.id, nil
	}
	if e.net.cross && p != nil && p.Exclusive {
		for _, other := range target.sorted() {
			if other.crosses == e {
				other.establish(c)
				return c.id, nil
			}
		}
		c.crosses = target
		return c.id, nil
	}
	if target.frozen {
		c.peer = target.newConn()
		c.peer.peer = c
		return c.id, nil // no answer, for ever: Abort ends it
	}
	c.establish(target.newConn())
	return c.id, nil
}

// establish joins two ends; c is the one that connected.
func (c *conn) establish(to *conn) {
	c.crosses, to.crosses = nil, nil
	c.peer, to.peer = to, c
	c.up, to.up = true, true
	c.self.push(item{info: assoc.RecvInfo{Kind: assoc.CommUp, Assoc: c.id}})
	to.self.push(item{info: assoc.RecvInfo{Kind: assoc.CommUp, Assoc: to.id, Incoming: true}})
}

// left returns the association with an endpoint that vanished and whose place
// e has taken.
func (e *Endpoint) left(by *Endpoint) *conn {
	for _, c := range e.sorted() {
		if c.peer != nil && c.peer.self.closed && c.peer.self.local[0] == by.local[0] {
			return c
		}
	}
	return nil
}

// restart makes c the new other end of an old association.
func (c *conn) restart(old *conn) {
	old.pending, old.queued, old.unread = nil, 0, 0
	old.peer, c.peer, c.up = c, old, true
	c.self.push(item{info: assoc.RecvInfo{Kind: assoc.CommUp, Assoc: c.id}})
	old.self.push(item{info: assoc.RecvInfo{Kind: assoc.Restart, Assoc: old.id}})
}

func (e *Endpoint) newConn() *conn {
	e.lastID++
	c := &conn{id: e.lastID, self: e}
	e.conns[c.id] = c
	return c
}

// Shutdown implements transport.Endpoint.
func (e *Endpoint) Shutdown(id assoc.ID) error {
	e.net.mu.Lock()
	defer e.net.mu.Unlock()
	c := e.conns[id]
	if c == nil {
		return assoc.ErrNotConnected
	}
	c.closing = true
	c.deliver()
	return nil
}

// Abort implements transport.Endpoint.
func (e *Endpoint) Abort(id assoc.ID, _ string) error {
	e.net.mu.Lock()
	defer e.net.mu.Unlock()
	c := e.conns[id]
	if c == nil {
		return assoc.ErrNotConnected
	}
	up := c.up
	if c.finish(assoc.CommLost, assoc.ErrLocalAbort); up {
		c.lose(assoc.ErrAborted)
	} else {
		delete(c.peer.self.conns, c.peer.id)
	}
	return nil
}

// SetParams implements transport.Endpoint; a network in memory has none to set.
func (e *Endpoint) SetParams(assoc.ID, assoc.Params) error { return nil }

// Status implements transport.Endpoint.
func (e *Endpoint) Status(id assoc.ID) (assoc.Status, error) {
	e.net.mu.Lock()
	defer e.net.mu.Unlock()
	c := e.conns[id]
	if c == nil {
		return assoc.Status{}, assoc.ErrNotConnected
	}
	return assoc.Status{State: "ESTABLISHED", Unsent: len(c.pending), QueuedBytes: c.queued}, nil
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
