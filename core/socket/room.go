package socket

import (
	"context"
	"errors"
	"fmt"
)

// AwaitRoom waits until a session that refused a message with ErrWouldBlock has room
// again; session zero is the one that Connect made. Other sessions do not matter. It
// returns why the session has ended when it does meanwhile, ErrNotConnected when
// there is none, and the context's error when that ends first.
func (s *Socket) AwaitRoom(ctx context.Context, id SessionID) error {
	s.mu.Lock()
	ss, err := s.session(id)
	if err != nil {
		s.mu.Unlock()
		return err
	}
	waits := s.attend(ss)
	s.mu.Unlock()
	return s.awaitRoom(ctx, waits)
}

// AwaitRoom is Socket.AwaitRoom for this session.
func (c *Conn) AwaitRoom(ctx context.Context) error { return c.s.awaitRoom(ctx, c.ss) }

func (s *Socket) awaitRoom(ctx context.Context, ss *attended) error {
	var outcome error
	err := s.await(ctx, &ss.writable, func() bool {
		switch {
		case s.closing:
			outcome = ErrClosed
		case ss.Over():
			outcome = fmt.Errorf("%w: session %d has ended", ErrNotConnected, ss.ID())
			if ss.Err() != nil {
				outcome = fmt.Errorf("%w: %w", outcome, ss.Err())
			}
		default:
			return !ss.Full()
		}
		return true
	})
	return errors.Join(err, outcome)
}
