package session

import (
	"fmt"

	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/timerq"
)

// A session that refused a message is full until it has room again, and the others
// of its endpoint are not. There is room somewhere while there is one that is not full;
// who wants to send on one that is waits for that one: Change.Write, or SendReady.

// room is what a session knows of its room to send.
type room struct {
	full     bool                   // a message was refused; there was no room since
	patience timerq.Timer[deadline] // full: when Options.SendLimit is over
	behind   int                    // bytes that were not taken when it began
	offer    *Notification          // SendReady, unread
}

// refuse notes that a session had no room for something.
func (t *Table) refuse(ss *Session) {
	if !ss.full {
		ss.full = true
		t.fulls++
		t.limitWait(ss)
	}
	t.tell(ss, newsLess)
}

// relax notes that the session takes messages again, or has ended.
func (t *Table) relax(ss *Session) {
	if ss.full {
		ss.full = false
		t.fulls--
		t.deadlines.Stop(&ss.patience)
		t.tellReady(ss)
	}
	t.tell(ss, newsWrite)
}

// tellReady says that there is room again. Once is enough for who has not read it.
func (t *Table) tellReady(ss *Session) {
	if !ss.Over() && ss.offer == nil {
		ss.offer = t.notify(ss, Notification{Type: SendReady})
	}
}

// Room says that there is a session that takes a message as far as is known, or none
// at all.
func (t *Table) Room() bool { return t.cfg.PerSession || t.fulls == 0 || t.fulls < t.live }

// limitWait gives a session that is full its time.
func (t *Table) limitWait(ss *Session) {
	t.deadlines.Stop(&ss.patience)
	if limit := ss.opts.SendLimit; limit > 0 && ss.full {
		ss.behind = t.untaken(ss)
		t.deadlines.Set(&ss.patience, t.now.Add(limit))
	}
}

// untaken is how much the peer of a session has not taken.
func (t *Table) untaken(ss *Session) int {
	n := ss.queuedBytes
	if t.assocs[ss.assoc] != nil {
		st, _ := t.port.Status(ss.assoc) // gone already: nothing
		n += st.QueuedBytes
	}
	return n
}

// patienceOver ends a session whose peer has taken nothing for too long. While it
// looks for an element it is FailoverLimit that counts.
func patienceOver(t *Table, ss *Session) {
	a := t.assocs[ss.assoc]
	if ss.Over() || t.closing {
		return
	}
	if a == nil || a.session != ss || ss.phase == connecting || t.untaken(ss) < ss.behind {
		t.limitWait(ss)
		return
	}
	ss.leaving = fmt.Errorf("%w: session %d has no room, and its peer has taken nothing for %v", ErrSendLimit, ss.id, ss.opts.SendLimit)
	t.log(endpoint.Warn, "session is ended", "session", ss.id, "err", ss.leaving)
	_ = t.port.Abort(ss.assoc, "messages are not taken") // gone already: as wished
}

// outOfPatience ends a session of SendLimit whose association has ended.
func (t *Table) outOfPatience(ss *Session, why error) {
	t.giveUp(ss, why)
	t.notify(ss, Notification{Type: SessionRemoved, Err: why})
	t.end(ss, why)
}
