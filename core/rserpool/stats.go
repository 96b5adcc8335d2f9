package rserpool

import (
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/internal/session"
)

// SessionState says what a session does at the moment.
type SessionState = session.State

// States of a session.
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
	st := s.table.Stats(ss)
	return SessionStats{
		SessionStatus: publicStatus(st.Status), State: st.State, Transport: s.kind, Local: st.Local,
		Sending: Queue(st.Sending), Receiving: Queue(st.Receiving),
		RTT: st.RTT, RTO: st.RTO, MTU: st.MTU, Retransmissions: st.Retransmissions,
	}
}
