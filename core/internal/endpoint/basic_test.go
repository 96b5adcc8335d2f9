package endpoint

import (
	"slices"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// Applications with a transport of their own: the endpoint registers it,
// resolves pools, and is told what failed.

func (s *script) resolved(want ...int) {
	s.t.Helper()
	f := take[Resolved](s)
	var got []int
	for _, e := range f.Elements {
		got = append(got, int(e.ID))
	}
	if !slices.Equal(got, want) {
		s.t.Fatalf("at %v: elements %v, want %v", s.now.Sub(s.start), got, want)
	}
}

// ASAP-2.1-03, ASAP-6.9.2-01, ASAP-3.5-01, ASAP-3.5-04, ASAP-3.5-05, OVR-4.1-01:
// a PE that the application could not reach is reported once; it drops out of the
// cache, and comes last as long as the registrar still lists it.
func TestPEFailed(t *testing.T) {
	s, id := resolving(t, Config{Registrars: only(regA)})
	s.receive(id, answer(pes(3)...))
	s.resolved(1, 2, 3)
	s.step(PEFailed{pool, 1})
	s.want(Send{id, unreachable(1)})
	s.step(PEFailed{pool, 1}) // another connection to it broke, too
	s.want()
	s.step(Resolve{Token: 2, Handle: pool})
	s.resolved(2, 3)
	s.step(Resolve{Token: 3, Handle: pool, MaxAge: -1})
	s.want(Send{id, question})
	s.receive(id, answer(pes(3)...))
	s.resolved(2, 3, 1)

	// It is well again, or was never: nobody holds it against it for long.
	s.wait(avoided)
	s.step(Resolve{Token: 4, Handle: pool})
	s.resolved(3, 1, 2)
	s.step(PEFailed{pool, 1})
	s.want(Send{id, unreachable(1)})
}

// avoided is how long a PE that failed stands back.
const avoided = 10 * time.Second

// ASAP-3.3-18: a pool whose PEs all failed is resolved anew; then they are better
// than nothing.
func TestAllPEsFailed(t *testing.T) {
	s, id := resolving(t, Config{Registrars: only(regA)})
	s.receive(id, answer(pes(2)...))
	s.drain()
	s.step(PEFailed{pool, 1}, PEFailed{pool, 2})
	s.want(Send{id, unreachable(1)}, Send{id, unreachable(2)})
	s.step(Resolve{Token: 2, Handle: pool})
	s.want(Send{id, question})
	s.receive(id, answer(pes(2)...))
	s.resolved(1, 2)
}

// E-24: a report without a home finds one, for which nothing else is needed; it
// is given up when there is none for a while.
func TestPEFailedWithoutHome(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA)})
	s.step(PEFailed{pool, 7})
	id := s.home()
	s.want(homeFound(id, regA), Send{id, unreachable(7)})
	s.step(AssocLost{id, assoc.ErrAborted})
	take[HomeLost](s) // nothing needs another

	s = newScript(t, Config{Registrars: only(regA)})
	s.step(PEFailed{pool, 7})
	s.step(AssocLost{s.connecting(take[Connect](s)), assoc.ErrTimeout})
	var last time.Time
	s.run(s.now.Add(10*time.Minute), func(f Effect) {
		if c, is := f.(Connect); is {
			last = s.now
			s.step(ConnectFailed{c.Token, assoc.ErrTimeout})
		}
	})
	if d := last.Sub(s.start); d == 0 || d > 31*time.Second {
		t.Errorf("hunts for %v", d)
	}
}

// A PE that failed may serve a session at the same time: the failure is reported
// once, and the session goes on as long as its association stands.
func TestPEFailedWithSession(t *testing.T) {
	s, id := inSession(t, Config{}, pes(2)...)
	s.step(PEFailed{pool, 1})
	s.want(Send{id, unreachable(1)})
	s.step(SessionLost{Session: 1, Err: assoc.ErrAborted})
	s.want(UsePE{1, pool, peN(2), true})
}

// POL-4.1-03, POL-4.5-02, ASAP-6.5.2-01: each resolution is one selection by the
// pool's policy, of which the list is the continuation.
func TestResolvedOrder(t *testing.T) {
	for _, tt := range []struct {
		policy protocol.PolicyType
		want   [][]int
	}{
		{protocol.RoundRobin, [][]int{{1, 2, 3}, {2, 3, 1}, {3, 1, 2}, {1, 2, 3}}},
		{protocol.LeastUsed, [][]int{{1, 2, 3}, {2, 3, 1}}},
		{protocol.Priority, [][]int{{3, 2, 1}, {3, 2, 1}}},
	} {
		s, id := resolving(t, Config{Registrars: only(regA)})
		es := pes(3)
		for i := range es {
			es[i].Policy = protocol.Policy{Type: tt.policy}
			if tt.policy == protocol.Priority {
				es[i].Policy.Priority = uint32(i)
			}
		}
		a := answer(es...)
		a.Policy.Type = tt.policy
		s.receive(id, a)
		for i, want := range tt.want {
			if i > 0 {
				s.step(Resolve{Token: Token(i + 1), Handle: pool})
			}
			s.resolved(want...)
		}
	}
}

// Random lists hold every PE once, and their first ones are all of them in time.
func TestResolvedOrderRandom(t *testing.T) {
	s, id := resolving(t, Config{Registrars: only(regA)})
	a := answer(pes(5)...)
	a.Policy.Type = protocol.Random
	s.receive(id, a)
	first := map[protocol.PEID]int{}
	for range 200 {
		f := take[Resolved](s)
		seen := map[protocol.PEID]bool{}
		for _, e := range f.Elements {
			seen[e.ID] = true
		}
		if len(f.Elements) != 5 || len(seen) != 5 {
			t.Fatalf("elements %v", f.Elements)
		}
		first[f.Elements[0].ID]++
		s.step(Resolve{Token: 2, Handle: pool})
	}
	for id, n := range first {
		if n < 15 || len(first) != 5 {
			t.Errorf("element %v is first %d times of 200; %v", id, n, first)
		}
	}
}

// ASAP-3.3-08, ASAP-6.3-01: who asks says how old an answer may be.
func TestResolveMaxAge(t *testing.T) {
	s, id := resolving(t, Config{Registrars: only(regA)})
	s.receive(id, answer(pes(1)...))
	s.drain()
	s.wait(5 * time.Second)
	s.step(Resolve{Token: 2, Handle: pool, MaxAge: 6 * time.Second})
	s.resolved(1)
	s.step(Resolve{Token: 3, Handle: pool, MaxAge: 5 * time.Second})
	s.want(Send{id, question})
	s.receive(id, answer(pes(2)...)) // it gets into the cache
	s.resolved(1, 2)
	s.wait(time.Hour)
	s.step(Resolve{Token: 4, Handle: pool, MaxAge: 2 * time.Hour})
	s.resolved(2, 1)
}

// ASAP-2.2.5-01: who wants more PEs than a registrar gives by itself says so;
// who wants fewer gets fewer, and the cache has others for those who come after.
func TestResolveItems(t *testing.T) {
	ask := func(items uint32) asap.HandleResolution {
		return asap.HandleResolution{Handle: pool, Items: items}
	}
	s := newScript(t, Config{Registrars: only(regA)})
	s.step(Resolve{Token: 1, Handle: pool, Items: 1})
	id := s.home()
	s.want(homeFound(id, regA), Send{id, ask(32)})
	s.receive(id, answer(pes(3)...))
	s.resolved(1)
	s.step(Resolve{Token: 2, Handle: pool, Items: 2})
	s.resolved(2, 3)
	s.step(Resolve{Token: 3, Handle: pool, Items: 32}) // there are only three
	s.resolved(3, 1, 2)
	s.step(Resolve{Token: 4, Handle: pool, Items: 33})
	s.want(Send{id, ask(33)})
	s.receive(id, answer(pes(40)...))
	if f := take[Resolved](s); len(f.Elements) != 33 {
		t.Errorf("%d elements, want 33", len(f.Elements))
	}
	s.step(Resolve{Token: 5, Handle: pool, Items: 40})
	if f := take[Resolved](s); len(f.Elements) != 40 {
		t.Errorf("%d elements, want 40", len(f.Elements))
	}
	s.step(Resolve{Token: 6, Handle: pool, Items: asap.AllItems})
	s.want(Send{id, ask(asap.AllItems)})
}

// One who joins a request that asks for fewer asks again if the answer is short.
func TestResolveMoreItems(t *testing.T) {
	s, id := resolving(t, Config{Registrars: only(regA)})
	s.step(Resolve{Token: 2, Handle: pool, Items: 50}, Resolve{Token: 3, Handle: pool, Items: 2})
	s.want()
	s.receive(id, answer(pes(3)...))
	s.want(
		Resolved{1, pool, protocol.RoundRobin, pes(3)},
		Send{id, asap.HandleResolution{Handle: pool, Items: 50}},
		Resolved{3, pool, protocol.RoundRobin, pes(3)[1:]},
	)
	s.receive(id, answer(pes(3)...))
	s.resolved(1, 2, 3)
}

// ASAP-2.2.5-01: where an update lists as many PEs as were asked for there may be
// more: a session's PE that is not among them was not removed.
func TestShortUpdateRemovesNobody(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA), Subscribe: true})
	s.step(OpenSession{Session: 1, Handle: pool})
	id := s.home()
	s.drain()
	a := answer(pes(40)...)
	a.UpdatesAccepted = true
	s.receive(id, a)
	s.step(SessionUp{1, 50}, Resolve{Token: 1, Handle: pool, Items: 4, MaxAge: -1})
	s.drain()
	a.Elements = pes(32)
	s.receive(id, a)
	a.Elements = pes(40)[1:33]
	s.drain()
	s.receive(id, a)
	s.wait(time.Hour)
	s.want()
}

// ASAP-2.1-03, ASAP-6.1-01: whatever transport the application has is registered
// with its own port, at the addresses of the association where it has none.
func TestRegisterForeignTransports(t *testing.T) {
	for _, p := range []protocol.TransportProtocol{protocol.TCP, protocol.UDP, protocol.UDPLite, protocol.DCCP, protocol.SCTP} {
		given := protocol.Transport{Protocol: p, Port: 80}
		if p == protocol.DCCP {
			given.ServiceCode = 5
		}
		for _, own := range []bool{true, false} {
			want := given
			want.Addrs = at(local).Addrs
			if own {
				want.Addrs = peN(9).User.Addrs
				given.Addrs = want.Addrs
			} else {
				given.Addrs = nil
			}
			s := newScript(t, Config{Registrars: only(regA)})
			s.step(Register{Handle: pool, Element: protocol.Element{ID: 0x1234, User: given}})
			id := s.home()
			e := mine()
			e.User = want
			s.want(homeFound(id, regA), Send{id, asap.Registration{Handle: pool, Element: e}})
			s.receive(id, granted())
			s.want(Registered{pool, e, nil})
			// ASAP-3.4-02: the registrar asks the library, not the application.
			s.receive(id, asap.EndpointKeepAlive{Server: 1, Handle: pool, ID: 0x1234})
			s.want(Send{id, asap.EndpointKeepAliveAck{Handle: pool, ID: 0x1234}})
			s.step(Deregister{})
			s.want(Send{id, asap.Deregistration{Handle: pool, ID: 0x1234}})
		}
	}
}
