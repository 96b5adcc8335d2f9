package socket

import (
	"context"
	"errors"
	"time"

	"github.com/librserpool/librserpool/core/internal/endpoint"
)

// linger is how long Close waits for what CloseContext waits for.
const linger = time.Second

// Close closes the socket like CloseContext, waiting one second at most.
func (s *Socket) Close() error { return lingering(s.CloseContext) }

// lingering closes something; that it takes longer than linger is no error.
func lingering(closing func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), linger)
	defer cancel()
	if err := closing(ctx); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// CloseContext deregisters, lets what was sent arrive and ends all sessions,
// as far as that can be done until ctx ends. Afterwards, and in calls that
// wait meanwhile, everything returns ErrClosed. It returns the context's error
// when it ended first; the socket is closed all the same.
func (s *Socket) CloseContext(ctx context.Context) error {
	if !s.beginClose() {
		return ErrClosed
	}
	err := s.await(ctx, &s.changed, func() bool { return !s.leaving && s.table.Quiet() })
	s.mu.Lock()
	if s.machine != nil {
		s.machine.Stop()
		s.dropTCP(ErrClosed)
		s.stopLookUp()
	}
	if s.announcements != nil {
		s.announcements.Close()
	}
	s.table.Close(time.Now(), ErrClosed)
	s.closed = true
	joined, cfg := s.embedder.joined, s.cfg
	s.mu.Unlock()
	if joined {
		cfg.host.leave(cfg)
	}
	if s.port != nil {
		return errors.Join(err, s.port.Close())
	}
	return err
}

// beginClose ends the sessions gracefully and deregisters.
func (s *Socket) beginClose() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.closing = true
	s.registerEnd = nil // what deregisters from here on is not what a caller waits for
	s.embedderDone()
	s.table.BeginClose(time.Now())
	if s.machine != nil && s.table.Service().Serving {
		s.leaving = true
		s.machine.Post(endpoint.Deregister{})
	}
	s.changed.fire()
	s.pools.fire()
	return true
}
