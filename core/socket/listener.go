package socket

import (
	"context"
	"errors"
	"net/netip"
)

// Listener is a pool element: it is registered in a pool and takes the
// sessions of pool users one by one.
type Listener struct{ s *Socket }

// Listen makes an element of the pool and waits until a registrar has granted
// the registration, starting a registrar inside the process if none is found
// and none was configured.
func Listen(ctx context.Context, pool string, opts *Options) (*Listener, error) {
	s, err := opts.newSocket()
	if err != nil {
		return nil, err
	}
	o := opts.orDefault()
	l, err := s.Listen(o.Backlog)
	if err == nil {
		err = s.Register(ctx, pool, o.Registration)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return l, nil
}

// Accept waits for the next session. A session begins with the first message
// of a pool user, not with its association: registrars open associations too.
// After Close or Detach it returns ErrClosed.
func (l *Listener) Accept(ctx context.Context) (*Conn, error) {
	var c *Conn
	var outcome error
	err := l.s.await(ctx, &l.s.changed, func() bool {
		c, outcome = l.s.accept(ctx)
		return !errors.Is(outcome, ErrWouldBlock)
	})
	if err != nil {
		return nil, err
	}
	return c, outcome
}

// TryAccept is Accept without waiting: it returns ErrWouldBlock when there is no
// session. The readable hook of the socket tells when there is one.
func (l *Listener) TryAccept() (*Conn, error) {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	return l.s.accept(context.Background())
}

// Update changes the policy values and the life of the registration.
func (l *Listener) Update(ctx context.Context, r Registration) error {
	l.s.mu.Lock()
	pool := l.s.table.Service().Pool
	l.s.mu.Unlock()
	return l.s.Register(ctx, pool, r)
}

// Deregister takes the element out of its pool: no new sessions come, those
// that stand go on until they end or Close ends them.
func (l *Listener) Deregister(ctx context.Context) error { return l.s.Deregister(ctx) }

// Name returns the pool and the element's identifier in it.
func (l *Listener) Name() Name {
	n, _ := l.s.LocalName() // empty once it is deregistered
	return n
}

// Addrs returns the addresses that the element is bound to.
func (l *Listener) Addrs() []netip.AddrPort { return l.s.LocalAddrs() }

// Status describes the element, its registrar and its sessions.
func (l *Listener) Status() Status { return l.s.Status() }

// Close deregisters and ends all sessions gracefully, a second at most. Their
// pool users go on with another element of the pool. Detach leaves the sessions
// alone.
func (l *Listener) Close() error { return l.s.Close() }
