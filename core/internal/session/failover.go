package session

import (
	"errors"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// failover is what a pool user's session knows of its elements.
type failover struct {
	handed   int    // messages that the present element's transport has, or had
	answered int    // messages that came from it
	covered  uint64 // Replay: messages of the session that the newest cookie covers
	counted  uint64 // how many the newest cookie says it covers
	since    uint64 // counted when the present element took over

	failing bool          // between two elements
	from    protocol.PEID // failing: the one that was lost
	doubt   int           // failing: messages in doubt
	resent  int           // failing: messages that go to the next one again
	leaving error         // why the library gives the present element up
	heard   time.Time     // of the present element
	tuned   assoc.Params  // what tune chose for it
}

// sessionUp: the association with an element stands.
func (t *Table) sessionUp(ss *Session) {
	ss.phase = established
	if ss.stood {
		ss.moves++
	}
	t.log(endpoint.Info, "session is served", "pool", ss.peer.Pool, "pe", ss.peer.PE, "at", ss.at.AddrPorts(), "failovers", ss.moves, "waiting_bytes", ss.queuedBytes)
	first := !ss.stood
	ss.stood = true
	ss.handed, ss.answered, ss.since = 0, 0, ss.counted
	t.cfg.Post(endpoint.SessionUp{Session: ss.id, Assoc: ss.assoc}) // the cookie echo goes first
	t.recommend(ss)
	if first {
		t.notify(ss, Notification{Type: SessionAdded, New: ss.peer.PE})
	} else if ss.failing {
		n := Notification{Type: FailoverCompleted, Old: ss.from, New: ss.peer.PE, InDoubt: ss.doubt, Resent: ss.resent}
		if told := t.notify(ss, n); told != nil && ss.opts.HoldFailover {
			ss.shutGate(told)
		}
	}
	ss.failing = false
	ss.tuned = assoc.Params{}
	t.tuneLater(ss, tuneFirst)
	t.flush(ss)
	t.changes(ss)
}

// sessionDown: what came back, or what no cookie covers, goes before what
// waits, and all of it to the next element (ASAP-6.5.5-01).
func (t *Table) sessionDown(ss *Session, why error) {
	t.release(ss)
	ss.openGate()
	if errors.Is(ss.leaving, ErrSendLimit) {
		t.outOfPatience(ss, ss.leaving)
		return
	}
	if !ss.own {
		t.elementSessionDown(ss, why)
		return
	}
	if ss.ending && !ss.waiting() {
		t.end(ss, nil)
		return
	}
	if ss.leaving != nil {
		why = ss.leaving
	}
	if ss.stood && ss.opts.NoFailover {
		t.endWithElement(ss, why)
		return
	}
	if ss.stood && !ss.failing {
		t.beginFailover(ss, why)
	}
	ss.leaving = nil
	ss.sendAgain()
	ss.phase, ss.assoc = searching, 0
	t.changes(ss)
	t.cfg.Post(endpoint.SessionLost{Session: ss.id, Err: why})
}

// elementSessionDown: the session of a pool element ends with its association,
// unless another element of its pool user's pool takes the user's place.
func (t *Table) elementSessionDown(ss *Session, why error) {
	if why != nil && ss.follows() && !t.closing {
		t.followCard(ss, why)
		return
	}
	t.giveUp(ss, why)
	t.notify(ss, Notification{Type: SessionRemoved, Err: why})
	t.end(ss, why)
}

func (t *Table) beginFailover(ss *Session, why error) {
	ss.failing, ss.from = true, ss.peer.PE
	ss.doubt, ss.resent = ss.inDoubt(), ss.returned.len()
	if ss.replays() {
		ss.resent = ss.kept.len()
	}
	t.notify(ss, Notification{Type: FailoverBegun, Old: ss.from, InDoubt: ss.doubt, Err: why})
}

// inDoubt is Notification.InDoubt: what the element's transport has taken,
// without what it answered or covered. What is replayed is not in doubt.
func (ss *Session) inDoubt() int {
	if ss.replays() {
		return 0
	}
	sure := uint64(ss.answered)
	if ss.counted > ss.since {
		sure = max(sure, ss.counted-ss.since)
	}
	return ss.handed - int(min(sure, uint64(ss.handed)))
}

// leaveElement gives up the element of a session: the end of its association
// begins the failover.
func (t *Table) leaveElement(ss *Session, why error) {
	if a := t.assocs[ss.assoc]; a != nil && a.session == ss {
		ss.leaving = why
		_ = t.port.Abort(ss.assoc, why.Error()) // gone already: as wished
	}
}

// moveOn does what a draining element asks for: nothing more is sent to it.
// It is told so behind the last message, and ends the association when it has
// answered them.
func (t *Table) moveOn(ss *Session, cookie []byte) {
	ss.phase = draining
	t.notify(ss, Notification{Type: Shutdown})
	t.sendControl(ss.assoc, asap.CookieEcho{Data: cookie})
}

// livelyFor is how long an element does not hang that was heard of.
const livelyFor = 500 * time.Millisecond

// leavePE: a registrar has removed the element of a session.
func (t *Table) leavePE(f endpoint.LeavePE) {
	if ss := t.sessions[f.Session]; ss != nil && t.now.Sub(ss.heard) > livelyFor {
		t.leaveElement(ss, errRemoved)
	}
}
