package socket

import (
	"context"
	"math"
	"net/netip"

	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/protocol"
)

// Element is that of Go programs; rserpool.Element explains it.
type Element struct {
	ID          PEID
	Home        ServerID
	Life        int32
	Transport   TransportProtocol
	Addrs       []netip.AddrPort
	ServiceCode uint32
	Policy      Policy
}

func publicElement(e protocol.Element) Element {
	return Element{
		ID: e.ID, Home: e.Home, Life: int32(e.Life), Policy: e.Policy,
		Transport: e.User.Protocol, Addrs: e.User.AddrPorts(), ServiceCode: e.User.ServiceCode,
	}
}

func publicElements(es []protocol.Element) []Element {
	out := make([]Element, len(es))
	for i, e := range es {
		out[i] = publicElement(e)
	}
	return out
}

// Resolve asks a registrar for the elements of a pool, as Resolver.Resolve does.
// Who asks more than once has a Resolver.
func Resolve(ctx context.Context, pool string, opts *Options) ([]Element, error) {
	r, err := NewResolver(opts)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return r.Resolve(ctx, pool, Query{})
}

// resolve is Resolver.Resolve.
func (s *Socket) resolve(ctx context.Context, pool string, q Query) ([]Element, error) {
	if err := s.cfg.checkPool(pool); err != nil {
		return nil, err
	}
	if err := s.prepare(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	l := s.startResolve(pool, q, false)
	s.mu.Unlock()
	err := s.await(ctx, &s.changed, func() bool { return l.done || s.closing })
	s.mu.Lock()
	defer s.mu.Unlock()
	waits := s.endResolve(l)
	switch {
	case err != nil:
		s.machine.Post(endpoint.CancelResolve{Token: l.token})
		return nil, s.waitError("resolve pool "+quote(pool), waits, err)
	case !l.done:
		return nil, ErrClosed
	}
	return l.elements, l.err
}

// tryResolve is Resolver.TryResolve.
func (s *Socket) tryResolve(pool string, q Query) ([]Element, error) {
	if err := s.cfg.checkPool(pool); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closing:
		return nil, ErrClosed
	case s.machine == nil:
		return nil, ErrWouldBlock
	}
	l := s.startResolve(pool, q, true)
	s.endResolve(l)
	if !l.done {
		return nil, ErrWouldBlock
	}
	return l.elements, l.err
}

// resolving is a resolution that somebody waits for.
type resolving struct {
	token    endpoint.Token
	done     bool
	elements []Element
	err      error
}

// startResolve and endResolve are called with the socket locked. The latter returns why
// it still waits, if that is known.
func (s *Socket) startResolve(pool string, q Query, cached bool) *resolving {
	s.lastLookup++
	l := &resolving{token: s.lastLookup}
	s.lookups[l.token] = func(es []Element, err error) { l.done, l.elements, l.err = true, es, err }
	wait := *s.cfg.WaitForPool
	if q.WaitForPool != nil {
		wait = *q.WaitForPool
	}
	s.machine.Post(endpoint.Resolve{
		Token: l.token, Handle: protocol.PoolHandle(pool), MaxAge: q.MaxAge, Items: uint32(min(max(q.Items, 0), math.MaxUint32)), Wait: wait, Cached: cached,
	})
	return l
}

func (s *Socket) endResolve(l *resolving) (waits error) {
	waits = s.missing[l.token]
	delete(s.lookups, l.token)
	delete(s.missing, l.token)
	return waits
}

// resolved passes on the answer to a Resolve, with the socket locked.
func (s *Socket) resolved(token endpoint.Token, es []protocol.Element, err error) {
	if f := s.lookups[token]; f != nil {
		f(publicElements(es), err)
		s.changed.fire()
	}
}
