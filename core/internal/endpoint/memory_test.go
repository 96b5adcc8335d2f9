package endpoint

import (
	"fmt"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// holding is how much there is of everything that could grow.
type holding struct {
	known, peers, attempts, news                   int
	cached, order, failed, reports                 int
	resolutions, waiting, sessions, byAssoc        int
	inUse, watched                                 int
	huntTimers, elementTimers, userTimers, effects int
}

func (m *Endpoint) holds() holding {
	h, u := m.hunt, m.user
	return holding{
		len(h.known), len(h.peers), len(h.attempts), len(h.news),
		len(u.cache.pools), len(u.cache.order), len(u.failedPEs), len(u.reports),
		len(u.resolutions), u.waiting, len(u.sessions), len(u.byAssoc),
		len(u.inUse), len(u.watched),
		h.timers.Len(), m.element.timers.Len(), u.timers.Len(), len(m.effects.list),
	}
}

// settles does the same again and again: each time leaves as much as before, and nothing more in the heap.
func (s *script) settles(again func(i int)) {
	s.t.Helper()
	const warm, rounds = 1500, 1500 // more than the cache holds
	for i := range warm {
		again(i)
		s.m.Drain()
	}
	left, before := s.m.holds(), inUse()
	for i := range rounds {
		again(warm + i)
		s.m.Drain()
		if now := s.m.holds(); now != left {
			s.t.Fatalf("round %d leaves %+v, before it was %+v", i, now, left)
		}
	}
	if grown := (inUse() - before) / rounds; grown > 20 {
		s.t.Errorf("each round leaves %.0f bytes", grown)
	}
}

// inUse is how much of the heap is in use.
func inUse() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// TestMembershipsAreForgotten: registered and deregistered for years, in pools of all names, an endpoint keeps
// nothing of it.
func TestMembershipsAreForgotten(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA)})
	s.settles(func(i int) {
		h := protocol.PoolHandle(fmt.Sprint("pool ", i))
		s.step(Register{Handle: h, Element: protocol.Element{ID: 7}})
		if i == 0 {
			s.home()
		}
		s.receive(11, asap.RegistrationResponse{Handle: h, ID: 7})
		s.step(Deregister{})
		s.receive(11, asap.DeregistrationResponse{Handle: h, ID: 7})
		if s.m.element.phase != phaseIdle {
			t.Fatalf("round %d: phase %d", i, s.m.element.phase)
		}
	})
	if h := s.m.holds(); h.elementTimers != 0 || h.known != 1 {
		t.Errorf("left: %+v", h)
	}
}

// TestSessionsAreForgotten: of sessions with all pools there are, that moved, were given up or were never
// served, and of who asked for pools or watched them, nothing is left but what the cache holds.
func TestSessionsAreForgotten(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA), Subscribe: true})
	s.settles(func(i int) {
		id := SessionID(i + 1)
		h := protocol.PoolHandle(fmt.Sprint("pool ", i))
		s.step(OpenSession{Session: id, Handle: h}, WatchPool{h, true}, Resolve{Token: Token(i), Handle: h})
		if i == 0 {
			s.home()
		}
		a := answer(pes(3)...)
		a.Handle, a.UpdatesAccepted = h, true
		s.receive(11, a)
		s.step(SessionUp{id, assoc.ID(1000 + i)})
		for range i % 3 {
			s.step(SessionLost{Session: id, Err: assoc.ErrAborted})
		}
		s.step(PEFailed{h, 3}, CloseSession{id}, WatchPool{h, false})
		s.step(OpenSession{Session: id, Handle: "nowhere"}, Resolve{Token: Token(i), Handle: "nowhere"}, CancelResolve{Token(i)})
		s.receive(11, asap.HandleResolutionResponse{Handle: "nowhere", Causes: []protocol.Cause{{Code: protocol.CauseUnknownPoolHandle}}})
		s.step(OpenSession{Session: id, Handle: "slow"}, CloseSession{id})
		if end := s.now.Add(20 * time.Second); i%10 == 0 {
			for at, ok := s.m.Next(); ok && !at.After(end); at, ok = s.m.Next() {
				s.now = at
				s.m.Advance(at)
			}
			s.now = end
		}
		s.m.user.failedPEs = s.m.user.failedPEs[:0] // of which there are others each time (TestFailuresAreBounded)
	})
	if h := s.m.holds(); h.sessions+h.byAssoc+h.inUse+h.watched+h.waiting+h.resolutions+h.userTimers != 0 || h.cached != maxCached || h.order != maxCached {
		t.Errorf("left: %+v", h)
	}
}

// TestHuntsAreForgotten: of hunts that were in vain and registrars that came and went nothing is left but
// those that are configured.
func TestHuntsAreForgotten(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA), LookUp: true})
	s.settles(func(i int) {
		announced := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 3863)
		s.step(Announced{asap.ServerAnnounce{Transports: []protocol.Transport{at(announced)}}, announced})
		s.step(Resolve{Token: 1, Handle: pool}, LookedUp{Found: only(regB)}, LookedUp{})
		for f := range 4 {
			for _, e := range s.drain() {
				c, is := e.(Connect)
				switch {
				case is && i%2 == 0 && f == 0:
					id := s.connecting(c)
					s.up(id, c.Addrs[0])
					s.step(AssocLost{id, assoc.ErrAborted})
				case is:
					s.step(AssocLost{s.connecting(c), assoc.ErrTimeout})
				}
			}
		}
		s.step(CancelResolve{1}, PEFailed{pool, 1}, RegistrarStarted{})
		s.drain()
		for end := s.now.Add(5 * time.Minute); ; {
			at, ok := s.m.Next()
			if !ok || at.After(end) {
				s.now = end
				break
			}
			s.now = at
			s.m.Advance(at)
			for _, e := range s.drain() {
				switch e := e.(type) {
				case Connect:
					s.step(ConnectFailed{e.Token, assoc.ErrRefused})
				case LookUp:
					s.step(LookedUp{})
				}
			}
		}
	})
	if h := s.m.holds(); h.known != 1 || h.peers+h.attempts+h.huntTimers+h.reports+h.news != 0 {
		t.Errorf("left: %+v", h)
	}
}

// TestFormerHomesAreForgotten: an element that one registrar after the other takes over remembers the last
// ones only, for as long as one that was announced (ASAP-3.4-04, SEC-2.12-02).
func TestFormerHomesAreForgotten(t *testing.T) {
	s, _ := registeredScript(t, Config{Registrars: only(regA)})
	for i := range 1000 {
		id := assoc.ID(100 + i)
		s.up(id, netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 3863))
		s.receive(id, asap.EndpointKeepAlive{NewHome: true, Server: protocol.ServerID(i + 1), Handle: pool})
		s.drain()
		end := s.now.Add(2 * time.Second)
		for at, ok := s.m.Next(); ok && !at.After(end); at, ok = s.m.Next() {
			s.now = at
			s.m.Advance(at)
			for _, e := range s.drain() {
				if send, is := e.(Send); is {
					s.receive(send.Assoc, granted())
				}
			}
		}
		s.now = end
		s.step(AssocLost{Assoc: id - 1})
		s.drain()
		if h := s.m.holds(); h.known > 50 || h.peers > 2 {
			t.Fatalf("after %d takeovers: %+v", i+1, h)
		}
	}
	s.now = s.now.Add(time.Minute)
	s.m.Advance(s.now)
	if h := s.m.holds(); h.known != 2 {
		t.Errorf("a minute later: %+v", h)
	}
}

// TestTakeoversAreBounded: who says often that it takes an element over, from ever other addresses, is
// remembered like a flood of announcements.
func TestTakeoversAreBounded(t *testing.T) {
	for name, tc := range map[string]struct {
		from func(i int) netip.AddrPort
		most int
	}{
		"one host": {func(i int) netip.AddrPort { return netip.AddrPortFrom(regB.Addr(), uint16(1000+i)) }, maxPerSource + 1},
		"many hosts": {func(i int) netip.AddrPort {
			return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 3863)
		}, 64 + 1},
	} {
		s, _ := registeredScript(t, Config{Registrars: only(regA)})
		for i := range 500 {
			id := assoc.ID(100 + i)
			s.up(id, tc.from(i))
			s.receive(id, asap.EndpointKeepAlive{NewHome: true, Server: protocol.ServerID(i + 1), Handle: pool})
			s.drain()
			s.step(AssocLost{Assoc: id - 1})
			s.drain()
		}
		if h := s.m.holds(); h.known != tc.most || h.peers > 2 || s.m.hunt.homeAssoc() != 599 {
			t.Errorf("%s: %+v", name, h)
		}
		s.now = s.now.Add(time.Minute)
		s.m.Advance(s.now)
		if h := s.m.holds(); h.known > 2 {
			t.Errorf("%s, a minute later: %+v", name, h)
		}
	}
}
