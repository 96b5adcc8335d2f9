package socket

import "time"

// Resume lets a session that SessionOptions.HoldFailover holds back after a
// failover go on; session zero is the one that Connect made. Otherwise it does
// nothing. ErrNotConnected means that there is no such session.
func (s *Socket) Resume(id SessionID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ss, err := s.session(id)
	if err == nil {
		s.table.Resume(time.Now(), ss)
	}
	return err
}

// Resume is Socket.Resume for this session.
func (c *Conn) Resume() error {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	err := c.ended()
	if err == nil {
		c.s.table.Resume(time.Now(), c.ss.Session)
	}
	return err
}
