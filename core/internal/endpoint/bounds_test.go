package endpoint

import (
	"fmt"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// A cache of any number of pools costs bounded memory: the oldest goes.
func TestCacheIsBounded(t *testing.T) {
	s, id := resolving(t, Config{Registrars: only(regA)})
	s.receive(id, answer(pes(1)...))
	for i := range 1024 {
		h := protocol.PoolHandle(fmt.Sprint(i))
		s.step(Resolve{Token: 2, Handle: h})
		a := answer(pes(1)...)
		a.Handle = h
		s.receive(id, a)
	}
	s.drain()
	s.step(Resolve{Token: 3, Handle: "0"})
	take[Resolved](s)
	s.step(Resolve{Token: 3, Handle: pool})
	s.want(Send{id, question})
}

// Reports that wait for a home, and the memory of failures, are bounded too.
func TestFailuresAreBounded(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA), FailoverLimit: -1})
	s.step(OpenSession{Session: 1, Handle: pool})
	id := s.home()
	s.drain()
	s.receive(id, answer(pes(250)...))
	s.step(OpenSession{Session: 2, Handle: "other"})
	s.drain()
	other := answer(pes(250)...)
	other.Handle = "other"
	s.receive(id, other)
	s.step(AssocLost{id, assoc.ErrAborted})
	c := s.drain()
	for i := range 500 {
		s.step(SessionLost{Session: SessionID(i%2 + 1), Err: assoc.ErrRefused})
	}
	s.drain()
	id = s.connecting(c[len(c)-1].(Connect))
	s.up(id, regA)
	reports := 0
	for _, f := range s.drain() {
		if send, is := f.(Send); is {
			if _, is := send.Message.(asap.EndpointUnreachable); is {
				reports++
			}
		}
	}
	if reports != 64 {
		t.Errorf("%d reports", reports)
	}
}

func TestSessionsAreBounded(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA), MaxWaiting: 2})
	s.step(OpenSession{Session: 1, Handle: pool}, OpenSession{Session: 1, Handle: pool}, OpenSession{Session: 2, Handle: pool})
	take[Connect](s)
	s.step(OpenSession{Session: 3, Handle: pool})
	s.want(SessionFailed{3, pool, ErrTooMany})
}

// A registrar that said A although nobody asked for updates sends none
// (ASAP-2.2.6-01): the cache grows stale as usual.
func TestUpdatesNobodyAskedFor(t *testing.T) {
	s, id := resolving(t, Config{Registrars: only(regA)})
	a := answer(pes(1)...)
	a.UpdatesAccepted = true
	s.receive(id, a)
	s.drain()
	s.wait(30 * time.Second)
	s.step(Resolve{Token: 2, Handle: pool})
	s.want(Send{id, question})
}

// A home that was found by its announcements is looked for when it is lost,
// although its T7 has expired long ago; in the end it is forgotten.
func TestAnnouncedHomeOutlivesT7(t *testing.T) {
	s := newScript(t, Config{})
	s.step(Announced{asap.ServerAnnounce{Transports: []protocol.Transport{at(regB)}}, regB})
	s.step(Register{Handle: pool, Element: protocol.Element{ID: 0x1234, Life: protocol.LifeInfinite}})
	id := s.home()
	s.drain()
	s.receive(id, granted())
	s.drain()
	s.wait(5 * time.Minute)
	s.want()
	s.step(AssocLost{id, assoc.ErrAborted})
	last := s.now
	s.run(s.now.Add(5*time.Minute), func(f Effect) {
		if c, is := f.(Connect); is {
			last = s.now
			s.step(ConnectFailed{c.Token, assoc.ErrRefused})
		}
	})
	if d := last.Sub(s.start.Add(5 * time.Minute)); d < 50*time.Second || d > 60*time.Second {
		t.Errorf("looked for during %v", d)
	}
}

// A registrar whose association is just being shut down is no home.
func TestFormerHomeIsNotHome(t *testing.T) {
	s, id := registeredScript(t, Config{Registrars: only(regA)})
	b := id + 100
	s.up(b, regB)
	s.receive(b, asap.EndpointKeepAlive{NewHome: true, Server: 0xb, Handle: pool})
	s.drain()
	at, _ := s.m.Next()
	s.wait(at.Sub(s.now))
	s.drain()
	s.receive(b, granted())
	if got := s.drain(); got[1] != (Effect)(Shutdown{id}) {
		t.Fatalf("got %v", got)
	}
	s.step(AssocLost{b, assoc.ErrAborted})
	for _, f := range s.drain() {
		if c, is := f.(Connect); is && c.Addrs[0] == regA {
			s.step(Connecting{c.Token, id}) // the transport: exists already
		}
	}
	s.want()
	if s.m.hunt.homeAssoc() != 0 {
		t.Error("the old association is home again")
	}
	s.step(AssocLost{id, nil})
	s.wait(100 * time.Millisecond)
	if c := take[Connect](s); c.Addrs[0] != regA {
		t.Errorf("tries %v", c.Addrs)
	}
}

// A change that another registrar refuses leaves nothing in force: what stood
// there was never granted by it.
func TestChangeRefusedByNewHome(t *testing.T) {
	s, id := registeredScript(t, Config{Registrars: only(regA)})
	s.step(AssocLost{id, assoc.ErrAborted})
	c := s.drain()[1].(Connect)
	s.step(Register{Handle: pool, Element: protocol.Element{Policy: protocol.Policy{Type: protocol.Random}}})
	id = s.connecting(c)
	s.up(id, regA)
	s.drain()
	r := granted()
	r.Rejected, r.Causes = true, []protocol.Cause{{Code: protocol.CauseInconsistentPolicy}}
	s.receive(id, r)
	if f := take[RegistrationFailed](s); f.StillRegistered {
		t.Errorf("got %v", f)
	}
	s.wait(time.Hour)
	s.want()
}

func TestErrorRefusesDeregistration(t *testing.T) {
	s, id := registeredScript(t, Config{Registrars: only(regA)})
	s.step(Deregister{})
	s.drain()
	s.receive(id, asap.Error{Causes: []protocol.Cause{{Code: protocol.CauseUnspecified}}})
	if d := take[Deregistered](s); d.Err == nil {
		t.Error("deregistered without an error")
	}
}

// An opaque transport needs no address; changing it for one that needs one,
// without any being known, is refused and the old one stays.
func TestRegisterOpaqueTransport(t *testing.T) {
	opaque := protocol.Transport{Protocol: protocol.Opaque, Opaque: "x"}
	s := newScript(t, Config{Registrars: only(regA)})
	s.step(Register{Handle: pool, Element: protocol.Element{ID: 0x1234, User: opaque}})
	c := take[Connect](s)
	id := s.connecting(c)
	s.step(AssocUp{Assoc: id, Peer: c.Addrs})
	want := mine()
	want.User = opaque
	s.want(homeFound(id, regA), Send{id, asap.Registration{Handle: pool, Element: want}})
	s.receive(id, granted())
	s.drain()
	s.step(Register{Handle: pool, Element: protocol.Element{}})
	s.want(RegistrationFailed{pool, ErrNoAddress, true}, Send{id, asap.Registration{Handle: pool, Element: want}})
}

// A registrar that is configured and announced is one registrar.
func TestConfiguredAndAnnounced(t *testing.T) {
	s := newScript(t, Config{})
	s.step(Announced{asap.ServerAnnounce{Transports: []protocol.Transport{at(regB)}}, regB}, LookedUp{Found: only(regB)})
	s.wait(time.Minute)
	s.step(Resolve{Token: 1, Handle: pool})
	if c := take[Connect](s); c.Addrs[0] != regB {
		t.Errorf("tries %v", c.Addrs)
	}
}

// An attempt at another address of the home itself is no other registrar.
func TestSuspectedHomeByAnotherAddress(t *testing.T) {
	s, id := resolving(t, Config{Registrars: only(regA)})
	s.step(LookedUp{Found: only(regB)})
	s.wait(15 * time.Second)
	got := s.drain()
	s.step(Connecting{got[0].(Connect).Token, id})
	s.want()
	if s.m.hunt.homeAssoc() != id {
		t.Error("the home was given up")
	}
}
