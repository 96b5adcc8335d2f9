package memnet

import (
	"cmp"
	"net"
	"net/netip"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

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

	sendBuffer, receiveBuffer int
}

func (c *conn) resize(p assoc.Params) {
	c.sendBuffer = cmp.Or(p.SendBuffer, c.sendBuffer)
	c.receiveBuffer = cmp.Or(p.ReceiveBuffer, c.receiveBuffer)
	if c.peer != nil {
		c.peer.deliver()
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

// taken opens the window by what somebody has taken.
func (c *conn) taken(n int) {
	c.unread -= n
	c.peer.deliver()
}

// deliver moves messages into the peer's inbox while its window is open.
func (c *conn) deliver() {
	p := c.peer
	for c.up && len(c.pending) > 0 && !p.self.frozen && p.unread < p.receiveBuffer {
		m := c.pending[0]
		c.pending = c.pending[1:]
		c.queued -= len(m.data)
		p.unread += len(m.data)
		m.info.Kind, m.info.Assoc = assoc.Message, p.id
		p.self.push(m)
	}
	if c.blocked && c.queued <= c.sendBuffer/2 {
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
	if p != nil {
		c.resize(*p)
	}
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
	c := &conn{id: e.lastID, self: e, sendBuffer: e.params.SendBuffer, receiveBuffer: e.params.ReceiveBuffer}
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
