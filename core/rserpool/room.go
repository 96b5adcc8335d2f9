package rserpool

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A session that refused a message is full until it has room again, and the others
// of its socket are not. The socket is writable while there is one that is not full;
// who wants to send on one that is waits for that one: AwaitRoom, or SendReady.

// room is what a session knows of its room to send.
type room struct {
	full     bool          // a message was refused; there was no room since
	patience *time.Timer   // full: when SessionOptions.SendLimit is over
	behind   int           // bytes that were not taken when it began
	offer    *Notification // SendReady, unread
}

// refuse notes that a session had no room for something.
func (s *Socket) refuse(ss *session) {
	if !ss.full {
		ss.full = true
		s.fulls++
		s.limitWait(ss)
	}
	ss.show()
	s.updateReadiness()
}

// relax tells those who wait that the session takes messages again, or has ended.
func (s *Socket) relax(ss *session) {
	if ss.full {
		ss.full = false
		s.fulls--
		s.stopWait(ss)
		s.tellReady(ss)
	}
	ss.writable.fire()
	ss.show()
	s.updateReadiness()
}

// tellReady says that there is room again. Once is enough for who has not read it.
func (s *Socket) tellReady(ss *session) {
	if !ss.over() && ss.offer == nil {
		ss.offer = s.notify(ss, Notification{Type: SendReady})
	}
}

// limitWait gives a session that is full its time.
func (s *Socket) limitWait(ss *session) {
	s.stopWait(ss)
	limit := ss.opts.SendLimit
	if limit <= 0 || !ss.full {
		return
	}
	var t *time.Timer
	t = time.AfterFunc(limit, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if ss.patience == t {
			s.waitedEnough(ss)
		}
	})
	ss.patience, ss.behind = t, s.untaken(ss)
}

// untaken is how much the peer of a session has not taken.
func (s *Socket) untaken(ss *session) int {
	n := ss.queuedBytes
	if s.assocs[ss.assoc] != nil {
		st, _ := s.port.Status(ss.assoc) // gone already: nothing
		n += st.QueuedBytes
	}
	return n
}

func (s *Socket) stopWait(ss *session) {
	if ss.patience != nil {
		ss.patience.Stop()
		ss.patience = nil
	}
}

// waitedEnough ends a session whose peer has taken nothing for too long. While it
// looks for an element it is FailoverLimit that counts.
func (s *Socket) waitedEnough(ss *session) {
	a := s.assocs[ss.assoc]
	if ss.over() || s.closing {
		return
	}
	if a == nil || a.session != ss || ss.state == connecting || s.untaken(ss) < ss.behind {
		s.limitWait(ss)
		return
	}
	ss.leaving = fmt.Errorf("%w: session %d has no room, and its peer has taken nothing for %v", ErrSendLimit, ss.id, ss.opts.SendLimit)
	s.log.Warn("session is ended", "session", ss.id, "err", ss.leaving)
	_ = s.port.Abort(ss.assoc, "messages are not taken") // gone already: as wished
}

// outOfPatience ends a session of SendLimit whose association has ended.
func (s *Socket) outOfPatience(ss *session, why error) {
	s.giveUp(ss, why)
	s.notify(ss, Notification{Type: SessionRemoved, Err: why})
	s.end(ss, why)
}

// AwaitRoom waits until a session that refused a message with ErrWouldBlock has room
// again; session zero is the one that Connect made. Other sessions do not matter. It
// returns why the session has ended when it does meanwhile, ErrNotConnected when
// there is none, and the context's error when that ends first.
func (s *Socket) AwaitRoom(ctx context.Context, id SessionID) error {
	s.mu.Lock()
	ss, err := s.session(id)
	s.mu.Unlock()
	if err != nil {
		return err
	}
	return s.awaitRoom(ctx, ss)
}

// AwaitRoom is Socket.AwaitRoom for this session.
func (c *Conn) AwaitRoom(ctx context.Context) error { return c.s.awaitRoom(ctx, c.ss) }

func (s *Socket) awaitRoom(ctx context.Context, ss *session) error {
	var outcome error
	err := s.await(ctx, &ss.writable, func() bool {
		switch {
		case s.closing:
			outcome = ErrClosed
		case ss.over():
			outcome = fmt.Errorf("%w: session %d has ended", ErrNotConnected, ss.id)
			if ss.err != nil {
				outcome = fmt.Errorf("%w: %w", outcome, ss.err)
			}
		default:
			return !ss.full
		}
		return true
	})
	return errors.Join(err, outcome)
}
