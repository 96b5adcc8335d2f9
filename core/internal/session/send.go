package session

import (
	"errors"
	"fmt"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/protocol"
)

// Send sends one message on a session that is not over. ErrWouldBlock means that
// there is no room: Change.Write tells when to try again. A message that was accepted
// reaches the element that serves the session, or the next one, or comes back.
func (t *Table) Send(now time.Time, ss *Session, b []byte, info *SendInfo) error {
	t.now = now
	if err := t.sendable(b, info); err != nil {
		return err
	}
	if err := ss.replayable(info); err != nil {
		return err
	}
	err := t.sendNow(ss, b, info)
	switch {
	case errors.Is(err, ErrWouldBlock):
		t.refuse(ss)
	case err == nil && ss.full:
		t.limitWait(ss) // something was taken
	}
	return err
}

func (t *Table) sendable(b []byte, info *SendInfo) error {
	switch {
	case len(b) == 0:
		return fmt.Errorf("%w: SCTP carries no empty messages", ErrInvalid)
	case len(b) > t.cfg.MaxMessage:
		return fmt.Errorf("%w: %d bytes, at most %d are carried; send it in parts", ErrMessageSize, len(b), t.cfg.MaxMessage)
	case info.PPID == protocol.PPIDASAP: // the application may not use ASAP's own: ASAP-5-03
		return fmt.Errorf("%w: PPID %d belongs to ASAP; choose another one for application data", ErrInvalid, info.PPID)
	case int(info.Stream) >= Streams:
		return fmt.Errorf("%w: stream %d; a session has 0 to %d", ErrInvalid, info.Stream, Streams-1)
	case info.Lifetime < 0:
		return fmt.Errorf("%w: lifetime %v is negative", ErrInvalid, info.Lifetime)
	}
	return nil
}

// bounded marks, as the context of a message in the transport, one with a
// lifetime: if it comes back, its time is over.
const bounded = 1

// sendNow hands the message to the transport if the association stands and
// nothing waits before it, or else keeps it in the session's queue.
func (t *Table) sendNow(ss *Session, b []byte, info *SendInfo) error {
	if ss.phase != established || (ss.toSend.len() > 0 || ss.gate != gateOpen) && !ss.ahead() {
		if ss.phase == draining && !ss.own {
			return fmt.Errorf("%w: the pool user is ending session %d", ErrNotConnected, ss.id)
		}
		return t.enqueue(ss, b, info)
	}
	if ss.opts.Replay && ss.sendBufferFull(len(b)) && !ss.ahead() {
		return ErrWouldBlock // until a cookie covers something
	}
	t.out = assoc.SendInfo{
		Assoc: ss.assoc, Stream: info.Stream, PPID: info.PPID, Unordered: info.Unordered, Lifetime: info.Lifetime,
	}
	if info.Lifetime > 0 {
		t.out.Context = bounded
	}
	err := t.sender.Send(b, &t.out)
	switch {
	case err == nil:
		t.sent(ss, b, info)
		return nil
	case errors.Is(err, assoc.ErrWouldBlock):
		return ErrWouldBlock
	case errors.Is(err, assoc.ErrPipe), errors.Is(err, assoc.ErrNotConnected):
		if ss.own { // its end has not been read yet: the next element gets the message
			return t.enqueue(ss, b, info)
		}
		return fmt.Errorf("%w: the pool user has ended session %d", ErrNotConnected, ss.id)
	case errors.Is(err, assoc.ErrMessageSize):
		return fmt.Errorf("%w: %w", ErrMessageSize, err)
	case errors.Is(err, assoc.ErrInvalid):
		return fmt.Errorf("%w: stream %d: the peer takes fewer", ErrInvalid, info.Stream)
	}
	return err
}

// sent counts a message that the transport has taken, and keeps it for replay.
func (t *Table) sent(ss *Session, b []byte, info *SendInfo) {
	ss.handed++
	t.touch(ss)
	if ss.replays() {
		ss.kept.push(newOutgoing(t.now, b, info))
		ss.queuedBytes += len(b)
	}
}

// enqueue keeps a message until it can be sent. There is always room for one,
// however large.
func (t *Table) enqueue(ss *Session, b []byte, info *SendInfo) error {
	if ss.sendBufferFull(len(b)) {
		return ErrWouldBlock
	}
	ss.toSend.push(newOutgoing(t.now, b, info))
	ss.queuedBytes += len(b)
	return nil
}

// sendBufferFull says that there is no room for n more bytes.
func (ss *Session) sendBufferFull(n int) bool {
	return ss.queuedBytes > 0 && ss.queuedBytes+n > ss.opts.SendBuffer
}

// flush hands the transport what waits, in order, as far as it takes it.
func (t *Table) flush(ss *Session) {
	for ss.phase == established && ss.gate == gateOpen && ss.toSend.len() > 0 {
		m := ss.toSend.first()
		err := t.transmit(ss, m)
		if errors.Is(err, assoc.ErrWouldBlock) {
			return
		}
		if errors.Is(err, assoc.ErrPipe) || errors.Is(err, assoc.ErrNotConnected) {
			return // the end of the association follows, and then the next one
		}
		if err != nil {
			t.refusedByTransport(ss, m, err)
		}
		t.handedOver(ss)
	}
	if ss.phase != established {
		return
	}
	if ss.ending {
		t.shutdown(ss)
		return
	}
	if !ss.sendBufferFull(1) || ss.ahead() {
		t.relax(ss)
	}
}

// refusedByTransport: the transport never takes the first message that waits. Replay
// counts messages, and cannot go on without one.
func (t *Table) refusedByTransport(ss *Session, m *outgoing, err error) {
	t.log(endpoint.Warn, "a message is lost: the transport refuses it", "session", ss.id, "bytes", len(m.data), "err", err)
	t.giveBack(ss, m, err)
	if ss.opts.Replay {
		t.abandon(ss)
		ss.err = err
	}
}

// handedOver drops the first message that waited, or keeps it for replay.
func (t *Table) handedOver(ss *Session) {
	if ss.phase == ended {
		return
	}
	m := ss.toSend.pop()
	ss.handed++
	if ss.replays() {
		ss.kept.push(m)
		return
	}
	ss.queuedBytes -= len(m.data)
}

func (t *Table) transmit(ss *Session, m *outgoing) error {
	info := assoc.SendInfo{Assoc: ss.assoc, Stream: m.stream, PPID: m.ppid, Unordered: m.unordered}
	if !m.expires.IsZero() {
		info.Context = bounded
		if info.Lifetime = m.expires.Sub(t.now); info.Lifetime <= 0 {
			ss.handed-- // handedOver counts it
			t.giveBack(ss, m, errExpired)
			return nil
		}
	}
	return t.sender.Send(m.data, &info)
}
