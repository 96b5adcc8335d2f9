package rserpool

import (
	"net/netip"
	"slices"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

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
	local, peer = s.ends(ss)
	return local, peer, nil
}

// Addrs is Socket.SessionAddrs for this session.
func (c *Conn) Addrs() (local, peer []netip.AddrPort) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	return c.s.ends(c.ss)
}

// ends is SessionAddrs with the socket locked.
func (s *Socket) ends(ss *session) (local, peer []netip.AddrPort) {
	if ss.assoc == 0 {
		return nil, nil
	}
	st, _ := s.port.Status(ss.assoc) // gone already: no addresses
	return s.endsAs(ss, &st)
}

// endsAs is ends for a session whose association is known to stand so.
func (s *Socket) endsAs(ss *session, st *assoc.Status) (local, peer []netip.AddrPort) {
	local, peer, _ = s.port.AssocAddrs(ss.assoc)
	if st.Primary < len(st.Paths) {
		peer = putFirst(peer, st.Paths[st.Primary].Addr)
	}
	return local, peer
}

func putFirst(addrs []netip.AddrPort, first netip.AddrPort) []netip.AddrPort {
	if i := slices.Index(addrs, first); i > 0 {
		return slices.Insert(slices.Delete(addrs, i, i+1), 0, first)
	}
	return addrs
}
