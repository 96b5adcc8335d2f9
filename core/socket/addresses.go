package socket

import "net/netip"

// SessionAddrs returns the addresses of both ends of a session: the local ones
// that its peer knows or sees, and the peer's, first the one that data goes to.
// Session zero is the one that Connect made. Both are empty while the session has
// no association, as between two elements. ErrNotConnected means that there is no
// such session.
func (s *Socket) SessionAddrs(id SessionID) (local, peer []netip.AddrPort, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ss, err := s.session(id)
	if err != nil {
		return nil, nil, err
	}
	local, peer = s.table.Ends(ss)
	return local, peer, nil
}

// Addrs is Socket.SessionAddrs for this session.
func (c *Conn) Addrs() (local, peer []netip.AddrPort) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.s.table.Ends(c.ss.Session)
}
