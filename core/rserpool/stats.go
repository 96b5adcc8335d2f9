package rserpool

import (
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// SessionState says what a session does at the moment.
type SessionState uint8

// States of a session.
const (
	// Connecting: the first element is looked for.
	Connecting SessionState = iota + 1
	// Established: messages go both ways.
	Established
	// Moving: the element was lost, and another one is looked for. What is sent
	// waits for it.
	Moving
	// Ending: the session is being ended, by this side or the other one.
	Ending
	// Ended: nothing more comes but what was received before.
	Ended
)

// String returns the name in lower case.
func (s SessionState) String() string {
	names := [...]string{"unknown", "connecting", "established", "moving", "ending", "ended"}
	if int(s) < len(names) {
		return names[s]
	}
	return names[0]
}

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
	return c.s.stats(c.ss)
}

func (s *Socket) stats(ss *session) SessionStats {
	st := SessionStats{SessionStatus: s.sessionStatus(ss), State: ss.describe(), Transport: s.kind}
	st.Sending = Queue{ss.toSend.len() + ss.returned.len() + ss.kept.len(), ss.queuedBytes}
	st.Receiving = Queue{ss.inbox.len(), ss.inboxBytes}
	if ss.assoc == 0 {
		return st
	}
	t, _ := s.port.Status(ss.assoc) // gone already: nothing is measured
	st.Local, st.Addrs = s.endsAs(ss, &t)
	ss.measured(&st, &t)
	return st
}

// measured adds what the transport knows. What is kept for replay is not counted
// twice.
func (ss *session) measured(st *SessionStats, t *assoc.Status) {
	if !ss.opts.Replay || !ss.own {
		st.Sending.Messages += t.Unacked + t.Unsent
		st.Sending.Bytes += t.QueuedPayload
	}
	st.Receiving.Bytes += t.Unread
	st.Retransmissions = t.Retransmissions
	if t.Primary < len(t.Paths) {
		p := t.Paths[t.Primary]
		st.RTT, st.RTO, st.MTU = p.SRTT, p.RTO, p.MTU
	}
}

func (ss *session) describe() SessionState {
	switch {
	case ss.state == ended:
		return Ended
	case ss.ending, ss.state == draining:
		return Ending
	case ss.state == established:
		return Established
	case ss.stood:
		return Moving
	}
	return Connecting
}
