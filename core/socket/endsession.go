package socket

import "time"

// EndSession ends one session gracefully: what was sent still arrives, nothing
// more is received. Session zero is the one that Connect made; afterwards the
// socket can connect again.
func (s *Socket) EndSession(id SessionID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ss, err := s.session(id)
	if err == nil {
		s.table.Finish(time.Now(), ss)
	}
	return err
}

// AbortSession ends one session at once: what was sent and has not arrived is lost,
// and the peer is told that the session was aborted (RFC 9260 section 9.1). A pool
// user then goes on with another element. Session zero is the one that Connect made;
// afterwards the socket can connect again. It also ends a session for which
// EndSession was called and whose last messages still wait. ErrNotConnected means
// that there is no such session.
func (s *Socket) AbortSession(id SessionID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id != 0 && !s.closing && s.table.Hasten(time.Now(), id) {
		return nil
	}
	ss, err := s.session(id)
	if err == nil {
		s.table.Abort(time.Now(), ss)
	}
	return err
}

// Abort is Socket.AbortSession for this session. Close it nevertheless.
func (c *Conn) Abort() error {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if c.s.closing || c.closed {
		return ErrClosed
	}
	if !c.s.table.Hasten(time.Now(), c.ss.ID()) {
		c.s.table.Abort(time.Now(), c.ss.Session)
	}
	return nil
}
