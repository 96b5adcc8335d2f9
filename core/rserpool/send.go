package rserpool

import (
	"errors"
	"fmt"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
)

// TrySend sends one message. A nil info means the zero SendInfo. ErrWouldBlock
// means that there is no room: the writable hook tells when to try again. A
// message that was accepted reaches the element that serves the session, or
// the next one.
func (s *Socket) TrySend(b []byte, info *SendInfo) error {
	if info == nil {
		info = &SendInfo{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ss, err := s.session(info.Session)
	if err != nil {
		return err
	}
	return s.sendOn(ss, b, info)
}

// sendOn is TrySend for a session that has not ended.
func (s *Socket) sendOn(ss *session, b []byte, info *SendInfo) error {
	if err := s.sendable(b, info); err != nil {
		return err
	}
	if err := ss.replayable(info); err != nil {
		return err
	}
	err := s.sendNow(ss, b, info)
	switch {
	case errors.Is(err, ErrWouldBlock):
		s.refuse(ss)
	case err == nil && ss.full:
		s.limitWait(ss) // something was taken
	}
	return err
}

func (s *Socket) sendable(b []byte, info *SendInfo) error {
	switch {
	case len(b) == 0:
		return fmt.Errorf("%w: SCTP carries no empty messages", ErrInvalid)
	case len(b) > s.cfg.MaxMessage:
		return fmt.Errorf("%w: %d bytes, at most %d are carried; send it in parts", ErrMessageSize, len(b), s.cfg.MaxMessage)
	case info.PPID == protocol.PPIDASAP: // ASAP-5-03
		return fmt.Errorf("%w: PPID %d belongs to ASAP; choose another one for application data", ErrInvalid, info.PPID)
	case int(info.Stream) >= Streams:
		return fmt.Errorf("%w: stream %d; a session has 0 to %d", ErrInvalid, info.Stream, Streams-1)
	case info.Lifetime < 0:
		return fmt.Errorf("%w: lifetime %v is negative", ErrInvalid, info.Lifetime)
	}
	return nil
}

// sendNow hands the message to the transport if the association stands and
// nothing waits before it, or else keeps it in the session's queue.
func (s *Socket) sendNow(ss *session, b []byte, info *SendInfo) error {
	if ss.state != established || (ss.toSend.len() > 0 || ss.hold != notHeld) && !ss.ahead() {
		if ss.state == draining && !ss.own {
			return fmt.Errorf("%w: the pool user is ending session %d", ErrNotConnected, ss.id)
		}
		return ss.enqueue(b, info)
	}
	if ss.opts.Replay && ss.crowded(len(b)) && !ss.ahead() {
		return ErrWouldBlock // until a cookie covers something
	}
	out := assoc.SendInfo{
		Assoc: ss.assoc, Stream: info.Stream, PPID: info.PPID, Unordered: info.Unordered, Lifetime: info.Lifetime,
	}
	if info.Lifetime > 0 {
		out.Context = bounded
	}
	err := s.port.Send(b, &out)
	switch {
	case err == nil:
		s.sent(ss, b, info)
		return nil
	case errors.Is(err, assoc.ErrWouldBlock):
		return ErrWouldBlock
	case errors.Is(err, assoc.ErrPipe), errors.Is(err, assoc.ErrNotConnected):
		if ss.own { // its end has not been read yet: the next element gets the message
			return ss.enqueue(b, info)
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
func (s *Socket) sent(ss *session, b []byte, info *SendInfo) {
	ss.handed++
	ss.touch()
	if ss.own && ss.opts.Replay {
		ss.kept.push(newOutgoing(b, info))
		ss.queuedBytes += len(b)
	}
}
