package socket

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/protocol"
)

// Register makes the socket an element of the pool and waits for the
// registrar's consent; for a registrar that is not there yet too
// (Config.WaitForPool), unless this process starts one. The registration is renewed, at another registrar if
// need be, until Deregister or Close. On a socket that is registered in this
// pool it changes the policy values and the life.
func (s *Socket) Register(ctx context.Context, pool string, r Registration) error {
	element, err := s.element(pool, r)
	if err != nil {
		return err
	}
	if err := s.prepare(); err != nil {
		return err
	}
	if err := s.turn(ctx); err != nil {
		return err
	}
	defer s.endTurn()
	s.offer(pool, r)
	event := endpoint.Register{Handle: protocol.PoolHandle(pool), Element: element}
	if s.mayEmbed() {
		err = s.registerOrEmbed(ctx, event)
	} else {
		event.Wait = s.WaitForPool()
		err = s.postRegistration(ctx, event, "register in pool "+quote(pool))
	}
	if err == nil {
		s.share()
	}
	return err
}

// registerOrEmbed registers at the registrar of this host. Where there is none it
// does not wait for one, but starts it inside this process.
func (s *Socket) registerOrEmbed(ctx context.Context, event endpoint.Register) error {
	wait := s.WaitForPool()
	began, patience := time.Now(), max(wait, embedPatience)
	for attempt := 0; ; attempt++ {
		err := s.postRegistration(ctx, event, "register in pool "+quote(string(event.Handle)))
		over := wait >= 0 && time.Since(began) >= patience
		if !errors.Is(err, ErrNoRegistrar) || ctx.Err() != nil || over || !s.mayEmbed() {
			return err
		}
		embedErr := s.embed()
		if embedErr != nil && !errors.Is(embedErr, errAddrInUse) {
			return errors.Join(err, embedErr)
		}
		if embedErr != nil || attempt > 0 {
			sleep(ctx, embedPause) // whoever has the port may be about to serve
		}
	}
}

// offer notes how sessions are taken from now on.
func (s *Socket) offer(pool string, r Registration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	service := s.table.Service()
	service.Pool, service.DataOnly, service.Preferred = pool, r.DataOnly, slices.Clone(r.Preferred)
	s.table.SetService(service)
	r.Policy.Type = cmp.Or(r.Policy.Type, RoundRobin)
	s.report.as = r
}

// Deregister takes the socket out of its pool and waits for the registrar's
// answer. Sessions that stand go on; Drain moves them to other elements.
func (s *Socket) Deregister(ctx context.Context) error {
	if err := s.turn(ctx); err != nil {
		return err
	}
	defer s.endTurn()
	if _, err := s.LocalName(); err != nil {
		return err
	}
	s.mu.Lock()
	s.table.TellLeft(time.Now())
	s.mu.Unlock()
	return s.postRegistration(ctx, endpoint.Deregister{}, "deregister")
}

// turn waits until no other call registers or deregisters.
func (s *Socket) turn(ctx context.Context) error {
	select {
	case <-s.registering:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("another registration of this socket is under way: %w", ctx.Err())
	}
}

func (s *Socket) endTurn() { s.registering <- struct{}{} }

// postRegistration posts Register or Deregister and waits for the outcome. A
// registration that is given up is withdrawn.
func (s *Socket) postRegistration(ctx context.Context, event endpoint.Event, what string) error {
	var done bool
	var outcome error
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return ErrClosed
	}
	s.registerEnd = func(err error) { done, outcome = true, err }
	register, joining := event.(endpoint.Register)
	if joining {
		s.serve()
		s.watchHome()
		s.dropTCP(errNeedsSCTP)
		if s.name.Pool != "" && s.name.Pool != string(register.Handle) {
			s.registerEnd = nil
			s.mu.Unlock()
			return fmt.Errorf("%w: in pool %q; deregister first or use another socket", ErrRegistered, s.name.Pool)
		}
	}
	s.machine.Post(event)
	s.mu.Unlock()
	err := s.await(ctx, &s.changed, func() bool { return done || s.closing })
	s.mu.Lock()
	defer s.mu.Unlock()
	s.registerEnd = nil
	switch {
	case s.closing && !done:
		return ErrClosed
	case err != nil:
		if joining && s.name.Pool == "" {
			s.machine.Post(endpoint.Deregister{})
		}
		return s.waitError(what, nil, err)
	}
	return outcome
}

// serve lets pool users come, with the socket locked.
func (s *Socket) serve() {
	service := s.table.Service()
	service.Serving, service.Foreign = true, !s.foreign.IsZero()
	s.table.SetService(service)
}

// maxPrivate leaves room in a registration, which has 65,535 bytes, for all that belongs to
// it.
const maxPrivate = 60000

// element is the template that the machine fills in: a socket bound to a
// wildcard is reached at the addresses through which it reaches its registrar
// (ASAP-6.1-01).
func (s *Socket) element(pool string, r Registration) (protocol.Element, error) {
	e := protocol.Element{ID: r.PE, Policy: r.Policy}
	e.User.Protocol, e.User.Use = protocol.SCTP, protocol.DataAndControl
	if r.DataOnly {
		e.User.Use = protocol.DataOnly
	}
	e.Policy.Type = cmp.Or(e.Policy.Type, RoundRobin)
	if err := s.cfg.checkPool(pool); err != nil {
		return e, err
	}
	if !e.Policy.Type.Known() && !e.Policy.Type.Private() {
		return e, fmt.Errorf("%w: policy %#x is none of RFC 5356", ErrInvalid, uint32(e.Policy.Type))
	}
	if len(e.Policy.Private) > maxPrivate {
		return e, fmt.Errorf("%w: the policy has %d bytes of private data; a registration carries %d", ErrInvalid, len(e.Policy.Private), maxPrivate)
	}
	if r.Life != 0 {
		if r.Life < time.Second || r.Life/time.Second > math.MaxInt32 {
			return e, fmt.Errorf("%w: registration life %v; it is a second or more", ErrInvalid, r.Life)
		}
		e.Life = protocol.Life(r.Life / time.Second)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	advertise := slices.Clone(s.cfg.Advertise)
	if !s.foreign.IsZero() {
		e.User = s.foreign
		if e.User.Protocol != protocol.SCTP {
			advertise = advertise[:min(len(advertise), 1)] // it has exactly one
		}
		if len(e.User.Addrs) == 0 {
			e.User.Addrs = advertise
		}
		return e, nil
	}
	if len(advertise) > 0 {
		e.User.Addrs = advertise
		return e, nil
	}
	for _, a := range s.bound {
		if !a.Addr().IsUnspecified() {
			e.User.Addrs = append(e.User.Addrs, a.Addr().Unmap())
		}
	}
	return e, nil
}

func quote(pool string) string { return fmt.Sprintf("%.40q", pool) }
