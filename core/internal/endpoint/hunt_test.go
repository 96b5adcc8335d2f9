package endpoint

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

func registrars(n int) [][]netip.AddrPort {
	var out [][]netip.AddrPort
	for i := range n {
		out = append(out, []netip.AddrPort{netip.MustParseAddrPort(fmt.Sprintf("192.0.2.%d:3863", i+1))})
	}
	return out
}

// SH1 to SH6: three at a time and no more (ASAP-3.6-10), a refusal is followed
// by another address (ASAP-3.6-13), one is chosen and the others are given up
// (ASAP-3.6-16).
// OVR-3.2-01, OWN-02: the first that answers is the home, of those that are known (ASAP-3.6-01).
func TestHuntTriesThree(t *testing.T) {
	s := newScript(t, Config{Registrars: registrars(10), HuntRounds: -1})
	s.step(Resolve{Token: 1, Handle: pool})
	cs := takeAll[Connect](s, 3)
	tried := map[netip.AddrPort]bool{}
	for _, c := range cs {
		tried[c.Addrs[0]] = true
	}
	s.step(ConnectFailed{cs[0].Token, assoc.ErrRefused})
	fourth := take[Connect](s)
	if tried[fourth.Addrs[0]] {
		t.Errorf("tries %v again", fourth.Addrs)
	}
	a, b, c := s.connecting(cs[1]), s.connecting(cs[2]), s.connecting(fourth)
	s.want()
	s.up(b, cs[2].Addrs[0])
	s.want(Abort{a, "another registrar was chosen"}, Abort{c, "another registrar was chosen"},
		homeFound(b, cs[2].Addrs[0]), Send{b, asap.HandleResolution{Handle: pool}})
}

// ASAP-3.6-11, -14, -15: T5 is 10 s, doubles up to 60 s, and then others are
// tried. ASAP-3.6-12: a success resets it.
func TestT5(t *testing.T) {
	s := newScript(t, Config{Registrars: registrars(9), HuntRounds: -1})
	s.step(Resolve{Token: 1, Handle: pool})
	before := map[netip.AddrPort]bool{}
	var ids []assoc.ID
	cs := takeAll[Connect](s, 3)
	for _, d := range []int{10, 20, 40, 60, 60} {
		ids = nil
		now := map[netip.AddrPort]bool{}
		for _, c := range cs {
			ids = append(ids, s.connecting(c))
			now[c.Addrs[0]] = true
			if before[c.Addrs[0]] {
				t.Errorf("%v in two rounds in a row", c.Addrs)
			}
		}
		before = now
		s.wait(time.Duration(d) * time.Second)
		cs = nil
		for i, f := range s.drain() {
			if i < 3 {
				if f != (Effect)(Abort{ids[i], "no answer within T5"}) {
					t.Fatalf("got %v", f)
				}
				continue
			}
			cs = append(cs, f.(Connect))
		}
		if len(cs) != 3 {
			t.Fatalf("tries %v", cs)
		}
	}
	id := s.connecting(cs[0])
	s.up(id, cs[0].Addrs[0])
	s.drain()
	s.step(AssocLost{id, nil})
	if n := len(s.drain()); n != 4 { // HomeLost and three attempts
		t.Fatalf("%d effects", n)
	}
	at, _ := s.m.Next()
	if d := at.Sub(s.now); d != 10*time.Second {
		t.Errorf("T5 is %v", d)
	}
}

// A registrar that does not answer waits for T5, one that refuses does not
// (ASAP-3.6-13): one that restarts is found at once although another is dead.
func TestRefusalDoesNotWaitForSilence(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA, regB), HuntRounds: -1})
	s.step(Resolve{Token: 1, Handle: pool})
	cs := takeAll[Connect](s, 2)
	if cs[0].Addrs[0] != regA {
		cs[0], cs[1] = cs[1], cs[0]
	}
	s.step(AssocLost{s.connecting(cs[0]), assoc.ErrTimeout})
	refused := cs[1]
	for _, pause := range []int{100, 200, 400, 800, 1600, 2000, 2000} {
		s.step(AssocLost{s.connecting(refused), assoc.ErrRefused})
		s.wait(time.Duration(pause) * time.Millisecond)
		refused = take[Connect](s)
		if refused.Addrs[0] != regB {
			t.Fatalf("tries %v", refused.Addrs)
		}
	}
	// A is tried again when T5 is over, 10 s after the start.
	s.step(AssocLost{s.connecting(refused), assoc.ErrRefused})
	s.wait(2 * time.Second)
	s.step(AssocLost{s.connecting(take[Connect](s)), assoc.ErrRefused})
	s.wait(10*time.Second - s.now.Sub(s.start))
	if c := take[Connect](s); c.Addrs[0] != regA {
		t.Errorf("tries %v", c.Addrs)
	}
}

// The error of the first round names everybody and everything (design: a clear
// error that names what was tried).
func TestNoRegistrarError(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA, regB)})
	s.step(Resolve{Token: 7, Handle: pool})
	cs := takeAll[Connect](s, 2)
	s.step(AssocLost{s.connecting(cs[0]), assoc.ErrTimeout}, ConnectFailed{cs[1].Token, assoc.ErrRefused})
	f := take[ResolveFailed](s)
	var none *NoRegistrarError
	if f.Token != 7 || !errors.As(f.Err, &none) || len(none.Tried) != 2 {
		t.Fatalf("got %v", f)
	}
	for _, tried := range none.Tried {
		want := assoc.ErrRefused
		if tried.Addrs[0] == cs[0].Addrs[0] {
			want = assoc.ErrTimeout
		}
		if !errors.Is(tried.Err, want) {
			t.Errorf("%v: %v", tried.Addrs, tried.Err)
		}
	}
	s.wait(time.Hour)
	s.want() // nobody wants a home: no hunt
}

// ASAP-3.6-08: without announcements there is no registrar but those configured.
func TestNoRegistrarKnown(t *testing.T) {
	s := newScript(t, Config{})
	s.step(OpenSession{Session: 1, Handle: pool})
	var none *NoRegistrarError
	if f := take[SessionFailed](s); !errors.As(f.Err, &none) || len(none.Tried) != 0 {
		t.Errorf("got %v", f)
	}
}

// ASAP-3.6-04, -05, -06: announcements make registrars known; without
// transport it is the source address with port 3863, and the source port for
// RSPLIB's sake; T7 deletes what is not announced any more.
func TestAnnouncements(t *testing.T) {
	s := newScript(t, Config{Discover: 3 * time.Second})
	s.step(Resolve{Token: 1, Handle: pool})
	s.wait(time.Second)
	s.want()
	s.step(Announced{asap.ServerAnnounce{Server: 1}, netip.MustParseAddrPort("[::ffff:192.0.2.9]:50000")})
	cs := takeAll[Connect](s, 2)
	if a, b := cs[0].Addrs[0].String(), cs[1].Addrs[0].String(); a != "192.0.2.9:3863" || b != "192.0.2.9:50000" {
		t.Fatalf("tries %v, %v", a, b)
	}
	s.step(ConnectFailed{cs[0].Token, assoc.ErrRefused})
	s.want()
	s.step(ConnectFailed{cs[1].Token, assoc.ErrRefused})
	take[ResolveFailed](s)

	s.wait(4 * time.Second)
	s.step(Announced{asap.ServerAnnounce{Server: 1, Transports: []protocol.Transport{at(regB), {Protocol: protocol.TCP, Port: 3863, Addrs: []netip.Addr{regA.Addr()}}}}, regA})
	s.want()
	s.wait(5 * time.Second) // the first two are forgotten, the third is not
	s.step(Resolve{Token: 2, Handle: pool})
	if c := take[Connect](s); c.Addrs[0] != regB { // and not regA's TCP (ASAP-2.2.10-01)
		t.Errorf("tries %v", c.Addrs)
	}
}

// ASAP-3.6-06, ASAP-3.6-07: T7 deletes announced registrars, never configured
// ones.
func TestT7(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA)})
	s.step(Announced{asap.ServerAnnounce{Transports: []protocol.Transport{at(regB)}}, regB},
		Announced{asap.ServerAnnounce{Transports: []protocol.Transport{at(regA)}}, regA})
	s.wait(5 * time.Second)
	s.step(Resolve{Token: 1, Handle: pool})
	if c := take[Connect](s); c.Addrs[0] != regA {
		t.Errorf("tries %v", c.Addrs)
	}
}

// E-11: with eight registrars each announces itself every 8 s; T7 = 5 s must
// not make them flap.
func TestT7FollowsTheNumberOfRegistrars(t *testing.T) {
	s := newScript(t, Config{})
	for range 3 {
		for i := range 8 {
			r := registrars(8)[i][0]
			s.step(Announced{asap.ServerAnnounce{Transports: []protocol.Transport{at(r)}}, r})
			s.wait(time.Second)
		}
	}
	s.step(Resolve{Token: 1, Handle: pool})
	n := 0
	s.run(s.now, func(f Effect) {
		if c, is := f.(Connect); is {
			n++
			s.step(ConnectFailed{c.Token, assoc.ErrRefused})
		}
	})
	if n != 8 {
		t.Errorf("%d registrars known", n)
	}
}

// SEC-2.12-02: a flood of forged announcements costs bounded memory, and a real
// registrar is still found.
func TestForgedAnnouncements(t *testing.T) {
	s := newScript(t, Config{Rand: rand.New(rand.NewPCG(5, 6)), HuntRounds: -1})
	forge := func(i int) {
		a := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 3863)
		s.step(Announced{asap.ServerAnnounce{Transports: []protocol.Transport{at(a)}}, a})
	}
	real := Announced{asap.ServerAnnounce{Transports: []protocol.Transport{at(regB)}}, regB}
	s.step(real, real)
	for i := range 100_000 {
		forge(i)
	}
	for i := range 1000 { // all from one host: not more than a few
		a := netip.AddrPortFrom(regA.Addr(), uint16(1000+i))
		s.step(Announced{asap.ServerAnnounce{Transports: []protocol.Transport{at(a)}}, regA})
	}
	s.step(Resolve{Token: 1, Handle: pool})
	tried := map[netip.AddrPort]int{}
	s.run(s.now, func(f Effect) {
		if c, is := f.(Connect); is {
			tried[c.Addrs[0]]++
			s.step(ConnectFailed{c.Token, assoc.ErrRefused})
		}
	})
	if len(tried) > 64 || tried[regB] != 1 {
		t.Errorf("%d registrars known, the real one tried %d times", len(tried), tried[regB])
	}
}

func TestUnusableAddressesAreIgnored(t *testing.T) {
	s := newScript(t, Config{Registrars: only(netip.MustParseAddrPort("0.0.0.0:3863"), netip.MustParseAddrPort("224.0.1.185:3863"), netip.MustParseAddrPort("192.0.2.1:0"))})
	s.step(Announced{asap.ServerAnnounce{Transports: []protocol.Transport{{Protocol: protocol.SCTP, Port: 1}}}, regA})
	s.step(Resolve{Token: 1, Handle: pool})
	take[ResolveFailed](s)
}

// ASAP-3.6-17: where the hunt begins is random.
func TestHuntStartsAnywhere(t *testing.T) {
	first := map[netip.AddrPort]int{}
	for seed := range uint64(300) {
		s := newScript(t, Config{Registrars: registrars(3), Rand: rand.New(rand.NewPCG(seed, 3))})
		s.step(Resolve{Token: 1, Handle: pool})
		first[takeAll[Connect](s, 3)[0].Addrs[0]]++
	}
	for a, n := range first {
		if n < 60 || n > 140 {
			t.Errorf("%v is first in %d of 300", a, n)
		}
	}
}

// A registrar that accepts associations only to end them does not make the
// hunt spin.
func TestFlappingRegistrar(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA), HuntRounds: -1})
	s.step(Register{Handle: pool, Element: protocol.Element{ID: 0x1234}})
	connects := 0
	s.run(s.now.Add(10*time.Second), func(f Effect) {
		switch f := f.(type) {
		case Connect:
			connects++
			s.up(s.connecting(f), regA)
		case Send:
			s.step(AssocLost{f.Assoc, assoc.ErrAborted})
		}
	})
	if connects != 3 { // MAX-REG-ATTEMPT
		t.Errorf("%d associations", connects)
	}
}

// The transport says that the association exists already: a registrar had
// opened it.
func TestConnectToKnownAssociation(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA)})
	s.up(5, regA)
	s.step(Resolve{Token: 1, Handle: pool})
	c := take[Connect](s)
	s.step(Connecting{c.Token, 5})
	s.want(homeFound(5, regA), Send{5, asap.HandleResolution{Handle: pool}})
	s.up(5, regA) // told again
	s.want()
}

// An attempt that is not needed any more before its association is known.
func TestLateConnecting(t *testing.T) {
	s := newScript(t, Config{Registrars: only(regA)})
	s.step(Resolve{Token: 1, Handle: pool})
	c := take[Connect](s)
	s.step(CancelResolve{1})
	s.want()
	s.step(Connecting{c.Token, 9})
	s.want(Abort{9, "no longer needed"})
	s.step(AssocLost{9, nil})
	s.want()
}

// At the wrong port, where nobody is a registrar, the round is over as soon as that
// is said, and with it the wait for a registrar that is not there yet: none will be.
// Another one that is known is waited for.
func TestSentAway(t *testing.T) {
	away := assoc.Explained(assoc.ErrAborted, assoc.WrongPort("this is the ENRP port"))
	s := newScript(t, Config{Registrars: only(regA)})
	s.step(Resolve{Token: 1, Handle: pool, Wait: -1})
	id := s.home()
	s.want(homeFound(id, regA), Send{id, asap.HandleResolution{Handle: pool}})
	s.step(AssocLost{id, away})
	got := s.drain()
	if len(got) != 2 || got[0] != (Effect)(HomeLost{away}) {
		t.Fatalf("got %v", got)
	}
	var none *NoRegistrarError
	if f, is := got[1].(ResolveFailed); !is || !errors.As(f.Err, &none) || len(none.Tried) != 1 || none.Tried[0].Err != away {
		t.Errorf("got %v", got[1])
	}

	s = newScript(t, Config{Registrars: only(regA, regB)})
	s.step(Resolve{Token: 1, Handle: pool})
	cs := takeAll[Connect](s, 2)
	id = s.connecting(cs[0])
	s.connecting(cs[1])
	s.up(id, cs[0].Addrs[0])
	s.drain()
	s.step(AssocLost{id, away})
	s.want(HomeLost{away}, Connect{3, cs[1].Addrs})
}

// The same for a registration.
func TestRegistrationSentAway(t *testing.T) {
	away := assoc.Explained(assoc.ErrAborted, assoc.WrongPort("this is the ENRP port"))
	s := newScript(t, Config{Registrars: only(regA)})
	s.step(Register{Handle: pool, Element: protocol.Element{ID: 0x1234}, Wait: -1})
	id := s.home()
	s.drain()
	s.step(AssocLost{id, away})
	got := s.drain()
	if f, is := got[len(got)-1].(RegistrationFailed); !is || !errors.As(f.Err, new(*NoRegistrarError)) {
		t.Errorf("got %v", got)
	}
}
