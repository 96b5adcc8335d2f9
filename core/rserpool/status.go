package rserpool

import (
	"net/netip"

	"github.com/librserpool/librserpool/core/internal/session"
)

// Status is a snapshot of a socket.
type Status struct {
	Local      []netip.AddrPort
	Registrar  string // address of the registrar in use, or empty
	Registered bool   // a registrar has granted the registration
	Name       Name   // of the pool element, while it is one
	Sessions   []SessionStatus
	// LastError is the last thing that went wrong on its own (not in answer
	// to a call): a registration that was lost, a session that failed.
	LastError error
}

// SessionStatus is a snapshot of a session.
type SessionStatus struct {
	ID        SessionID
	Peer      Name             // what PeerName returns
	Addrs     []netip.AddrPort // of the peer
	Connected bool             // an association stands
	Failovers int              // how often the session moved to another element
	Queued    int              // bytes kept to be sent, or sent again, besides those in the transport
	Uncovered int              // Replay: messages that were sent and no cookie covers
	Unread    int              // messages received and not yet read
}

// Status describes the socket, its registrar and its sessions, in the order in
// which they began.
func (s *Socket) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Status{Registrar: s.home, Registered: s.table.Service().Registered, Name: s.name, LastError: s.lastErr}
	if s.port == nil {
		return st
	}
	st.Local = s.port.LocalAddrs()
	for _, ss := range s.table.Sessions() {
		st.Sessions = append(st.Sessions, publicStatus(s.table.Status(ss)))
	}
	return st
}

func publicStatus(st session.Status) SessionStatus {
	return SessionStatus{
		ID: st.ID, Peer: Name(st.Peer), Addrs: st.Addrs, Connected: st.Connected, Failovers: st.Failovers,
		Queued: st.Queued, Uncovered: st.Uncovered, Unread: st.Unread,
	}
}
