package rserpool

import (
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/internal/session"
	"github.com/librserpool/librserpool/core/socket"
)

// Status is a snapshot of a pool element or a resolver.
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

func publicSocket(s socket.Status) Status {
	out := Status{Local: s.Local, Registrar: s.Registrar, Registered: s.Registered, Name: Name(s.Name), LastError: s.LastError}
	for _, st := range s.Sessions {
		out.Sessions = append(out.Sessions, publicStatus(st))
	}
	return out
}

// SessionStatus is a snapshot of a session.
type SessionStatus struct {
	ID        uint32           // in logs
	Peer      Name             // what Conn.Peer returns
	Addrs     []netip.AddrPort // of the peer
	Connected bool             // an association stands
	Failovers int              // how often the session moved to another element
	Queued    int              // bytes kept to be sent, or sent again, besides those in the transport
	Uncovered int              // Replay: messages that were sent and no cookie covers
	Unread    int              // messages received and not yet read
}

func publicStatus(s socket.SessionStatus) SessionStatus {
	return SessionStatus{uint32(s.ID), Name(s.Peer), s.Addrs, s.Connected, s.Failovers, s.Queued, s.Uncovered, s.Unread}
}

// SessionState says what a session does at the moment: Connecting to Ended. It is a uint8,
// of which zero is none of them. Its method:
//
//	func (s SessionState) String() string  // the constant's name in small letters: "moving"
type SessionState = session.State

// States of a session, each a SessionState.
const (
	// Connecting: the first element is looked for.
	Connecting = session.Connecting
	// Established: messages go both ways.
	Established = session.Established
	// Moving: the element was lost, and another one is looked for. What is sent
	// waits for it.
	Moving = session.Moving
	// Ending: the session is being ended, by this side or the other one.
	Ending = session.Ending
	// Ended: nothing more comes but what was received before.
	Ended = session.Ended
)

// Queue is what waits in one direction.
type Queue struct{ Messages, Bytes int }

// SessionStats is a SessionStatus with what the transport has measured and counted.
// Times and counts are those of the association that stands; they begin anew with
// the next element, and are zero between two.
type SessionStats struct {
	SessionStatus
	State     SessionState
	Transport string           // kernel or userland
	Local     []netip.AddrPort // addresses of this side that the peer knows or sees
	// Sending is what the peer has not acknowledged, or, with Replay, what no cookie
	// covers. The kernel's SCTP counts pieces of messages, and memory.
	Sending Queue
	// Receiving is what the program has not read: whole messages and notifications, and the bytes of
	// those that are still in the transport as well, as far as it tells.
	Receiving       Queue
	RTT, RTO        time.Duration // smoothed round trip and retransmission timeout, to Addrs[0]
	MTU             int           // of SCTP packets on that path, in bytes
	Retransmissions uint64        // of pieces of messages
}

func publicStats(s socket.SessionStats) SessionStats {
	return SessionStats{
		SessionStatus: publicStatus(s.Status), State: s.State, Transport: s.Transport, Local: s.Local,
		Sending: Queue(s.Sending), Receiving: Queue(s.Receiving),
		RTT: s.RTT, RTO: s.RTO, MTU: s.MTU, Retransmissions: s.Retransmissions,
	}
}
