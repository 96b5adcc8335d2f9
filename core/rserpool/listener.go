package rserpool

import (
	"context"
	"errors"
	"net/netip"
)

// Listener is a pool element: it is registered in a pool and takes the
// sessions of pool users.
type Listener struct {
	s    *Socket
	pool string
}

// Listen makes an element of the pool and waits until a registrar has granted
// the registration, starting a registrar inside the process if none is found
// and none was configured.
func Listen(ctx context.Context, pool string, opts *Options) (*Listener, error) {
	s, err := opts.newSocket()
	if err != nil {
		return nil, err
	}
	if err := s.Register(ctx, pool, opts.orDefault().Registration); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return &Listener{s: s, pool: pool}, nil
}

// Accept waits for the next session. A session begins with the first message
// of a pool user, not with its association: registrars open associations too.
func (l *Listener) Accept(ctx context.Context) (*Conn, error) {
	var ss *session
	err := l.s.await(ctx, &l.s.changed, func() bool {
		if l.s.accepted.len() > 0 {
			ss = l.s.accepted.pop()
		}
		return ss != nil || l.s.closing
	})
	switch {
	case err != nil:
		return nil, err
	case ss == nil:
		return nil, ErrClosed
	}
	return &Conn{s: l.s, ss: ss}, nil
}

// Update changes the policy values and the life of the registration.
func (l *Listener) Update(ctx context.Context, r Registration) error {
	return l.s.Register(ctx, l.pool, r)
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
// pool users go on with another element of the pool.
func (l *Listener) Close() error { return l.s.Close() }
