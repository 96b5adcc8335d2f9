package socket

import (
	"context"
	"errors"
	"time"

	"github.com/librserpool/librserpool/core/internal/endpoint"
)

// Drain takes the element out of its pool like Deregister and moves its
// sessions to other elements, without loss. Each pool user is asked to stop;
// what it has sent is still received, and can be answered. The program may leave
// a last cookie and end the session itself (the notification Shutdown tells that
// it is time); otherwise the library ends it, about 50 ms after the program has
// answered everything and sent its last cookie, one second after it has done
// anything else. Pool users do not report the element as unreachable.
//
// An element that has left its pool before is drained as well, and Drain returns
// ErrNotRegistered in the end. Drain returns when all sessions have moved; or when ctx ends: then it ends
// those that are left gracefully and returns the context's error.
func (s *Socket) Drain(ctx context.Context) error {
	if err := s.turn(ctx); err != nil {
		return err
	}
	defer s.endTurn()
	_, err := s.LocalName()
	if errors.Is(err, ErrClosed) {
		return err
	}
	registered := err == nil
	s.mu.Lock()
	s.table.Drain(time.Now())
	s.mu.Unlock()
	if registered {
		err = s.postRegistration(ctx, endpoint.Deregister{}, "deregister")
	}
	waitErr := s.await(ctx, &s.changed, func() bool { return s.closing || s.table.Drained() })
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return ErrClosed
	}
	s.table.EndDrain(time.Now(), waitErr != nil)
	if waitErr != nil {
		return waitErr
	}
	return err
}

// Drain is Socket.Drain. Accept goes on to return sessions that come meanwhile.
func (l *Listener) Drain(ctx context.Context) error { return l.s.Drain(ctx) }
