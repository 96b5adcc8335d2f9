package session

import (
	"fmt"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/endpoint"
)

// MaxWaiting bounds the sessions that wait for Accept however large the backlog is,
// and those beyond it.
const MaxWaiting = 4096

// accepting is what a Table knows whose sessions are taken one by one.
type accepting struct {
	backlog int            // zero: Listen was not called
	waiting fifo[*Session] // for Accept
	shut    bool           // nobody accepts any more
}

// Listen hands the sessions of pool users out one by one. Of those beyond the
// backlog the first message is taken and the rest left in the transport.
func (t *Table) Listen(now time.Time, backlog int) error {
	t.now = now
	switch {
	case t.own != nil && t.own.phase != ended:
		return fmt.Errorf("%w: to pool %q; listen on another socket", ErrConnected, t.own.peer.Pool)
	case t.backlog == 0 && t.service.Serving:
		return fmt.Errorf("%w: the socket is registered, and its sessions are not for Accept; listen before", ErrInvalid)
	}
	t.cfg.PerSession = true
	t.backlog = min(backlog, MaxWaiting)
	t.letIn()
	return nil
}

// Backlog is what Listen was told; zero: nothing.
func (t *Table) Backlog() int { return t.backlog }

// acceptSession makes a session of an association that a pool user opened.
// Registrars open associations too, to send their keep-alives; hence it is the
// first message that makes one. It returns nil when none is taken.
func (t *Table) acceptSession(id assoc.ID) *Session {
	ss := t.newSession()
	ss.phase, ss.assoc, ss.stood = established, id, true
	ss.peer, ss.card = t.assocs[id].peer, t.assocs[id].card
	if !t.admit(ss) {
		t.end(ss, errRefused)
		return nil
	}
	t.welcome(ss)
	t.log(endpoint.Debug, "session begins", "session", ss.id)
	t.changes(ss)
	t.notify(ss, Notification{Type: SessionAdded})
	t.introduce(id)
	if t.draining { // it is asked to move when it has its state
		t.deadlines.Set(&ss.parting, t.now)
	}
	return ss
}

// admit puts a session that has begun where Accept finds it, or refuses it: then its
// pool user goes on with another element at once.
func (t *Table) admit(ss *Session) (ok bool) {
	listens := t.backlog > 0
	switch {
	case t.closing, listens && (t.shut || t.waiting.len() == MaxWaiting):
		_ = t.port.Abort(ss.assoc, "the pool element takes no more sessions") // gone already: as wished
		return false
	case !listens:
		return true
	}
	if t.waiting.push(ss); t.waiting.len() > t.backlog {
		ss.parked = t.port.PauseReceive(ss.assoc)
	}
	return true
}

// letIn receives more from sessions that have come within the backlog.
func (t *Table) letIn() {
	for i := 0; i < t.waiting.len() && i < t.backlog; i++ {
		t.unpark(*t.waiting.at(i))
	}
	t.hungry = true
}

func (t *Table) unpark(ss *Session) {
	if ss.parked {
		if ss.parked = false; !ss.inboxFull {
			t.port.ResumeReceive(ss.assoc)
		}
	}
}

// Pending returns the session that Accept returns next, skipping those that
// have ended and left nothing to be read; nil if there is none.
func (t *Table) Pending() *Session {
	for t.waiting.len() > 0 {
		ss := *t.waiting.first()
		if !ss.Over() || ss.inbox.len() > 0 {
			return ss
		}
		t.waiting.pop()
	}
	return nil
}

// Accept takes the next session; nil if there is none.
func (t *Table) Accept(now time.Time) *Session {
	t.now = now
	ss := t.Pending()
	if ss != nil {
		t.waiting.pop()
		t.letIn()
	}
	return ss
}

// StopAccepting ends those that wait for Accept, and refuses all that come later.
func (t *Table) StopAccepting(now time.Time) {
	t.now, t.shut = now, true
	for t.waiting.len() > 0 {
		t.finish(t.waiting.pop())
	}
	t.moved = true
}
