package socket

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"
)

// defaultBacklog is how many sessions may wait for Accept.
const defaultBacklog = 128

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
	backlog = cmp.Or(backlog, defaultBacklog)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closing, s.detached:
		return nil, ErrClosed
	}
	if err := s.table.Listen(time.Now(), backlog); err != nil {
		return nil, err
	}
	return &Listener{s: s}, nil
}

// accept is TryAccept with the socket locked.
func (s *Socket) accept(ctx context.Context) (*Conn, error) {
	if s.closing || s.detached {
		return nil, ErrClosed
	}
	ss := s.table.Accept(time.Now())
	if ss == nil {
		return nil, ErrWouldBlock
	}
	s.taken++
	return s.newConn(ctx, ss, false), nil
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
	s.table.StopAccepting(time.Now())
	s.mu.Unlock()
	err := s.Deregister(ctx)
	if errors.Is(err, ErrNotRegistered) || errors.Is(err, ErrClosed) { // by the last Conn
		err = nil
	}
	return errors.Join(err, s.closeUnused(ctx))
}

// Detached says that Detach was called.
func (l *Listener) Detached() bool {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	return l.s.detached
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
	return l.s.closing || l.s.detached || l.s.table.Pending() != nil
}
