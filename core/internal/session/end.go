package session

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/endpoint"
)

// Finish ends a session gracefully once nothing of it waits to be sent. What was
// received and not read is lost, also if the session has ended before.
func (t *Table) Finish(now time.Time, ss *Session) {
	t.now = now
	t.finish(ss)
}

func (t *Table) finish(ss *Session) {
	t.unpark(ss)
	t.dropInbox(ss)
	t.retire(ss)
	if ss.Over() {
		return
	}
	ss.ending = true
	ss.openGate()
	t.flush(ss)
	t.relax(ss)
	t.tell(ss, newsRead)
	t.changes(ss)
	if ss == t.own {
		t.own = nil
	}
	if !ss.waiting() || ss.phase == draining && !ss.own {
		t.shutdown(ss)
	}
}

// shutdown ends a session of which nothing waits outside the transport.
func (t *Table) shutdown(ss *Session) {
	if a := t.assocs[ss.assoc]; a != nil {
		a.session, a.over, a.was = nil, true, ss.id
		_ = t.port.Shutdown(ss.assoc) // gone already: as wished
	}
	t.end(ss, nil)
}

// abandon ends a session without waiting for anything.
func (t *Table) abandon(ss *Session) {
	t.abortAssoc(ss, "the session was given up")
	t.end(ss, nil)
}

// abortAssoc ends the association of a session, if it has one.
func (t *Table) abortAssoc(ss *Session, reason string) {
	if a := t.assocs[ss.assoc]; a != nil {
		a.session, a.over = nil, true
		_ = t.port.Abort(ss.assoc, reason) // gone already: as wished
	}
}

// end makes the session ended. What was received stays to be read.
func (t *Table) end(ss *Session, err error) {
	if ss.phase == ended {
		return
	}
	if ss.own {
		t.cfg.Post(endpoint.CloseSession{Session: ss.id})
	}
	t.release(ss)
	ss.phase, ss.err, ss.assoc = ended, err, 0
	t.live--
	t.deadlines.Stop(&ss.tuning)
	t.deadlines.Stop(&ss.parting)
	ss.kept.clear()
	ss.toSend.clear()
	ss.returned.clear()
	ss.queuedBytes = 0
	t.relax(ss)
	t.tell(ss, newsRead)
	t.retire(ss)
	t.changes(ss)
}

// changes notes that a session began, stands, moved or ended.
func (t *Table) changes(ss *Session) {
	t.tell(ss, newsState)
	t.moved = true
}

// retire forgets a session that has ended and been read to its end.
func (t *Table) retire(ss *Session) {
	if ss.phase == ended && ss.inbox.len() == 0 && t.sessions[ss.id] == ss {
		delete(t.sessions, ss.id)
		t.changes(ss)
	}
}

// dropInbox throws away what was received and not read.
func (t *Table) dropInbox(ss *Session) {
	for ss.inbox.len() > 0 {
		t.unload(ss)
	}
	t.release(ss)
}

// Discard ends a session of Open whose caller does not want it any more: Open may
// make another one.
func (t *Table) Discard(now time.Time, ss *Session) {
	if t.now = now; t.own == ss {
		t.own = nil
		t.dropInbox(ss)
		t.abandon(ss)
		t.retire(ss)
	}
}

// Abort ends a session at once: what was sent and has not arrived is lost, and the
// peer is told. It also ends one for which Finish was called and whose last messages
// still wait in the transport.
func (t *Table) Abort(now time.Time, ss *Session) {
	t.now = now
	t.abort(ss)
}

func (t *Table) abort(ss *Session) {
	t.unpark(ss)
	t.dropInbox(ss)
	ss.openGate()
	ss.ending = true
	if ss == t.own {
		t.own = nil
	}
	t.abandon(ss)
	t.retire(ss)
}

// Hasten aborts a session that is being ended gracefully, and says whether that is
// so.
func (t *Table) Hasten(now time.Time, id ID) bool {
	t.now = now
	if ss := t.sessions[id]; ss != nil && ss.ending && ss.phase != ended {
		t.abort(ss)
		return true
	}
	for _, at := range t.sortedAssocs() {
		if a := t.assocs[at]; a.over && a.was == id {
			return t.port.Abort(at, "the session was aborted") == nil
		}
	}
	return false
}

// BeginClose ends all sessions gracefully; those of the element that come later are
// none.
func (t *Table) BeginClose(now time.Time) {
	t.now, t.closing = now, true
	for _, ss := range t.Sessions() {
		t.finish(ss)
	}
	t.hungry = true // inboxes that were full are empty now
}

// Close ends all that are left at once, with a reason.
func (t *Table) Close(now time.Time, why error) {
	t.now, t.closing = now, true
	for _, ss := range t.Sessions() {
		t.end(ss, why)
	}
}
