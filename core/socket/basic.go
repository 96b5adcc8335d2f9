package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/protocol"
)

// The basic mode (RFC 5351 section 4.1) is for applications that bring their own
// transport: a Resolver tells them where to go, a Member tells others where they
// serve.

// Query is that of Go programs; rserpool.Query explains it.
type Query struct {
	MaxAge      time.Duration
	Items       int
	WaitForPool *time.Duration
}

// Resolver finds the elements of pools for an application that connects to them
// itself. It is safe for concurrent use and keeps the answers of registrars for
// a while, so that one serves for the whole program.
type Resolver struct{ s *Socket }

// NewResolver makes a resolver. It asks nobody yet.
func NewResolver(opts *Options) (*Resolver, error) {
	s, err := opts.newSocket()
	if err != nil {
		return nil, err
	}
	return &Resolver{s}, nil
}

// Resolve finds the elements of a pool, at least one, or ErrUnknownPool,
// ErrNoRegistrar and the context's error; for a pool or a registrar that is not
// there yet it waits (Config.WaitForPool). The element to use is the first one: each
// call is one selection by the pool's policy (RFC 5356). The others are to fall
// back on, in that order; those of which Failed was told in the last ten seconds
// come last.
func (r *Resolver) Resolve(ctx context.Context, pool string, q Query) ([]Element, error) {
	return r.s.resolve(ctx, pool, q)
}

// TryResolve is Resolve for what the cache knows: it asks nobody, and returns
// ErrWouldBlock where Resolve would.
func (r *Resolver) TryResolve(pool string, q Query) ([]Element, error) {
	return r.s.tryResolve(pool, q)
}

// Failed tells that an element could not be reached, or that the connection with
// it broke. It is not in the cache any more, and a registrar is told, who looks
// after it (RFC 5352 section 3.5). Call it only for elements that were tried. It
// does not wait for anybody's answer; ctx bounds the look-up of the registrar's
// name at the first use of the resolver.
func (r *Resolver) Failed(ctx context.Context, pool string, id PEID) error {
	if err := r.s.cfg.checkPool(pool); err != nil {
		return err
	}
	if id == 0 {
		return fmt.Errorf("%w: no element has the identifier 0", ErrInvalid)
	}
	return r.post(ctx, endpoint.PEFailed{Handle: protocol.PoolHandle(pool), ID: id})
}

// Purge drops what the cache knows of a pool (RFC 5352 section 6.4).
func (r *Resolver) Purge(pool string) {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	if r.s.machine != nil && !r.s.closing {
		r.s.machine.Post(endpoint.Purge{Handle: protocol.PoolHandle(pool)})
	}
}

func (r *Resolver) post(ctx context.Context, event endpoint.Event) error {
	if err := r.s.prepare(); err != nil {
		return err
	}
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	if r.s.closing {
		return ErrClosed
	}
	r.s.machine.Post(event)
	return nil
}

// WaitForPool returns how long Resolve waits for a pool or a registrar that is not
// there yet, unless a Query says otherwise; negative: for ever.
func (r *Resolver) WaitForPool() time.Duration { return r.s.WaitForPool() }

// Status describes the resolver's socket: its registrar and the last error.
func (r *Resolver) Status() Status { return r.s.Status() }

// Close ends the resolver.
func (r *Resolver) Close() error { return r.s.Close() }

// attemptLimit is how long one element may take to accept a connection while
// there are others.
const attemptLimit = 3 * time.Second

// Dial connects to an element of a pool whose elements serve over TCP or UDP. One
// that cannot be reached is reported (Failed), and the next one tried. It
// returns ErrNoElement when all were tried in vain, and what Resolve returns. Call
// Failed when the connection breaks later, and Dial again.
func (r *Resolver) Dial(ctx context.Context, pool string) (net.Conn, Element, error) {
	elements, err := r.Resolve(ctx, pool, Query{})
	if err != nil {
		return nil, Element{}, err
	}
	var errs []error
	for i, e := range elements {
		conn, err := dialElement(ctx, e, i == len(elements)-1)
		switch {
		case err == nil:
			return conn, e, nil
		case ctx.Err() != nil:
			return nil, Element{}, fmt.Errorf("connect to pool %s: %w", quote(pool), errors.Join(append(errs, ctx.Err())...))
		case !errors.Is(err, ErrInvalid):
			_ = r.Failed(ctx, pool, e.ID) // the next one is what matters
		}
		errs = append(errs, err)
	}
	return nil, Element{}, fmt.Errorf("%w: in pool %s: %w; start one, or check the way to it", ErrNoElement, quote(pool), errors.Join(errs...))
}

// dialElement gives the last element all the time that there is.
func dialElement(ctx context.Context, e Element, last bool) (net.Conn, error) {
	if e.Transport != TCP && e.Transport != UDP || len(e.Addrs) == 0 {
		return nil, fmt.Errorf("%w: element %v serves over %v, which the function Dial reaches; this is for TCP and UDP", ErrInvalid, e.ID, e.Transport)
	}
	d := net.Dialer{Timeout: attemptLimit}
	if last {
		d.Timeout = 0
	}
	conn, err := d.DialContext(ctx, strings.ToLower(e.Transport.String()), e.Addrs[0].String())
	if err != nil {
		return nil, fmt.Errorf("element %v: %w", e.ID, err)
	}
	return conn, nil
}

// Transport says where an application serves that brings its own transport.
type Transport struct {
	Protocol TransportProtocol
	// Addrs have one port, not 0: one address, with SCTP one or more. The
	// unspecified address stands for that through which the registrar is
	// reached.
	Addrs       []netip.AddrPort
	ServiceCode uint32 // DCCP only
}

// TransportOf is the transport of a listener's or packet connection's address. It
// is the zero value, which Join refuses, when that is neither TCP nor UDP.
func TransportOf(addr net.Addr) Transport {
	switch a := addr.(type) {
	case *net.TCPAddr:
		return Transport{Protocol: TCP, Addrs: []netip.AddrPort{a.AddrPort()}}
	case *net.UDPAddr:
		return Transport{Protocol: UDP, Addrs: []netip.AddrPort{a.AddrPort()}}
	}
	return Transport{}
}

// Member is an application that is an element of a pool and serves over a
// transport of its own. The library keeps the registration and answers the
// registrars that ask whether the element lives: it lives while the process does.
type Member struct {
	s    *Socket
	pool string
}

// Join registers the application in the pool and waits until a registrar has
// granted it; see Listen. opts.Registration says how. The registrar takes addresses
// only at which it sees the element (RFC 5352 section 2.2.1): the SCTP endpoint
// towards it is bound to those of at, unless opts.Local says otherwise. All
// elements of a pool serve over the same transport; a pool user of this library
// has sessions over SCTP only, and finds the others with a Resolver.
func Join(ctx context.Context, pool string, at Transport, opts *Options) (*Member, error) {
	foreign, err := at.foreign()
	if err != nil {
		return nil, err
	}
	o := opts.orDefault()
	if len(o.Local) == 0 {
		for _, a := range at.Addrs {
			o.Local = append(o.Local, netip.AddrPortFrom(a.Addr().Unmap(), 0))
		}
	}
	s, err := o.newSocket()
	if err != nil {
		return nil, err
	}
	s.foreign = foreign
	if err := s.Register(ctx, pool, o.Registration); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return &Member{s: s, pool: pool}, nil
}

// foreign is the transport as it is registered; without addresses where the
// machine has to fill them in.
func (t Transport) foreign() (protocol.Transport, error) {
	out := protocol.Transport{Protocol: t.Protocol, ServiceCode: t.ServiceCode}
	wrong := func(format string, args ...any) (protocol.Transport, error) {
		return protocol.Transport{}, fmt.Errorf("%w: "+format, append([]any{ErrInvalid}, args...)...)
	}
	switch t.Protocol {
	case SCTP, TCP, UDP, UDPLite, DCCP:
	default:
		return wrong("an element serves over SCTP, TCP, UDP, UDP-Lite or DCCP, not %v", t.Protocol)
	}
	switch n := len(t.Addrs); {
	case n == 0 || n > 1 && t.Protocol != SCTP:
		return wrong("an element that serves over %v has %d addresses; it has one, with SCTP one or more", t.Protocol, n)
	case t.ServiceCode != 0 && t.Protocol != DCCP:
		return wrong("%v has no service codes, DCCP has", t.Protocol)
	}
	for _, a := range t.Addrs {
		ip := a.Addr().Unmap().WithZone("")
		switch out.Port = a.Port(); {
		case !ip.IsValid() || ip.IsMulticast() || ip.IsUnspecified() && len(t.Addrs) > 1:
			return wrong("nobody serves at the addresses %v", t.Addrs)
		case a.Port() == 0 || a.Port() != t.Addrs[0].Port():
			return wrong("an element serves at one port; these are the addresses: %v", t.Addrs)
		case !ip.IsUnspecified():
			out.Addrs = append(out.Addrs, ip)
		}
	}
	return out, nil
}

// Name returns the pool and the element's identifier in it.
func (m *Member) Name() Name {
	n, _ := m.s.LocalName() // empty once it has left
	return n
}

// Update changes the policy values and the life of the registration.
func (m *Member) Update(ctx context.Context, r Registration) error {
	return m.s.Register(ctx, m.pool, r)
}

// SetLoad is Socket.SetLoad.
func (m *Member) SetLoad(p Policy) error { return m.s.SetLoad(p) }

// Status describes the registration.
func (m *Member) Status() Status { return m.s.Status() }

// Leave takes the application out of the pool and waits for the registrar's
// answer. Whatever it returns, the registration is not kept any more, and ends
// at the latest with its life.
func (m *Member) Leave(ctx context.Context) error {
	err := m.s.Deregister(ctx)
	return errors.Join(err, m.s.Close())
}

// Close is Leave, waiting one second at most and without the outcome.
func (m *Member) Close() error { return m.s.Close() }
