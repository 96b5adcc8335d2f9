package rserpool

import (
	"context"
	"errors"
	"fmt"
)

// How many sessions may wait for Accept.
const (
	defaultBacklog = 128
	// maxWaiting bounds them however large the backlog is, and those beyond it.
	maxWaiting = 4096
)

// accepting is what a socket knows whose sessions are taken one by one.
type accepting struct {
	backlog  int            // zero: Listen was not called
	waiting  fifo[*session] // for Accept
	taken    int            // Conns of Accept that were not closed
	detached bool           // the Listener is gone, and the socket goes with the last Conn
}

// Listen makes the socket hand out the sessions of pool users one by one, as
// Conns, instead of all by TryRecv. Register comes after it and makes the socket
// known to pool users (ErrInvalid); a socket that listens cannot Connect, and one
// that is connected cannot listen (ErrConnected).
//
// backlog is how many sessions may wait for Accept, 128 if it is zero and 4096 at
// most. Those beyond it are not refused, which could lose what their pool users
// sent: of each the first message is taken and the rest left in the transport, so
// that its pool user has to wait. Only when 4096 are waiting are further ones
// aborted. Another call changes the backlog.
func (s *Socket) Listen(backlog int) (*Listener, error) {
	if backlog < 0 {
		return nil, fmt.Errorf("%w: a backlog of %d sessions", ErrInvalid, backlog)
	}
	orDefault(&backlog, defaultBacklog)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closing, s.detached:
		return nil, ErrClosed
	case s.own != nil && s.own.state != ended:
		return nil, fmt.Errorf("%w: to pool %q; listen on another socket", ErrConnected, s.own.peer.Pool)
	case s.backlog == 0 && s.serving:
		return nil, fmt.Errorf("%w: the socket is registered, and its sessions are not for Accept; listen before", ErrInvalid)
	}
	s.perSession = true
	s.backlog = min(backlog, maxWaiting)
	s.letIn()
	s.dispatch()
	return &Listener{s: s}, nil
}

// admit puts a session that has begun where Accept finds it, or refuses it.
func (s *Socket) admit(ss *session) (ok bool) {
	if s.backlog == 0 {
		return true
	}
	if s.detached || s.waiting.len() == maxWaiting {
		_ = s.port.Abort(ss.assoc, "the pool element takes no more sessions") // gone already: as wished
		return false
	}
	if s.waiting.push(ss); s.waiting.len() > s.backlog {
		ss.parked = s.port.Hold(ss.assoc, true)
	}
	s.changed.fire()
	return true
}

// letIn receives more from sessions that have come within the backlog.
func (s *Socket) letIn() {
	for i := 0; i < s.waiting.len() && i < s.backlog; i++ {
		s.unpark(*s.waiting.at(i))
	}
}

func (s *Socket) unpark(ss *session) {
	if ss.parked {
		if ss.parked = false; !ss.held {
			s.port.Hold(ss.assoc, false)
		}
	}
}

// nextAccepted returns the session that Accept returns next, skipping those that
// have ended and left nothing to be read; nil if there is none.
func (s *Socket) nextAccepted() *session {
	for s.waiting.len() > 0 {
		ss := *s.waiting.first()
		if !ss.over() || ss.inbox.len() > 0 {
			return ss
		}
		s.waiting.pop()
	}
	return nil
}

// accept is TryAccept with the socket locked.
func (s *Socket) accept() (*Conn, error) {
	if s.closing || s.detached {
		return nil, ErrClosed
	}
	ss := s.nextAccepted()
	if ss == nil {
		return nil, ErrWouldBlock
	}
	s.waiting.pop()
	s.taken++
	s.letIn()
	s.dispatch()
	return &Conn{s: s, ss: ss}, nil
}

// Detach closes the listener and leaves alone the sessions that Accept has
// returned: it deregisters, ends those that wait for Accept, and aborts those
// that come later; all of these go on with another element of the pool. The socket
// is closed with the last of the accepted sessions.
func (l *Listener) Detach(ctx context.Context) error {
	s := l.s
	s.mu.Lock()
	if s.closing || s.detached {
		s.mu.Unlock()
		return ErrClosed
	}
	s.detached = true
	for s.waiting.len() > 0 {
		s.finish(s.waiting.pop())
	}
	s.changed.fire()
	s.updateReadiness()
	s.mu.Unlock()
	err := s.Deregister(ctx)
	if errors.Is(err, ErrNotRegistered) || errors.Is(err, ErrClosed) { // by the last Conn
		err = nil
	}
	return errors.Join(err, s.closeUnused(ctx))
}

// closeUnused closes a socket that nobody holds any more.
func (s *Socket) closeUnused(ctx context.Context) error {
	s.mu.Lock()
	unused := s.detached && s.taken == 0 && !s.closing
	s.mu.Unlock()
	if !unused {
		return nil
	}
	if err := s.CloseContext(ctx); !errors.Is(err, ErrClosed) { // by another one
		return err
	}
	return nil
}

// Pending says whether TryAccept would return a session, or that there will be
// none any more.
func (l *Listener) Pending() bool {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	return l.s.closing || l.s.detached || l.s.nextAccepted() != nil
}
