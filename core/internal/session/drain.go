package session

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/timerq"
)

// elementSide is what a pool element knows of a session that stays with it.
type elementSide struct {
	taken uint64       // messages that the program received, and those that the echo covers
	base  uint64       // those that the echo covers
	last  *cookieFrame // the state that was left or brought last

	asked   bool // the pool user was asked to move on
	askedAt time.Time
	stopped bool                   // it said that it sends nothing more
	touched time.Time              // asked: when the program last did something
	parting timerq.Timer[deadline] // when it is asked, or nothing more is to be expected of it
	parts   bool                   // nothing more is, unless the transport has something
}

// Draining ends a session when the pool user has stopped, or is no user of this
// library and seems not to listen (moveAfter), when everything was read and
// when the program has done nothing for a while: for drainPause if it looks
// done, with an answer per message and the last cookie covering all of them, and
// otherwise for drainPatience.
const (
	moveAfter     = 500 * time.Millisecond // or three retransmission timeouts
	drainPause    = 50 * time.Millisecond
	drainPatience = time.Second
	drainLook     = 10 * time.Millisecond // for what the transport has and was not taken
)

// Drain asks the pool users of all sessions of the element, and of those that come
// until EndDrain, to go on with another one, and ends each as soon as nothing more
// is to be expected of it.
func (t *Table) Drain(now time.Time) {
	t.now, t.draining = now, true
	for _, ss := range t.staying() {
		t.askToMove(ss)
	}
}

// EndDrain ends it. With rest the sessions that are left are ended gracefully.
func (t *Table) EndDrain(now time.Time, rest bool) {
	t.now, t.draining = now, false
	for _, ss := range t.staying() {
		t.deadlines.Stop(&ss.parting)
		if rest {
			t.finish(ss)
		}
	}
}

// Drained says that no session of the element is left, nor an association that had
// one.
func (t *Table) Drained() bool { return len(t.staying()) == 0 && t.leavings() == 0 }

// TellLeft tells the pool users of all sessions that the element has left its pool
// and goes on with them.
func (t *Table) TellLeft(now time.Time) {
	t.now = now
	for _, ss := range t.staying() {
		t.signal(ss, frameLeft)
	}
}

// staying returns the sessions of the element that are not over.
func (t *Table) staying() []*Session {
	return t.list(func(ss *Session) bool { return !ss.own && !ss.Over() })
}

func (t *Table) askToMove(ss *Session) {
	t.signal(ss, frameMove)
	ss.asked, ss.askedAt, ss.touched = true, t.now, t.now
	t.notify(ss, Notification{Type: Shutdown})
	t.lookParting(ss)
}

// touch notes that the program did something with the session.
func (t *Table) touch(ss *Session) {
	if ss.asked {
		ss.touched = t.now
		t.lookParting(ss)
	}
}

// lookParting sets when a session that is to move is done, as it looks now.
func (t *Table) lookParting(ss *Session) {
	if ss.own || !ss.asked || !t.draining {
		return
	}
	t.deadlines.Stop(&ss.parting)
	ss.parts = false
	if ss.inbox.len() > 0 || ss.Over() {
		return // what the program does next looks again
	}
	at := ss.touched.Add(drainPatience)
	if uint64(ss.handed) >= ss.taken-ss.base && (ss.last == nil || ss.last.covered == ss.taken) {
		at = ss.touched.Add(drainPause)
	}
	if !ss.stopped {
		if listens := ss.askedAt.Add(t.listens(ss)); at.Before(listens) {
			at = listens
		}
	}
	t.deadlines.Set(&ss.parting, at)
}

// listens is how long a pool user of this library may take to say that it has stopped:
// on a slow path longer.
func (t *Table) listens(ss *Session) time.Duration {
	st, _ := t.port.Status(ss.assoc) // gone already: its end follows
	if st.Primary < len(st.Paths) {
		return max(moveAfter, 3*st.Paths[st.Primary].RTO)
	}
	return moveAfter
}

// partDue ends a session that is done, or asks one to move that came while the
// element drains. A process that was stopped for some time finds its deadlines passed
// before it has taken what arrived meanwhile: hence the second look.
func partDue(t *Table, ss *Session) {
	switch {
	case ss.Over():
	case !ss.asked:
		t.askToMove(ss)
	case !ss.parts:
		ss.parts, t.hungry = true, true
		t.deadlines.Set(&ss.parting, t.now.Add(drainLook))
	default:
		t.finish(ss)
	}
}
