package socket

import "context"

// signal wakes all who wait for a change of something that a lock guards. The
// zero value is ready; both methods want the lock held.
type signal struct{ ch chan struct{} }

// wait returns a channel that the next fire closes.
func (s *signal) wait() <-chan struct{} {
	if s.ch == nil {
		s.ch = make(chan struct{})
	}
	return s.ch
}

func (s *signal) fire() {
	if s.ch != nil {
		close(s.ch)
		s.ch = nil
	}
}

// await calls try, with the socket locked, until it is done, each time that
// the signal fires. It returns the context's error when that ends first.
func (s *Socket) await(ctx context.Context, on *signal, try func() (done bool)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !try() {
		changed := on.wait()
		s.mu.Unlock()
		select {
		case <-changed:
			s.mu.Lock()
		case <-ctx.Done():
			s.mu.Lock()
			if !try() {
				return ctx.Err()
			}
			return nil
		}
	}
	return nil
}
