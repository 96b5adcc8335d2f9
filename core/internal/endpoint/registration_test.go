package endpoint

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// Without a home the PE hunts first (ASAP-3.1-01), then says handle,
// identifier, life in seconds, transport and policy (ASAP-3.1-03 to -07,
// ASAP-2.2.1-01), with no ASAP transport and home 0 (ASAP-3.1-09, -31). The
// default transport is the SCTP endpoint used towards the registrar
// (ASAP-6.1-01, ASAP-2.2.1-02).
// ASAP-6.1-02, ASAP-3.1-02: the addresses registered are those of the association, all of them bound.
func TestRegister(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA)})
	s.step(Register{Handle: pool, Element: protocol.Element{ID: 0x1234}})
	id := s.home()
	s.want(homeFound(id, regA), Send{id, registration()})
	s.receive(id, granted())
	s.want(Registered{Handle: pool, Element: mine()})
	// T2 was stopped (ASAP-3.1-11); T4 is life - 20 s (ASAP-3.1-14).
	s.wait(280 * time.Second)
	s.want(Send{id, registration()})
	s.receive(id, granted())
	s.want() // a plain renewal is not told
}

// A PE beside its registrar offers the addresses of its host as well. A registrar
// that takes none but those of the association (ASAP-2.2.1-02) refuses them, and
// gets those; that is not tried again there, but at the next home.
func TestRegisterAtStrictRegistrar(t *testing.T) {
	host := netip.MustParseAddrPort("198.51.100.7:5000")
	up := func(s *script) assoc.ID {
		got := s.drain()
		c := got[len(got)-1].(Connect) // behind HomeLost
		id := s.connecting(c)
		s.step(AssocUp{Assoc: id, Local: []netip.AddrPort{local}, Host: []netip.AddrPort{host}, Peer: c.Addrs})
		return id
	}
	both := mine()
	both.User.Addrs = append(both.User.Addrs, host.Addr())
	offer := asap.Registration{Handle: pool, Element: both}
	refused := granted()
	refused.Rejected, refused.Causes = true, []protocol.Cause{{Code: protocol.CauseInvalidValues}}

	s := newScript(t, Config{Registrars: only(regA), HuntRounds: -1})
	s.step(Register{Handle: pool, Element: protocol.Element{ID: 0x1234}})
	id := up(s)
	s.want(homeFound(id, regA), Send{id, offer})
	s.receive(id, refused)
	s.want(Send{id, registration()})
	s.receive(id, granted())
	s.want(Registered{Handle: pool, Element: mine()})
	s.wait(280 * time.Second)
	s.want(Send{id, registration()})
	s.receive(id, refused)
	if f := s.drain(); len(f) == 0 {
		t.Error("what is refused for another reason is not told")
	}

	s = newScript(t, Config{Registrars: only(regA), HuntRounds: -1})
	s.step(Register{Handle: pool, Element: protocol.Element{ID: 0x1234}})
	id = up(s)
	s.drain()
	s.receive(id, refused)
	s.receive(id, granted())
	s.drain()
	s.step(AssocLost{id, assoc.ErrAborted})
	next := up(s)
	s.want(homeFound(next, regA), Send{next, offer})
	s.receive(next, granted())
	s.want(Registered{Handle: pool, Element: both})
}

// ASAP-3.1-04: the identifier is random and not 0; a PE keeps it (ASAP-3.1-13).
func TestPEIdentifierIsDrawn(t *testing.T) {
	seen := map[protocol.PEID]bool{}
	for seed := range uint64(50) {
		s := newScript(t, Config{Registrars: only(regA), Rand: rand.New(rand.NewPCG(seed, 7))})
		s.step(Register{Handle: pool})
		s.home()
		id := s.drain()[1].(Send).Message.(asap.Registration).Element.ID
		if id == 0 || seen[id] {
			t.Fatalf("seed %d draws %v", seed, id)
		}
		seen[id] = true
	}
}

// ASAP-3.1-05, ASAP-3.1-14 and the recommendation for short lives.
func TestT4(t *testing.T) {
	for _, tt := range []struct {
		life protocol.Life
		want time.Duration
	}{
		{300, 280 * time.Second},
		{3600, 600 * time.Second},
		{protocol.LifeInfinite, 600 * time.Second},
		{30, 10 * time.Second},
		{29, 29 * time.Second / 3},
		{3, time.Second},
	} {
		s := newScript(t, Config{Registrars: only(regA)})
		s.step(Register{Handle: pool, Element: protocol.Element{ID: 0x1234, Life: tt.life}})
		id := s.home()
		s.drain()
		s.receive(id, granted())
		s.drain()
		s.wait(tt.want)
		if got := take[Send](s).Message.(asap.Registration).Element.Life; got != tt.life {
			t.Errorf("life %d renewed as %d", tt.life, got)
		}
	}
}

// ASAP-3.1-08, -10: T2 is 30 s; then hunt, and register at the new home.
func TestT2HuntsAndRegistersElsewhere(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA, regB)})
	s.step(Register{Handle: pool, Element: protocol.Element{ID: 0x1234}})
	cs := takeAll[Connect](s, 2)
	a, b := s.connecting(cs[0]), s.connecting(cs[1])
	s.up(a, cs[0].Addrs[0])
	s.want(Abort{b, "another registrar was chosen"}, homeFound(a, cs[0].Addrs[0]), Send{a, registration()})

	s.wait(30 * time.Second)
	got := s.drain()
	if len(got) != 3 || got[0] != (Abort{a, "no answer to a request"}) {
		t.Fatalf("after T2: %v", got)
	}
	// The one that did not answer stands back for a moment (ASAP-3.6-15).
	c := got[2].(Connect)
	if c.Addrs[0] != cs[1].Addrs[0] {
		t.Fatalf("hunts for %v again", c.Addrs)
	}
	b = s.connecting(c)
	s.up(b, c.Addrs[0])
	s.want(homeFound(b, c.Addrs[0]), Send{b, registration()})
	s.receive(b, granted())
	s.want(Registered{Handle: pool, Element: mine()})
	s.receive(a, granted()) // much too late: from nobody
	s.want()
}

// ASAP-3.1-15, E-12: after MAX-REG-ATTEMPT (2) more attempts: report and stop.
func TestMuteRegistrars(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA)})
	s.step(Register{Handle: pool, Element: protocol.Element{ID: 0x1234}})
	for i := range 3 {
		id := s.home()
		s.want(homeFound(id, regA), Send{id, registration()})
		s.wait(30 * time.Second)
		if i < 2 {
			lost := s.drain()
			if _, is := lost[len(lost)-1].(HomeLost); !is {
				t.Fatalf("after T2: %v", lost)
			}
			s.wait(2 * time.Second) // the only registrar stands back for nobody for long
		}
	}
	got := s.drain()
	failed := got[0].(RegistrationFailed)
	if !errors.Is(failed.Err, ErrTimeout) || failed.StillRegistered {
		t.Fatalf("got %v", got)
	}
	s.wait(time.Hour)
	s.want()
}

// ASAP-3.1-12: what was rejected is not sent again unchanged.
func TestRejectedRegistration(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA)})
	s.step(Register{Handle: pool, Element: protocol.Element{ID: 0x1234}})
	id := s.home()
	s.drain()
	r := granted()
	r.Rejected, r.Causes = true, []protocol.Cause{{Code: protocol.CauseInconsistentPolicy}}
	s.receive(id, r)
	f := take[RegistrationFailed](s)
	var rejected *RejectedError
	if !errors.As(f.Err, &rejected) || !rejected.Has(protocol.CauseInconsistentPolicy) || f.StillRegistered {
		t.Fatalf("got %v", f)
	}
	s.wait(time.Hour)
	s.want()
	// Once it is fixed it may be tried again.
	s.step(Register{Handle: pool, Element: protocol.Element{ID: 0x1234, Policy: protocol.Policy{Type: protocol.Random}}})
	s.receive(id, granted())
	s.drain()
	if _, _, ok := s.m.element.self(); !ok {
		t.Error("not registered")
	}
}

// ASAP-3.1-12 again: a drawn identifier that is taken can be fixed (cause 0x4).
func TestDrawnIdentifierIsTaken(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA)})
	s.step(Register{Handle: pool})
	id := s.home()
	first := s.drain()[1].(Send).Message.(asap.Registration).Element.ID
	taken := asap.RegistrationResponse{Rejected: true, Handle: pool, ID: first, Causes: []protocol.Cause{{Code: protocol.CauseNonUniquePEID}}}
	s.receive(id, taken)
	second := take[Send](s).Message.(asap.Registration).Element.ID
	if second == first || second == 0 {
		t.Fatalf("tries %v after %v", second, first)
	}
	s.receive(id, taken) // a late duplicate says nothing about the second
	s.want()
	for range 2 {
		taken.ID = second
		s.receive(id, taken)
		got := s.drain()
		if send, is := got[0].(Send); is {
			second = send.Message.(asap.Registration).Element.ID
			continue
		}
		if _, is := got[0].(RegistrationFailed); !is {
			t.Fatalf("got %v", got)
		}
	}
}

// ASAP-2.2.3-01: causes in a granted registration are a warning.
func TestRegisteredWithWarning(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA)})
	s.step(Register{Handle: pool, Element: protocol.Element{ID: 0x1234}})
	id := s.home()
	s.drain()
	r := granted()
	r.Causes = []protocol.Cause{{Code: protocol.CauseUnspecified}}
	s.receive(id, r)
	s.want(Registered{Handle: pool, Element: mine(), Warnings: r.Causes})
}

// ASAP-3.1-13, POL-5.1-05: new policy values are published by re-registration
// with the same identifier.
func TestUpdatePolicyValues(t *testing.T) {
	s, id := registeredScript(t, Config{Registrars: only(regA)})
	p := protocol.Policy{Type: protocol.LeastUsed, Load: 77}
	s.step(Register{Handle: pool, Element: protocol.Element{Policy: p}})
	changed := mine()
	changed.Policy = p
	s.want(Send{id, asap.Registration{Handle: pool, Element: changed}})

	// One more change while that is in flight: one request at a time.
	p.Load = 88
	s.step(Register{Handle: pool, Element: protocol.Element{Policy: p}})
	s.want()
	changed.Policy = p
	s.receive(id, granted())
	s.want(Send{id, asap.Registration{Handle: pool, Element: changed}})
	s.receive(id, granted())
	s.want(Registered{Handle: pool, Element: changed})
}

func TestRefusedUpdateLeavesTheOldValues(t *testing.T) {
	s, id := registeredScript(t, Config{Registrars: only(regA)})
	s.step(Register{Handle: pool, Element: protocol.Element{Policy: protocol.Policy{Type: protocol.Random}}})
	s.drain()
	r := granted()
	r.Rejected, r.Causes = true, []protocol.Cause{{Code: protocol.CauseInconsistentPolicy}}
	s.receive(id, r)
	if f := take[RegistrationFailed](s); !f.StillRegistered {
		t.Errorf("got %v", f)
	}
	s.wait(280 * time.Second)
	s.want(Send{id, registration()})
}

func TestRegisterInAnotherPool(t *testing.T) {
	s, _ := registeredScript(t, Config{Registrars: only(regA)})
	s.step(Register{Handle: "other", Element: protocol.Element{}})
	s.want(RegistrationFailed{"other", ErrRegistered, true})
	s.step(Register{Handle: pool, Element: protocol.Element{ID: 99}})
	s.want(RegistrationFailed{pool, ErrRegistered, true})
}

// ASAP-3.7-01, -02, -03, ASAP-3.6-09: the home crashes and comes back at the
// same address; the PE finds it within moments and registers by itself.
func TestHomeRestarts(t *testing.T) {
	s, id := registeredScript(t, Config{Registrars: only(regA)})
	s.step(AssocLost{id, assoc.ErrAborted})
	got := s.drain()
	if len(got) != 2 || got[0] != (HomeLost{assoc.ErrAborted}) {
		t.Fatalf("got %v", got)
	}
	c := got[1].(Connect) // at once
	for _, pause := range []int{100, 200, 400, 800, 1600, 2000, 2000} {
		s.step(AssocLost{s.connecting(c), assoc.ErrRefused})
		s.wait(time.Duration(pause) * time.Millisecond)
		c = take[Connect](s)
	}
	id = s.connecting(c)
	s.up(id, regA)
	s.want(homeFound(id, regA), Send{id, registration()})
	s.receive(id, granted())
	s.want(Registered{Handle: pool, Element: mine()})
}

// A PE that is in service never gives up, and is told when its life is over.
func TestLongOutage(t *testing.T) {
	s, id := registeredScript(t, Config{Registrars: only(regA)})
	s.step(AssocLost{id, nil})
	lost, tries := 0, 0
	s.run(s.now.Add(time.Hour), func(f Effect) {
		switch f := f.(type) {
		case Connect:
			tries++
			s.step(ConnectFailed{f.Token, assoc.ErrRefused})
		case RegistrationLost:
			lost++
			var none *NoRegistrarError
			if !errors.As(f.Err, &none) || len(none.Tried) != 1 {
				t.Errorf("lost because of %v", f.Err)
			}
			if d := s.now.Sub(s.start); d != 300*time.Second {
				t.Errorf("lost after %v", d)
			}
		case HomeLost:
		default:
			t.Fatalf("got %v", f)
		}
	})
	if lost != 1 || tries < 1700 || tries > 1900 {
		t.Errorf("told %d times, %d tries", lost, tries)
	}
}

// ASAP-3.2-13, ASAP-2.2.4-01: an unsolicited deregistration response says that
// the life expired.
func TestRegistrationExpires(t *testing.T) {
	s, id := registeredScript(t, Config{Registrars: only(regA)})
	s.wait(5 * time.Second)
	s.receive(id+1, asap.DeregistrationResponse{Handle: pool, ID: 0x1234}) // not the home
	s.receive(id, asap.DeregistrationResponse{Handle: pool, ID: 7})
	s.want()
	s.receive(id, asap.DeregistrationResponse{Handle: pool, ID: 0x1234})
	s.want(RegistrationLost{pool, ErrExpired}, Send{id, registration()})
	s.receive(id, granted())
	s.want(Registered{Handle: pool, Element: mine()})
	// At once again: not faster than once a second.
	s.receive(id, asap.DeregistrationResponse{Handle: pool, ID: 0x1234})
	s.want(RegistrationLost{pool, ErrExpired})
	s.wait(time.Second)
	s.want(Send{id, registration()})
}

// ASAP-3.2-13: while a registration is under way it says nothing new.
func TestRegistrationExpiresWhileRenewed(t *testing.T) {
	s, id := registeredScript(t, Config{Registrars: only(regA)})
	s.wait(280 * time.Second)
	s.want(Send{id, registration()})
	s.receive(id, asap.DeregistrationResponse{Handle: pool, ID: 0x1234})
	s.want()
	s.receive(id, granted())
	s.want()
}

// The association survives a restart of the registrar, its memory does not.
func TestHomeRestartsInPlace(t *testing.T) {
	s, id := registeredScript(t, Config{Registrars: only(regA)})
	s.step(AssocRestarted{id})
	s.want(Send{id, registration()})
	s.step(AssocRestarted{id + 1})
	s.want()
}

// The first registration fails when no registrar is there, and names what was
// tried.
func TestRegisterWithoutRegistrar(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA)})
	s.step(Register{Handle: pool, Element: protocol.Element{}})
	c := take[Connect](s)
	s.step(ConnectFailed{c.Token, assoc.ErrRefused})
	f := take[RegistrationFailed](s)
	var none *NoRegistrarError
	if !errors.As(f.Err, &none) || len(none.Tried) != 1 || none.Tried[0].Err != assoc.ErrRefused {
		t.Fatalf("got %v", f.Err)
	}
	s.wait(time.Hour)
	s.want()

	// A registrar that is started then is found.
	s.step(LookedUp{Found: only(regB)}, Register{Handle: pool, Element: protocol.Element{ID: 0x1234}})
	for _, c := range takeAll[Connect](s, 2) {
		if c.Addrs[0] == regB {
			s.up(s.connecting(c), regB)
		}
	}
	got := s.drain()
	if send, is := got[len(got)-1].(Send); !is || send.Assoc != s.next {
		t.Errorf("got %v", got)
	}
}

// HuntRounds < 0: Register waits for a registrar.
func TestRegisterWaitsForRegistrar(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA), HuntRounds: -1})
	s.step(Register{Handle: pool, Element: protocol.Element{ID: 0x1234}})
	c := take[Connect](s)
	for i := range 5 {
		s.step(ConnectFailed{c.Token, assoc.ErrRefused})
		s.wait(100 * time.Millisecond << i)
		c = take[Connect](s)
	}
	id := s.connecting(c)
	s.up(id, regA)
	s.want(homeFound(id, regA), Send{id, registration()})
}

func TestRegisterGivenTransport(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA)})
	want := mine()
	want.User.Use, want.User.Port, want.User.Addrs = protocol.DataAndControl, 9, peN(3).User.Addrs
	want.Life = 60
	s.step(Register{Handle: pool, Element: protocol.Element{ID: 0x1234, Life: 60, User: want.User}})
	id := s.home()
	s.want(homeFound(id, regA), Send{id, asap.Registration{Handle: pool, Element: want}})
}

// A TCP transport has exactly one address (COM-3.5-01).
func TestRegisterTCPTransport(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA)})
	s.step(Register{Handle: pool, Element: protocol.Element{ID: 1, User: protocol.Transport{Protocol: protocol.TCP, Port: 80}}})
	c := take[Connect](s)
	id := s.connecting(c)
	s.step(AssocUp{Assoc: id, Local: append(only(local)[0], regB), Peer: c.Addrs})
	got := s.drain()[1].(Send).Message.(asap.Registration).Element.User
	if len(got.Addrs) != 1 || got.Addrs[0] != local.Addr() || got.Port != 80 {
		t.Errorf("registers %v", got)
	}
}

func TestRegisterWithoutAddress(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA)})
	s.step(Register{Handle: pool, Element: protocol.Element{}})
	c := take[Connect](s)
	s.step(AssocUp{Assoc: s.connecting(c), Peer: c.Addrs})
	if f, is := s.drain()[1].(RegistrationFailed); !is || f.Err != ErrNoAddress {
		t.Errorf("got %v", f)
	}
}

// ASAP-2.2.14-02: an error is the answer to the only outstanding request, and
// is never answered.
func TestErrorRefusesRegistration(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA)})
	s.step(Register{Handle: pool, Element: protocol.Element{ID: 0x1234}})
	id := s.home()
	s.drain()
	s.receive(id, asap.Error{Causes: []protocol.Cause{{Code: protocol.CauseUnrecognizedParameter}}})
	f := take[RegistrationFailed](s)
	var rejected *RejectedError
	if !errors.As(f.Err, &rejected) {
		t.Errorf("got %v", f.Err)
	}
	s.receive(id, asap.Error{Causes: []protocol.Cause{{Code: protocol.CauseUnrecognizedParameter}}})
	s.want()
}
