package socket

import "github.com/librserpool/librserpool/core/internal/transport"

// Leader reads the packets of an endpoint in place of the library's goroutines: a thread
// that waits for a socket anyway.
type Leader = transport.Led

// Lead is for a thread that is about to wait for the socket, and calls Leave in the end.
// If it gets a Leader it waits for fds as well and calls Step when there is something to
// read; nil: another thread leads, or the endpoint cannot be led. All sessions of a
// Listener have one endpoint.
func (s *Socket) Lead() (l Leader, fds []int) {
	s.waiting.Add(1)
	led := s.leader()
	if led == nil {
		return nil, nil
	}
	fds, ok := led.Lead()
	if !ok {
		return nil, nil
	}
	return led, fds
}

// Leave ends a wait, whatever has become of the socket; l is what Lead returned. lent says
// that Recall(true) of the Leader has to be called from time to time until it returns false:
// the endpoint reads nothing meanwhile. That is not done to others who wait.
func (s *Socket) Leave(l Leader) (lent bool) {
	if l != nil {
		lent = l.Yield()
	}
	if others := s.waiting.Add(-1); others > 0 && lent {
		lent = l.Recall(false)
	}
	return lent
}

// ReadLent is for a call that does not wait, before it says that there is nothing:
// perhaps nobody has read for a while. It says whether it has.
func (s *Socket) ReadLent() bool {
	l := s.leader()
	if l == nil || !l.ReadLent() {
		return false
	}
	if s.waiting.Load() > 0 {
		l.Recall(false)
	}
	return true
}

func (s *Socket) leader() Leader {
	s.mu.Mutex.Lock() // nothing changes that anybody would have to be told of
	defer s.mu.Mutex.Unlock()
	return s.led
}
