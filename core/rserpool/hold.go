package rserpool

// A session with HoldFailover sends the next element nothing but the cookie
// until the program, which reads FailoverCompleted, has said what that element
// has to know first, and calls Resume: the failover callback of RFC 5351
// section 4.2 (OVR-4.2-03), without calling back.

// hold is where a session is in this.
type hold uint8

const (
	notHeld   hold = iota
	heldBack       // the program has not read of the failover yet
	restoring      // it has: what it sends goes ahead of what waits
)

// holdBack begins it; told is the notification that the program has to read.
func (ss *session) holdBack(told *Notification) {
	ss.hold, ss.told = heldBack, told
}

// ahead says that what the program sends now is not to wait for older messages.
func (ss *session) ahead() bool { return ss.hold == restoring && ss.state == established }

// read notes that the program has read a notification.
func (ss *session) read(n *Notification) {
	if n == ss.offer {
		ss.offer = nil
	}
	if ss.hold == heldBack && n == ss.told {
		ss.hold, ss.told = restoring, nil
	}
}

// unhold ends it.
func (ss *session) unhold() { ss.hold, ss.told = notHeld, nil }

// Resume lets a session that SessionOptions.HoldFailover holds back after a
// failover go on; session zero is the one that Connect made. Otherwise it does
// nothing. ErrNotConnected means that there is no such session.
func (s *Socket) Resume(id SessionID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ss, err := s.session(id)
	if err != nil {
		return err
	}
	s.resume(ss)
	return nil
}

// Resume is Socket.Resume for this session.
func (c *Conn) Resume() error {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if err := c.ended(); err != nil {
		return err
	}
	c.s.resume(c.ss)
	return nil
}

func (s *Socket) resume(ss *session) {
	ss.unhold()
	s.flush(ss)
	s.updateReadiness()
}
