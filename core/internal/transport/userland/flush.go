package userland

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/sctp"
)

// writer is the state of the one goroutine that writes packets.
type writer struct {
	writing bool
	out     [writeBatch]sctp.Packet // with their buffers, used while writing
	lost    uint64
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
	for n := e.fill(now); n > 0; n = e.fill(time.Now()) {
		e.mu.Unlock()
		lost, troubled := e.write(e.out[:n])
		e.mu.Lock()
		e.lost += uint64(lost)
		if troubled != nil {
			e.mu.Unlock()
			e.readErrors(troubled)
			e.mu.Lock()
		}
	}
	e.writing = false
}

// fill takes up to a batch of packets from the engine.
func (e *Endpoint) fill(now time.Time) (n int) {
	for n < len(e.out) && e.engine.Output(now, &e.out[n]) {
		n++
	}
	return n
}

// write sends packets through their sockets. It returns the last socket whose
// error queue is worth a look.
func (e *Endpoint) write(packets []sctp.Packet) (lost int, troubled *socket) {
	for len(packets) > 0 {
		s := e.route(&packets[0])
		n := 1
		for n < len(packets) && e.route(&packets[n]) == s {
			n++
		}
		if s == nil {
			lost += n
		} else if l, bad := s.tx.write(packets[:n]); l > 0 || bad {
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
	for _, u := range errors {
		e.engine.Unreachable(time.Now(), u.to, u.quoted)
	}
}
