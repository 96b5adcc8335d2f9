package rserpool

import "net/netip"

// Status is a snapshot of a socket.
type Status struct {
	Local      []netip.AddrPort
	Registrar  string // address of the registrar in use, or empty
	Registered bool   // a registrar has granted the registration
	Name       Name   // of the pool element, once Register was called
	Sessions   []SessionStatus
	// LastError is the last thing that went wrong on its own (not in answer
	// to a call): a registration refused later, a session that failed.
	LastError error
}

// SessionStatus is a snapshot of a session.
type SessionStatus struct {
	ID        SessionID
	Peer      Name             // what PeerName returns
	Addrs     []netip.AddrPort // of the peer
	Connected bool             // an association stands
	Failovers int              // how often the session moved to another element
	Queued    int              // bytes kept to be sent
}
