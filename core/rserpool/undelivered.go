package rserpool

import (
	"errors"
	"fmt"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/protocol"
)

// Why a message is given up besides the end of its session.
var (
	errExpired = errors.New("it could not be sent within its lifetime")
	errGone    = errors.New("the session has ended")
)

// giveBack tells the program what could not be delivered, and to whom
// (Error.Report, ASAP-6.7-01). Reports that the program leaves unread are not
// piled up beyond the receive buffer: they are logged instead.
func (s *Socket) giveBack(ss *session, m *outgoing, why error) {
	n := Notification{Type: Undelivered, Old: ss.peer.PE, Err: why}
	if !s.wants(ss, &n) {
		return
	}
	if ss.inboxBytes+len(m.data) > ss.opts.ReceiveBuffer && ss.inbox.len() > 0 {
		s.log.Warn("an undelivered message is not given back: the receive buffer is full", "session", ss.id, "bytes", len(m.data), "err", why)
		return
	}
	s.deliver(ss, incoming{
		data: m.data, pe: ss.peer.PE, stream: m.stream, ppid: m.ppid, unordered: m.unordered, note: &n,
	})
}

// giveUp gives back all that a session still had to send.
func (s *Socket) giveUp(ss *session, why error) {
	if why == nil {
		why = errGone
	}
	ss.toSend.prepend(&ss.returned)
	for ss.toSend.len() > 0 {
		m := ss.toSend.pop()
		ss.queuedBytes -= len(m.data)
		s.giveBack(ss, &m, why)
	}
}

// takeBack deals with a message that the association did not deliver: the next
// element gets it, unless its time is over or there is none to come.
func (s *Socket) takeBack(ss *session, info *assoc.RecvInfo, b []byte) {
	if info.PPID == protocol.PPIDASAP {
		return
	}
	ss.handed--
	m := outgoing{data: append([]byte(nil), b...), stream: info.Stream, ppid: info.PPID, unordered: info.Unordered}
	switch {
	case info.Context == bounded:
		s.giveBack(ss, &m, errExpired)
	case !ss.own && !ss.follows():
		s.giveBack(ss, &m, errGone)
	case !ss.own || !ss.opts.Replay: // which has it in kept
		ss.returned.push(m)
		ss.queuedBytes += len(b)
	}
}

// endWithElement ends a session that is not to move (NoFailover, ASAP-6.5.5-02):
// what the element did not get is given back, in order.
func (s *Socket) endWithElement(ss *session, why error) {
	if why == nil {
		why = errors.New("it took leave")
	}
	err := fmt.Errorf("%w: the session was with element %v of pool %s alone (NoFailover): %w; connect again", ErrNoElement, ss.peer.PE, quote(ss.peer.Pool), why)
	s.machine.Post(endpoint.SessionLost{Session: endpoint.SessionID(ss.id), Err: why, Over: true})
	s.giveUp(ss, why)
	s.notify(ss, Notification{Type: SessionRemoved, Err: err})
	s.end(ss, err)
}
