package rserpool

import (
	"context"
	"net/netip"

	"github.com/librserpool/librserpool/core/socket"
)

// Listener is a pool element: it is registered in a pool and takes the
// sessions of pool users one by one. All methods are safe for concurrent use.
type Listener struct{ l *socket.Listener }

// Listen makes an element of the pool and waits until a registrar has granted
// the registration, starting a registrar inside the process if none is found
// and none was configured. The registration is renewed, at another registrar if need be,
// until Deregister, Drain or Close. ctx bounds this call only, not the registration.
func Listen(ctx context.Context, pool string, opts *Options) (*Listener, error) {
	l, err := socket.Listen(ctx, pool, traced(ctx, opts.socket()))
	if err != nil {
		return nil, err
	}
	return &Listener{l}, nil
}

// Accept waits for the next session. A session begins with the first message
// of a pool user, not with its association: registrars open associations too.
// After Close or Detach it returns ErrClosed.
func (l *Listener) Accept(ctx context.Context) (*Conn, error) {
	c, err := l.l.Accept(ctx)
	if err != nil {
		return nil, err
	}
	return &Conn{c}, nil
}

// Update changes the policy values and the life of the registration.
func (l *Listener) Update(ctx context.Context, r Registration) error {
	return l.l.Update(ctx, r.socket())
}

// SetLoad changes the values of the policy, such as the load (a re-registration, RFC 5352
// section 2.2.1). It does not wait and may be called as often as the program likes: the
// registrar is told the newest values, at most once per Options.LoadInterval and the first
// change at once. When it refuses, Status has the reason and the old values stay. SetLoad
// returns ErrNotRegistered, or ErrInvalid when p is of another policy than the one the
// element is registered with.
func (l *Listener) SetLoad(p Policy) error { return l.l.SetLoad(socket.Policy(p)) }

// Drain takes the element out of its pool like Deregister and moves its
// sessions to other elements, without loss. Each pool user is asked to stop;
// what it has sent is still received, and can be answered. The program may leave
// a last cookie and end the session itself (the notification Shutdown tells that
// it is time); otherwise the library ends it, about 50 ms after the program has
// answered everything and sent its last cookie, one second after it has done
// anything else. Pool users do not report the element as unreachable. Accept goes on to
// return sessions that come meanwhile.
//
// Drain returns when all sessions have moved; or when ctx ends: then it ends
// those that are left gracefully and returns the context's error.
func (l *Listener) Drain(ctx context.Context) error { return l.l.Drain(ctx) }

// Deregister takes the element out of its pool: no new sessions come, those
// that stand go on until they end or Close ends them.
func (l *Listener) Deregister(ctx context.Context) error { return l.l.Deregister(ctx) }

// Detach closes the listener and leaves alone the sessions that Accept has
// returned: it deregisters, ends those that wait for Accept, and aborts those
// that come later; all of these go on with another element of the pool.
func (l *Listener) Detach(ctx context.Context) error { return l.l.Detach(ctx) }

// Name returns the pool and the element's identifier in it.
func (l *Listener) Name() Name { return Name(l.l.Name()) }

// Addrs returns the addresses that the element is bound to.
func (l *Listener) Addrs() []netip.AddrPort { return l.l.Addrs() }

// Status describes the element, its registrar and its sessions.
func (l *Listener) Status() Status { return publicSocket(l.l.Status()) }

// Close deregisters and ends all sessions gracefully, a second at most. Their
// pool users go on with another element of the pool. Detach leaves the sessions
// alone.
func (l *Listener) Close() error { return l.l.Close() }
