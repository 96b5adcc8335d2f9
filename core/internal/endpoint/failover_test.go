package endpoint

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

func unreachable(n int) asap.EndpointUnreachable {
	return asap.EndpointUnreachable{Handle: pool, ID: protocol.PEID(n)}
}

// inSession is an endpoint with session 1, served by the first of the PEs.
func inSession(t *testing.T, cfg Config, es ...protocol.Element) (*script, assoc.ID) {
	t.Helper()
	cfg.Registrars = only(regA)
	s := newScript(t, cfg)
	s.step(OpenSession{Session: 1, Handle: pool})
	id := s.home()
	s.want(homeFound(id, regA), Send{id, asap.HandleResolution{Handle: pool}})
	s.receive(id, answer(es...))
	s.want(UsePE{1, pool, es[0], false})
	s.step(SessionUp{1, 50})
	s.want()
	return s, id
}

// ASAP-6.5.1-01, -03, ASAP-6.5.2-01, -02, POL-4.1-03: sessions go round.
func TestSessionsGoRound(t *testing.T) {
	s, _ := inSession(t, Config{}, pes(3)...)
	for i, n := range []int{2, 3, 1, 2} {
		s.step(OpenSession{Session: SessionID(i + 2), Handle: pool})
		s.want(UsePE{SessionID(i + 2), pool, peN(n), false})
	}
}

// ASAP-6.5.5-01, ASAP-3.5-01, -02, -04, ASAP-3.3-18, ASAP-6.9-01: one report,
// the next PE from the cache, and the dead one is not in the cache any more.
func TestFailover(t *testing.T) {
	s, id := inSession(t, Config{}, pes(3)...)
	s.step(SessionLost{Session: 1, Err: assoc.ErrAborted})
	s.want(Send{id, unreachable(1)}, UsePE{1, pool, peN(2), true})
	s.step(Resolve{Token: 1, Handle: pool})
	s.want(Resolved{1, pool, protocol.RoundRobin, []protocol.Element{peN(3), peN(2)}})
	s.step(SessionLost{Session: 1, Err: assoc.ErrRefused}) // while connecting
	s.want(Send{id, unreachable(2)}, UsePE{1, pool, peN(3), true})
	s.step(SessionUp{1, 51})
	s.wait(time.Hour)
	s.want()
}

// ASAP-3.5-04: two sessions that meet the same failure are one event.
func TestOneReportPerFailure(t *testing.T) {
	s, id := inSession(t, Config{}, pes(2)...)
	s.step(OpenSession{Session: 2, Handle: pool}, SessionUp{2, 60})
	s.want(UsePE{2, pool, peN(2), false})
	s.step(OpenSession{Session: 3, Handle: pool}, SessionUp{3, 61})
	s.want(UsePE{3, pool, peN(1), false})
	s.step(SessionLost{Session: 1, Err: assoc.ErrTimeout}, SessionLost{Session: 3, Err: assoc.ErrTimeout})
	s.want(Send{id, unreachable(1)}, UsePE{1, pool, peN(2), true}, UsePE{3, pool, peN(2), true})
	s.step(SessionLost{Session: 99}) // not ours
	s.want()
}

// ASAP-3.5-05, ASAP-6.9.2-01, E-24: the user's own report counts only if
// something was to be sent.
func TestUsersReport(t *testing.T) {
	s, id := inSession(t, Config{}, pes(3)...)
	s.step(SessionLost{Session: 1, ByUser: true})
	s.want(UsePE{1, pool, peN(2), true})
	s.step(SessionUp{1, 51}, SessionLost{Session: 1, ByUser: true, Sent: true})
	s.want(Send{id, unreachable(2)}, UsePE{1, pool, peN(3), true})
}

// ASAP-3.3-18: no other PE in the cache: resolve anew. A PE that is still
// listed although it has just failed is used again only when there is no
// other, and after a second.
func TestOnlyTheFailedPEIsListed(t *testing.T) {
	s, id := inSession(t, Config{}, pes(1)...)
	s.step(SessionLost{Session: 1, Err: assoc.ErrAborted})
	question := Send{id, asap.HandleResolution{Handle: pool}}
	s.want(Send{id, unreachable(1)}, question)
	for _, pause := range []int{100, 200, 400, 800} {
		s.receive(id, answer(pes(1)...))
		s.want()
		s.wait(time.Duration(pause) * time.Millisecond)
		s.want(question)
	}
	s.receive(id, answer(pes(1)...)) // 1.5 s later
	s.want(UsePE{1, pool, peN(1), true})
	s.step(SessionLost{Session: 1, Err: assoc.ErrRefused})
	s.want(Send{id, unreachable(1)}, question) // another event
	s.receive(id, answer(pes(2)...))
	s.want(UsePE{1, pool, peN(2), true})
}

// A PE that failed is passed over for a while although the registrar lists it.
func TestFailedPEIsPassedOver(t *testing.T) {
	s, id := inSession(t, Config{StaleCache: -1}, pes(2)...)
	s.step(SessionLost{Session: 1, Err: assoc.ErrAborted})
	s.want(Send{id, unreachable(1)}, Send{id, asap.HandleResolution{Handle: pool}})
	s.receive(id, answer(pes(2)...))
	s.want(UsePE{1, pool, peN(2), true})
	for i := range 3 {
		s.wait(3 * time.Second)
		s.step(OpenSession{Session: SessionID(10 + i), Handle: pool})
		s.drain()
		s.receive(id, answer(pes(2)...))
		s.want(UsePE{SessionID(10 + i), pool, peN(2), false})
	}
	s.wait(3 * time.Second)
	s.step(OpenSession{Session: 20, Handle: pool})
	s.drain()
	s.receive(id, answer(pes(2)...))
	s.want(UsePE{20, pool, peN(1), false})
}

// During failover an empty pool is asked for again, until the limit: 30 s.
func TestFailoverLimit(t *testing.T) {
	s, id := inSession(t, Config{}, pes(1)...)
	s.step(SessionLost{Session: 1, Err: assoc.ErrAborted})
	asked := 0
	var failed SessionFailed
	s.run(s.now.Add(time.Hour), func(f Effect) {
		switch f := f.(type) {
		case Send:
			if _, is := f.Message.(asap.HandleResolution); is {
				asked++
				s.receive(id, refusal(protocol.CauseUnknownPoolHandle))
			}
		case SessionFailed:
			failed = f
			if s.now.Sub(s.start) != 30*time.Second {
				t.Errorf("at %v", s.now.Sub(s.start))
			}
		}
	})
	var none *NoElementError
	if !errors.As(failed.Err, &none) || !errors.Is(failed.Err, assoc.ErrAborted) {
		t.Errorf("got %v", failed.Err)
	}
	if asked < 30 || asked > 34 {
		t.Errorf("asked %d times", asked)
	}
}

// A PE that comes back within the limit is found, also with another identifier.
func TestPoolComesBack(t *testing.T) {
	s, id := inSession(t, Config{}, pes(1)...)
	s.step(SessionLost{Session: 1, Err: assoc.ErrAborted})
	s.drain()
	s.receive(id, refusal(protocol.CauseUnknownPoolHandle))
	s.wait(100 * time.Millisecond)
	s.drain()
	s.receive(id, answer(peN(4)))
	s.want(UsePE{1, pool, peN(4), true})
}

// A first PE that cannot be reached is no reason to fail either.
func TestFirstPEIsDead(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA)})
	s.step(OpenSession{Session: 1, Handle: pool})
	id := s.home()
	s.drain()
	s.receive(id, answer(pes(2)...))
	s.want(UsePE{1, pool, peN(1), false})
	s.step(SessionLost{Session: 1, Err: assoc.ErrRefused})
	s.want(Send{id, unreachable(1)}, UsePE{1, pool, peN(2), true})
}

// Unknown pool: an error at once, not after a timeout.
func TestOpenUnknownPool(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA)})
	s.step(OpenSession{Session: 1, Handle: pool})
	id := s.home()
	s.drain()
	s.receive(id, refusal(protocol.CauseUnknownPoolHandle))
	s.want(SessionFailed{1, pool, ErrUnknownPool})
	s.wait(time.Hour)
	s.want()
}

// ASAP-3.7-04, -05 for a session: a registrar that never answers.
func TestOpenAtMuteRegistrar(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA), MaxRetransmit: -1})
	s.step(OpenSession{Session: 1, Handle: pool})
	s.home()
	s.drain()
	s.wait(15 * time.Second)
	if f := s.drain()[0].(SessionFailed); !errors.Is(f.Err, ErrTimeout) {
		t.Errorf("got %v", f)
	}
}

// PE and registrar die together: the session survives, and the report reaches
// the next home (ASAP-3.5-01, E-24).
func TestFailoverWithoutRegistrar(t *testing.T) {
	s, id := inSession(t, Config{}, pes(1)...)
	s.step(AssocLost{id, assoc.ErrAborted})
	c := s.drain()[1:]
	if len(c) != 0 {
		s.step(ConnectFailed{c[0].(Connect).Token, assoc.ErrRefused})
	}
	s.drain()
	s.step(SessionLost{Session: 1, Err: assoc.ErrAborted})
	var effects []Effect
	start := s.now
	s.run(s.now.Add(29*time.Second), func(f Effect) {
		switch f := f.(type) {
		case Connect:
			if s.now.Sub(start) < 5*time.Second {
				s.step(ConnectFailed{f.Token, assoc.ErrRefused})
				return
			}
			s.up(s.connecting(f), regA)
		case Send:
			effects = append(effects, f)
			if _, is := f.Message.(asap.HandleResolution); is {
				s.receive(f.Assoc, answer(peN(2)))
			}
		case UsePE:
			effects = append(effects, f)
			s.step(SessionUp{1, 77})
		}
	})
	want := []Effect{
		Send{s.next, unreachable(1)},
		Send{s.next, asap.HandleResolution{Handle: pool}},
		UsePE{1, pool, peN(2), true},
	}
	slices.SortStableFunc(effects[:2], func(a, b Effect) int { // either first
		if _, is := a.(Send).Message.(asap.EndpointUnreachable); is {
			return -1
		}
		return 1
	})
	if len(effects) != 3 || effects[0] != want[0] || effects[1] != want[1] || effects[2].(UsePE).Element.ID != 2 {
		t.Errorf("got %v", effects)
	}
}

// A report that waited too long for a home is old news.
func TestOldReportsAreForgotten(t *testing.T) {
	s, id := inSession(t, Config{FailoverLimit: -1}, pes(2)...)
	s.step(AssocLost{id, assoc.ErrAborted}, SessionLost{Session: 1, Err: assoc.ErrAborted}, SessionUp{1, 51})
	got := s.drain()
	c := got[1].(Connect)
	s.step(AssocLost{s.connecting(c), assoc.ErrTimeout})
	reports := 0
	start := s.now
	s.run(s.now.Add(2*time.Minute), func(f Effect) {
		switch f := f.(type) {
		case Connect:
			if s.now.Sub(start) < 31*time.Second {
				s.step(ConnectFailed{f.Token, assoc.ErrTimeout})
				return
			}
			s.up(s.connecting(f), regA)
		case Send:
			reports++
		}
	})
	if reports != 0 || s.m.hunt.homeAssoc() == 0 {
		t.Errorf("%d messages", reports)
	}
}

// A PE that takes leave is not reported as unreachable, and not chosen again.
func TestPELeaves(t *testing.T) {
	s, _ := inSession(t, Config{}, pes(2)...)
	s.step(SessionLost{Session: 1})
	s.want(UsePE{1, pool, peN(2), true})
	s.step(OpenSession{Session: 2, Handle: pool})
	s.want(UsePE{2, pool, peN(2), false})
}

// A session that its owner closed is left alone.
func TestCloseSession(t *testing.T) {
	s, id := inSession(t, Config{}, pes(1)...)
	s.step(CloseSession{1}, SessionLost{Session: 1}, SessionUp{1, 50})
	s.want()
	s.step(AssocLost{id, nil})
	s.want(HomeLost{nil}) // nobody needs another
	s.step(OpenSession{Session: 2, Handle: "other"})
	c := take[Connect](s)
	s.step(CloseSession{2})
	s.want()
	s.step(Connecting{c.Token, 30})
	s.want(Abort{30, "no longer needed"})
	s.wait(time.Hour)
	s.want()
}

// The PE of a session closed while failover waits for its retry.
func TestCloseSessionInFailover(t *testing.T) {
	s, id := inSession(t, Config{}, pes(1)...)
	s.step(SessionLost{Session: 1, Err: assoc.ErrAborted})
	s.drain()
	s.receive(id, refusal(protocol.CauseUnknownPoolHandle))
	s.step(CloseSession{1})
	s.want()
	if at, ok := s.m.Next(); ok {
		t.Errorf("something is due at %v", at)
	}
}

// POL-4.3-02, POL-4.5-02: the pool's policy selects.
func TestSelectionFollowsThePolicy(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA)})
	s.step(OpenSession{Session: 1, Handle: pool})
	id := s.home()
	s.drain()
	es := pes(3)
	for i, prio := range []uint32{1, 9, 5} {
		es[i].Policy = protocol.Policy{Type: protocol.Priority, Priority: prio}
	}
	a := answer(es...)
	a.Policy = protocol.Policy{Type: protocol.Priority}
	s.receive(id, a)
	s.want(UsePE{1, pool, es[1], false})
	s.step(SessionLost{Session: 1, Err: assoc.ErrAborted})
	s.want(Send{id, unreachable(2)}, UsePE{1, pool, es[2], true})
}

// Sessions that begin while all PEs are known to be down wait like the others.
func TestOpenWhileAllAreDown(t *testing.T) {
	s, id := inSession(t, Config{}, pes(1)...)
	s.step(SessionLost{Session: 1, Err: assoc.ErrAborted})
	s.drain()
	s.step(OpenSession{Session: 2, Handle: pool})
	s.want()
	s.receive(id, answer(pes(1)...))
	s.want()
	s.wait(100 * time.Millisecond)
	s.drain()
	s.receive(id, answer(pes(2)...))
	s.want(UsePE{1, pool, peN(2), true}, UsePE{2, pool, peN(2), false})
}

// A PE that is a user of its own pool does not choose itself.
func TestSessionWithOwnPool(t *testing.T) {
	s, id := registeredScript(t, Config{Registrars: only(regA)})
	s.step(OpenSession{Session: 1, Handle: pool})
	s.drain()
	s.receive(id, answer(mine(), peN(1)))
	s.want(UsePE{1, pool, peN(1), false})
	s.step(OpenSession{Session: 2, Handle: pool})
	s.want(UsePE{2, pool, peN(1), false})
}
