package socket

import "github.com/librserpool/librserpool/core/internal/session"

// SessionState says what a session does at the moment.
type SessionState = session.State

// States of a session; package rserpool explains them.
const (
	Connecting  = session.Connecting
	Established = session.Established
	Moving      = session.Moving
	Ending      = session.Ending
	Ended       = session.Ended
)

// Queue is what waits in one direction.
type Queue = session.Queue

// SessionStats is a SessionStatus with what the transport has measured and counted;
// rserpool.SessionStats explains it.
type SessionStats struct {
	session.Stats
	Transport string // kernel or userland
}

// Stats describes a session in detail; zero is the one that Connect made. It asks the
// transport, which costs some microseconds. ErrNotConnected means that there is no such
// session.
func (s *Socket) Stats(id SessionID) (SessionStats, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ss, err := s.session(id)
	if err != nil {
		return SessionStats{}, err
	}
	return s.stats(ss), nil
}

// Stats is Socket.Stats for this session, also when it has ended.
func (c *Conn) Stats() SessionStats {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.s.stats(c.ss.Session)
}

func (s *Socket) stats(ss *session.Session) SessionStats {
	return SessionStats{s.table.Stats(ss), s.kind}
}
