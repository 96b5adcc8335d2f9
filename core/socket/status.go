package socket

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

// SessionStatus is a snapshot of a session; rserpool.SessionStatus explains it.
type SessionStatus = session.Status

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
		st.Sessions = append(st.Sessions, s.table.Status(ss))
	}
	return st
}
