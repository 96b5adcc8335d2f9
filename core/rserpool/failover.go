package rserpool

import (
	"errors"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// failover is what a pool user's session knows of its elements.
type failover struct {
	handed   int    // messages that the present element's transport has, or had
	answered int    // messages that came from it
	covered  uint64 // Replay: messages of the session that the newest cookie covers
	counted  uint64 // how many the newest cookie says it covers
	since    uint64 // counted when the present element took over

	failing bool         // between two elements
	from    PEID         // failing: the one that was lost
	doubt   int          // failing: messages in doubt
	resent  int          // failing: messages that go to the next one again
	leaving error        // why the library gives the present element up
	heard   time.Time    // of the present element
	tuned   assoc.Params // what tune chose for it
}

// sessionUp: the association with an element stands.
func (s *Socket) sessionUp(ss *session) {
	ss.state = established
	if ss.stood {
		ss.moves++
	}
	s.log.Info("session is served", "pool", ss.peer.Pool, "pe", ss.peer.PE, "at", ss.at.AddrPorts(), "failovers", ss.moves, "waiting", ss.queuedBytes)
	first := !ss.stood
	ss.stood = true
	ss.handed, ss.answered, ss.since = 0, 0, ss.counted
	s.machine.Post(endpoint.SessionUp{Session: endpoint.SessionID(ss.id), Assoc: ss.assoc}) // the cookie echo goes first
	s.recommend(ss)
	if first {
		s.notify(ss, Notification{Type: SessionAdded, New: ss.peer.PE})
	} else if ss.failing {
		n := Notification{Type: FailoverCompleted, Old: ss.from, New: ss.peer.PE, InDoubt: ss.doubt, Resent: ss.resent}
		if told := s.notify(ss, n); told != nil && ss.opts.HoldFailover {
			ss.holdBack(told)
		}
	}
	ss.failing = false
	ss.tuned = assoc.Params{}
	s.tuneLater(ss, tuneFirst)
	s.flush(ss)
	s.changed.fire()
}

// sessionDown: what came back, or what no cookie covers, goes before what
// waits, and all of it to the next element (ASAP-6.5.5-01).
func (s *Socket) sessionDown(ss *session, why error) {
	s.release(ss)
	ss.unhold()
	if errors.Is(ss.leaving, ErrSendLimit) {
		s.outOfPatience(ss, ss.leaving)
		return
	}
	if !ss.own && why != nil && ss.follows() && !s.closing {
		s.followCard(ss, why)
		return
	}
	if !ss.own {
		s.giveUp(ss, why)
		s.notify(ss, Notification{Type: SessionRemoved, Err: why})
		s.end(ss, why)
		return
	}
	if ss.ending && !ss.waiting() {
		s.end(ss, nil)
		return
	}
	if ss.leaving != nil {
		why = ss.leaving
	}
	if ss.stood && ss.opts.NoFailover {
		s.endWithElement(ss, why)
		return
	}
	if ss.stood && !ss.failing {
		s.beginFailover(ss, why)
	}
	ss.leaving = nil
	if ss.opts.Replay {
		ss.toSend.prepend(&ss.kept)
	} else {
		ss.toSend.prepend(&ss.returned)
	}
	ss.state, ss.assoc = searching, 0
	s.machine.Post(endpoint.SessionLost{Session: endpoint.SessionID(ss.id), Err: why})
}

func (s *Socket) beginFailover(ss *session, why error) {
	ss.failing, ss.from = true, ss.peer.PE
	ss.doubt, ss.resent = ss.inDoubt(), ss.returned.len()
	if ss.opts.Replay && ss.own {
		ss.resent = ss.kept.len()
	}
	s.notify(ss, Notification{Type: FailoverBegun, Old: ss.from, InDoubt: ss.doubt, Err: why})
}

// inDoubt is Notification.InDoubt: what the element's transport has taken,
// without what it answered or covered. What is replayed is not in doubt.
func (ss *session) inDoubt() int {
	if ss.opts.Replay && ss.own {
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
func (s *Socket) leaveElement(ss *session, why error) {
	if a := s.assocs[ss.assoc]; a != nil && a.session == ss {
		ss.leaving = why
		_ = s.port.Abort(ss.assoc, why.Error()) // gone already: as wished
	}
}

// moveOn does what a draining element asks for: nothing more is sent to it.
// It is told so behind the last message, and ends the association when it has
// answered them.
func (s *Socket) moveOn(ss *session, cookie []byte) {
	ss.state = draining
	s.notify(ss, Notification{Type: Shutdown})
	s.sendControl(ss.assoc, asap.CookieEcho{Data: cookie})
}

// handleShutdown: the peer wants to end the association.
func (s *Socket) handleShutdown(a *association) {
	if ss := a.session; ss != nil && ss.state == established {
		ss.state = draining
		s.notify(ss, Notification{Type: Shutdown})
	}
}
