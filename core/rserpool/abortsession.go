package rserpool

// AbortSession ends one session at once: what was sent and has not arrived is lost,
// and the peer is told that the session was aborted (RFC 9260 section 9.1). A pool
// user then goes on with another element. Session zero is the one that Connect made;
// afterwards the socket can connect again. It also ends a session for which
// EndSession was called and whose last messages still wait. ErrNotConnected means
// that there is no such session.
func (s *Socket) AbortSession(id SessionID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id != 0 && !s.closing && s.hasten(id) {
		return nil
	}
	ss, err := s.session(id)
	if err != nil {
		return err
	}
	s.abort(ss)
	return nil
}

// Abort is Socket.AbortSession for this session. Close it nevertheless.
func (c *Conn) Abort() error {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if c.s.closing || c.closed {
		return ErrClosed
	}
	if !c.s.hasten(c.ss.id) {
		c.s.abort(c.ss)
	}
	return nil
}

// hasten aborts a session that is being ended gracefully, and says whether that is
// so.
func (s *Socket) hasten(id SessionID) bool {
	if ss := s.sessions[id]; ss != nil && ss.ending && ss.state != ended {
		s.abort(ss)
		return true
	}
	for assoc, a := range s.assocs {
		if a.over && a.was == id {
			return s.port.Abort(assoc, "the session was aborted") == nil
		}
	}
	return false
}

func (s *Socket) abort(ss *session) {
	s.unpark(ss)
	s.dropInbox(ss)
	ss.unhold()
	ss.ending = true
	if ss == s.own {
		s.own = nil
	}
	s.abandon(ss)
	s.retire(ss)
	s.updateReadiness()
}
