package rserpool

import "github.com/librserpool/librserpool/core/internal/endpoint"

// EndSession ends one session gracefully: what was sent still arrives, nothing
// more is received. Session zero is the one that Connect made; afterwards the
// socket can connect again.
func (s *Socket) EndSession(id SessionID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ss, err := s.session(id)
	if err != nil {
		return err
	}
	s.finish(ss)
	s.updateReadiness()
	return nil
}

// finish ends a session once nothing of it waits to be sent. What was received
// and not read is lost, also if the session has ended before.
func (s *Socket) finish(ss *session) {
	s.unpark(ss)
	s.dropInbox(ss)
	s.retire(ss)
	if ss.ending || ss.state == ended {
		return
	}
	ss.ending = true
	ss.unhold()
	s.flush(ss)
	ss.readable.fire()
	s.relax(ss) // shows the end, too
	if ss == s.own {
		s.own = nil
	}
	if !ss.waiting() || ss.state == draining && !ss.own {
		s.shutdown(ss)
	}
}

// shutdown ends a session of which nothing waits outside the transport.
func (s *Socket) shutdown(ss *session) {
	if a := s.assocs[ss.assoc]; a != nil {
		a.session, a.over, a.was = nil, true, ss.id
		_ = s.port.Shutdown(ss.assoc) // gone already: as wished
	}
	s.end(ss, nil)
}

// end makes the session ended. What was received stays to be read.
func (s *Socket) end(ss *session, err error) {
	if ss.state == ended {
		return
	}
	if ss.own {
		s.machine.Post(endpoint.CloseSession{Session: endpoint.SessionID(ss.id)})
	}
	s.release(ss)
	ss.state, ss.err, ss.assoc = ended, err, 0
	s.live--
	ss.kept.clear()
	ss.toSend.clear()
	ss.returned.clear()
	ss.queuedBytes = 0
	ss.readable.fire()
	s.relax(ss)
	s.retire(ss)
	s.changed.fire()
	s.updateReadiness()
}

// retire forgets a session that has ended and been read to its end.
func (s *Socket) retire(ss *session) {
	if ss.state == ended && ss.inbox.len() == 0 {
		delete(s.sessions, ss.id)
	}
}

// dropInbox throws away what was received and not read.
func (s *Socket) dropInbox(ss *session) {
	for ss.inbox.len() > 0 {
		s.unload(ss)
	}
	s.release(ss)
}
