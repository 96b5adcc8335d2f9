package session

import (
	"fmt"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/protocol"
)

// giveBack tells the program what could not be delivered, and to whom
// (Error.Report, ASAP-6.7-01). Reports that the program leaves unread are not
// piled up beyond the receive buffer: they are logged instead.
func (t *Table) giveBack(ss *Session, m *outgoing, why error) {
	n := Notification{Type: Undelivered, Old: ss.peer.PE, Err: why}
	t.observe(ss, n)
	if !t.wants(ss, &n) {
		return
	}
	if ss.inboxBytes+len(m.data) > ss.opts.ReceiveBuffer && ss.inbox.len() > 0 {
		t.log(endpoint.Warn, "an undelivered message is not given back: the receive buffer is full", "session", ss.id, "bytes", len(m.data), "err", why)
		return
	}
	t.deliver(ss, incoming{
		data: m.data, pe: ss.peer.PE, stream: m.stream, ppid: m.ppid, unordered: m.unordered, note: &n,
	})
}

// giveUp gives back all that a session still had to send.
func (t *Table) giveUp(ss *Session, why error) {
	if why == nil {
		why = errGone
	}
	ss.toSend.prepend(&ss.returned)
	for ss.toSend.len() > 0 {
		m := ss.toSend.pop()
		ss.queuedBytes -= len(m.data)
		t.giveBack(ss, &m, why)
	}
}

// takeBack deals with a message that the association did not deliver: the next
// element gets it, unless its time is over or there is none to come.
func (t *Table) takeBack(ss *Session, info *assoc.RecvInfo, b []byte) {
	if info.PPID == protocol.PPIDASAP {
		return
	}
	ss.handed--
	m := outgoing{data: append([]byte(nil), b...), stream: info.Stream, ppid: info.PPID, unordered: info.Unordered}
	switch {
	case info.Context == bounded:
		t.giveBack(ss, &m, errExpired)
	case !ss.own && !ss.follows():
		t.giveBack(ss, &m, errGone)
	case !ss.replays(): // which has it in kept
		ss.returned.push(m)
		ss.queuedBytes += len(b)
	}
}

// endWithElement ends a session that is not to move (NoFailover, ASAP-6.5.5-02):
// what the element did not get is given back, in order.
func (t *Table) endWithElement(ss *Session, why error) {
	if why == nil {
		why = ErrTookLeave
	}
	err := fmt.Errorf("%w: the session was with element %v of pool %.40q alone (NoFailover): %w; connect again", ErrNoElement, ss.peer.PE, ss.peer.Pool, why)
	t.cfg.Post(endpoint.SessionLost{Session: ss.id, Err: why, Over: true})
	t.giveUp(ss, why)
	t.notify(ss, Notification{Type: SessionRemoved, Err: err})
	t.end(ss, err)
}
