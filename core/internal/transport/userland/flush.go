package userland

import (
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/internal/sctp"
)

const (
	// hookLimit is how long packets wait for a hook to return, when something
	// else happens at the endpoint meanwhile.
	hookLimit = time.Millisecond
	// hookPatience is how long they wait when nothing does. It is long because a
	// timer of the system that goes off while hooks come and go costs more
	// than the hooks: it wakes a thread each time.
	hookPatience = 50 * time.Millisecond
)

// writer is the state of the one goroutine that writes packets.
type writer struct {
	writing bool
	written *sync.Cond // writing became false
	lost    uint64     // packets that the system did not take
}

// flush writes the engine's packets until there are none. It is called and
// returns with the lock held, but gives it up during system calls; the engine
// is the queue of whoever comes in that time. Packets of one association keep
// their order because there is one writer.
func (e *Endpoint) flush(now time.Time) {
	if e.writing || e.dead {
		return
	}
	e.writing = true
	out := sendBatches.Get().(*sendBatch)
	for n := e.fill(now, out); n > 0; n = e.fill(now, out) {
		e.mu.Unlock()
		lost, troubled := e.write(out, out.packets[:n])
		e.mu.Lock()
		e.lost += uint64(lost)
		e.reportTooBig(out)
		e.reportUnroutable(out)
		if troubled != nil {
			e.mu.Unlock()
			e.readErrors(troubled)
			e.mu.Lock()
		}
		if !e.engine.Pending() {
			break
		}
		now = clock()
	}
	sendBatches.Put(out)
	e.writing = false
	e.written.Broadcast()
}

// reportTooBig tells the engine which packets the system refused for their
// size: a probe of the path MTU is answered by that (SCTP-5-10).
func (e *Endpoint) reportTooBig(out *sendBatch) {
	if len(out.tooBig) == 0 {
		return
	}
	now := clock()
	for i := range out.tooBig {
		e.engine.TooBig(now, out.tooBig[i].Peer, out.tooBig[i].Data, 0)
	}
	clear(out.tooBig)
	out.tooBig = out.tooBig[:0]
}

// reportUnroutable tells the engine what there is no way for.
func (e *Endpoint) reportUnroutable(out *sendBatch) {
	if len(out.unroutable) == 0 {
		return
	}
	now := clock()
	for i := range out.unroutable {
		u := &out.unroutable[i]
		var why error = u.errno
		if u.errno == unix.EINVAL {
			why = fmt.Errorf("there is no way from %v: %w", e.local, u.errno)
		}
		e.engine.Unroutable(now, u.packet.Peer, u.packet.Data, why)
	}
	clear(out.unroutable)
	out.unroutable = out.unroutable[:0]
}

// postpone leaves packets to the goroutine that is calling hooks: it writes
// all that come of a batch of messages at once. Should a hook take long the
// timer does it.
func (e *Endpoint) postpone() {
	e.wakeAt(e.hookStart.Add(hookPatience))
}

// fill takes up to a batch of packets from the engine.
func (e *Endpoint) fill(now time.Time, out *sendBatch) (n int) {
	for n < len(out.packets) && e.engine.Output(now, &out.packets[n]) {
		n++
	}
	return n
}

// write sends packets through their sockets. It returns the last socket whose
// error queue is worth a look.
func (e *Endpoint) write(out *sendBatch, packets []sctp.Packet) (lost int, troubled *socket) {
	for len(packets) > 0 {
		s := e.route(&packets[0])
		n := 1
		for n < len(packets) && e.route(&packets[n]) == s {
			n++
		}
		if s == nil {
			lost += n
		} else if l, bad := out.write(s, packets[:n]); l > 0 || bad {
			lost += l
			troubled = s
		}
		packets = packets[n:]
	}
	return lost, troubled
}

// route returns the socket that a packet leaves from: the one with its source
// address, or else one of the peer's family (SCTP-5-11).
func (e *Endpoint) route(p *sctp.Packet) *socket {
	if len(e.sockets) == 1 {
		return e.sockets[0]
	}
	var fallback *socket
	for _, s := range e.sockets {
		if s.v6 != p.Peer.Addr().Is6() {
			continue
		}
		if s.local.Addr() == p.Local {
			return s
		}
		if fallback == nil || s.wildcard {
			fallback = s
		}
	}
	return fallback
}

// readErrors gives the engine what the error queue of a socket holds. It is
// called without the lock.
func (e *Endpoint) readErrors(s *socket) {
	errors := s.unreachable()
	e.mu.Lock()
	defer e.mu.Unlock()
	now := clock()
	for _, u := range errors {
		if u.mtu > 0 {
			e.engine.TooBig(now, u.to, u.quoted, u.mtu)
		} else {
			e.engine.Unreachable(now, u.to, u.quoted)
		}
	}
}
