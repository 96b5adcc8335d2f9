package kernel

import (
	"slices"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// Hold implements transport.Holder. One socket has one queue for what
// arrives, so an association that is held gets a socket of its own, with a
// receive window that closes while nobody reads. It stays there: the kernel
// knows no way back (RFC 6458 section 9.2).
func (e *Endpoint) Hold(id assoc.ID, on bool) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	a, err := e.lookup(id)
	if err != nil || a.held == on {
		return err
	}
	if on {
		e.hold(a)
	} else {
		e.letCome(a)
	}
	return nil
}

// hold leaves an association unread. One that has ended is not held: what is
// left of it is not more than its window.
func (e *Endpoint) hold(a *association) {
	if a.sock == e.main {
		_ = e.peelOff(a) // without a descriptor for it, all have to wait
	}
	if !a.sock.has(a.id) {
		return
	}
	a.held = true
	switch {
	case a.sock == e.main:
		if e.stalls++; e.current == e.main {
			e.current = nil
		}
	case e.current == a.sock:
		e.current = nil
		fallthrough
	default:
		e.peeled.watch(a)
	}
	var rest []item
	for _, it := range e.inbox.ready {
		if it.info.Assoc == a.id {
			a.parked = append(a.parked, it)
		} else {
			rest = append(rest, it)
		}
	}
	e.inbox.ready = rest
}

// letCome lets what is in the kernel for an association come.
func (e *Endpoint) letCome(a *association) {
	if !a.held {
		return
	}
	a.held = false
	if len(a.parked) > 0 {
		e.inbox.ready = append(e.inbox.ready, a.parked...)
		a.parked = nil
		go e.hook(e.readable)
	}
	if a.sock != e.main {
		e.peeled.watch(a)
		return
	}
	if e.stalls--; e.stalls == 0 {
		signal(e.hungry)
	}
}

// source returns the socket to read from, nil if there is nothing to read. With
// associations on sockets of their own those take turns: a round visits each
// that has something, and the common one.
func (e *Endpoint) source() *socket {
	for e.current == nil {
		if len(e.round) == 0 {
			if e.idle {
				e.idle = false
				return nil
			}
			e.idle = true
			e.round = e.peeled.ready(e, e.round)
			if e.stalls == 0 {
				e.round = append(e.round, e.main)
			}
			continue
		}
		s := e.round[0]
		e.round = slices.Delete(e.round, 0, 1)
		if e.mayRead(s) {
			e.current, e.turn = s, 0
		}
	}
	return e.current
}

// mayRead says that nothing a socket has to give is held.
func (e *Endpoint) mayRead(s *socket) bool {
	if s.own == nil {
		return e.stalls == 0
	}
	return !s.own.held && e.assocs[s.own.id] == s.own
}

// turnLength is the number of messages after which the next socket has its turn.
const turnLength = 64

// took notes what the current socket gave. It keeps its turn while the end of
// an association is held back, for the sake of what follows that.
func (e *Endpoint) took(whole bool) {
	e.idle = false
	if e.turn++; e.turn >= turnLength && whole && e.inbox.end == nil && len(e.peeled.all) > 0 {
		e.current = nil
	}
}

// dried notes that the current socket has nothing more.
func (e *Endpoint) dried() {
	e.idle = e.idle || len(e.peeled.all) == 0 // no need to look again
	e.current = nil
}

// sockets returns all of the endpoint.
func (e *Endpoint) sockets() []*socket {
	out := []*socket{e.main}
	for _, a := range e.peeled.all {
		out = append(out, a.sock)
	}
	return out
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// epollEvents is how many sockets one look at the peeled ones finds.
const epollEvents = 64

// events says what to wake up for: one that is held is looked at when
// something arrives, because that may be its end.
func events(a *association) uint32 {
	if a.held {
		return unix.EPOLLIN | unix.EPOLLET
	}
	return unix.EPOLLIN
}
