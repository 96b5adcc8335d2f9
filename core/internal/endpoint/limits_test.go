package endpoint

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// TestDefaults are those of RFC 5352 section 7 and what the configuration says of them; what is set stays.
func TestDefaults(t *testing.T) {
	const s = time.Second
	want := Config{
		MaxAnnounced: 64, HuntRounds: 1, RequestTimeout: 15 * s, RegisterTimeout: 30 * s, DeregTimeout: 30 * s, Reregister: 600 * s,
		HuntTimeout: 10 * s, AnnounceLife: 5 * s, RetransMax: 60 * s, MaxRegAttempt: 2, MaxRetransmit: 2, StaleCache: 30 * s,
		FailoverLimit: 30 * s, MaxWaiting: 65536,
	}
	if diff := cmp.Diff(want, *Config{}.withDefaults()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	chosen := Config{
		MaxAnnounced: 1, HuntRounds: -1, RequestTimeout: 2, RegisterTimeout: 3, DeregTimeout: 4, Reregister: 5, HuntTimeout: 6, AnnounceLife: 7,
		RetransMax: 8, MaxRegAttempt: 9, MaxRetransmit: 10, StaleCache: -1, FailoverLimit: -1, MaxWaiting: 11, Discover: 12, Items: 13,
	}
	if diff := cmp.Diff(chosen, *chosen.withDefaults()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	none := Config{MaxRegAttempt: -1, MaxRetransmit: -1}.withDefaults()
	if none.MaxRegAttempt != 0 || none.MaxRetransmit != 0 {
		t.Errorf("%d attempts, %d retransmissions", none.MaxRegAttempt, none.MaxRetransmit)
	}
}

// TestReregisterAfter: 20 s before the life ends, a third of a short one, and T4 at the latest (ASAP-3.1-05,
// ASAP-3.1-14).
func TestReregisterAfter(t *testing.T) {
	const s = time.Second
	for life, want := range map[protocol.Life]time.Duration{
		1: s / 3, 29: 29 * s / 3, 30: 10 * s, 31: 11 * s, 300: 280 * s, 620: 600 * s, 621: 600 * s, 10000: 600 * s, protocol.LifeInfinite: 600 * s,
	} {
		if got := reregisterAfter(life, 600*s); got != want {
			t.Errorf("a life of %d s: after %v, want %v", life, got, want)
		}
	}
	if got := reregisterAfter(29, 5*s); got != 5*s {
		t.Errorf("T4 of 5 s: after %v", got)
	}
}

// TestPauseAfter: a sixteenth of the time waited, from 50 ms to a second.
func TestPauseAfter(t *testing.T) {
	const ms = time.Millisecond
	for waited, want := range map[time.Duration]time.Duration{
		0: 50 * ms, 800 * ms: 50 * ms, 816 * ms: 51 * ms, 8000 * ms: 500 * ms, 16_000 * ms: time.Second, time.Hour: time.Second,
	} {
		if got := pauseAfter(waited); got != want {
			t.Errorf("after %v it pauses %v, want %v", waited, got, want)
		}
	}
}

// TestBackoff: from 100 ms to two seconds; on this host 200 ms at most, but not for ever.
func TestBackoff(t *testing.T) {
	const ms = time.Millisecond
	away, here := []netip.AddrPort{regA, netip.MustParseAddrPort("127.0.0.1:1")}, []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:1")}
	for _, tc := range []struct {
		at       []netip.AddrPort
		refusals int
		want     time.Duration
	}{
		{away, 0, 100 * ms}, {away, 1, 100 * ms}, {away, 2, 200 * ms}, {away, 5, 1600 * ms}, {away, 6, 2000 * ms}, {away, 1000, 2000 * ms},
		{here, 1, 100 * ms}, {here, 2, 200 * ms}, {here, 3, 200 * ms}, {here, 50, 200 * ms}, {here, 51, 2000 * ms},
	} {
		if got := (&candidate{addrs: tc.at, refusals: tc.refusals}).backoff(); got != tc.want {
			t.Errorf("%v, %d refusals: %v, want %v", tc.at, tc.refusals, got, tc.want)
		}
	}
}

// TestCompleteAnswers: one that lists fewer than were asked for, and than a registrar gives, lists all (E-07).
func TestCompleteAnswers(t *testing.T) {
	for _, tc := range []struct {
		n     int
		asked uint32
		want  bool
	}{{127, 0, true}, {128, 0, false}, {31, 32, true}, {32, 32, false}, {127, 128, true}, {127, 129, true}, {128, 129, false}, {128, asap.AllItems, false}} {
		if got := isComplete(tc.n, tc.asked); got != tc.want {
			t.Errorf("%d of %d: complete %v", tc.n, tc.asked, got)
		}
	}
}

// TestHomeTellsItsIdentifier by a KEEP_ALIVE, which the next registration names (ASAP-3.1-31); another
// registrar's is not taken for it (ASAP-3.4-05).
func TestHomeTellsItsIdentifier(t *testing.T) {
	s, id := registeredScript(t, Config{Registrars: only(regA)})
	s.up(id+100, regB)
	s.receive(id, asap.EndpointKeepAlive{Server: 5, Handle: pool})
	s.receive(id+100, asap.EndpointKeepAlive{Server: 6, Handle: pool})
	s.drain()
	s.wait(280 * time.Second)
	if m := take[Send](s).Message.(asap.Registration); m.Element.Home != 5 {
		t.Errorf("it names %v as its home", m.Element.Home)
	}
	s.step(AssocRestarted{Assoc: id}) // who has forgotten us may be another one
	if got := s.drain(); got[len(got)-1].(Send).Message.(asap.Registration).Element.Home != 0 {
		t.Errorf("got %v", got)
	}
}

// TestFailoverSaysWhy: a failover that ends without a registrar says that there was none, and who was tried.
func TestFailoverSaysWhy(t *testing.T) {
	s, id := inSession(t, Config{FailoverLimit: 5 * time.Second}, pes(1)...)
	refuse := func(f Effect) {
		if c, is := f.(Connect); is {
			s.step(ConnectFailed{c.Token, assoc.ErrRefused})
		}
	}
	s.step(AssocLost{id, assoc.ErrAborted})
	s.run(s.now, refuse)
	s.step(SessionLost{Session: 1, Err: assoc.ErrAborted})
	begun := s.now
	var failed []SessionFailed
	s.run(s.now.Add(time.Minute), func(f Effect) {
		refuse(f)
		if f, is := f.(SessionFailed); is {
			failed = append(failed, f)
			if s.now.Sub(begun) != 5*time.Second {
				t.Errorf("it ends after %v", s.now.Sub(begun))
			}
		}
	})
	var none *NoRegistrarError
	if len(failed) != 1 || !errors.As(failed[0].Err, &none) || len(none.Tried) != 1 || !errors.Is(none.Tried[0].Err, assoc.ErrRefused) {
		t.Errorf("failed with %v", failed)
	}
}

// TestHuntBeginsWithTheWilling: of those that are known the ones that refused of late come last, in a hunt that
// begins anew (ASAP-3.6-17).
func TestHuntBeginsWithTheWilling(t *testing.T) {
	for seed := range uint64(20) {
		s := newScript(t, Config{Registrars: registrars(4), Rand: rand.New(rand.NewPCG(seed, 1))})
		s.step(Resolve{Token: 1, Handle: pool})
		refused := takeAll[Connect](s, 3)[0]
		s.step(ConnectFailed{refused.Token, assoc.ErrRefused})
		s.drain()
		s.step(CancelResolve{1})
		s.wait(time.Second)
		s.drain()
		s.step(Resolve{Token: 2, Handle: pool})
		for _, c := range takeAll[Connect](s, 3) {
			if c.Addrs[0] == refused.Addrs[0] {
				t.Errorf("seed %d: begins with one that refused", seed)
			}
		}
	}
}

// TestAnnouncedAddresses: so many of one registrar, and so many registrars of one host, are taken down
// (SEC-2.12-02).
func TestAnnouncedAddresses(t *testing.T) {
	many := protocol.Transport{Protocol: protocol.SCTP, Port: 3863}
	for i := range maxAddrs + 5 {
		many.Addrs = append(many.Addrs, netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)}))
	}
	s := newScript(t, Config{})
	s.step(Announced{asap.ServerAnnounce{Transports: []protocol.Transport{many}}, regA})
	if k := s.m.hunt.known; len(k) != 1 || len(k[0].addrs) != maxAddrs || maxAddrs != 16 || maxPerSource != 8 {
		t.Errorf("%d registrars", len(k))
	}
	var several []protocol.Transport
	for i := range maxPerSource + 5 {
		several = append(several, at(netip.AddrPortFrom(regB.Addr(), uint16(1000+i))))
	}
	s = newScript(t, Config{})
	s.step(Announced{asap.ServerAnnounce{Transports: several}, regB})
	if n := len(s.m.hunt.known); n != maxPerSource {
		t.Errorf("%d registrars of one host", n)
	}
	s.step(Announced{asap.ServerAnnounce{Transports: []protocol.Transport{at(regA)}}, regA})
	if n := len(s.m.hunt.known); n != maxPerSource+1 {
		t.Errorf("%d registrars", n)
	}
}

// TestUserTransport: what the program leaves out is that of the association with the home (ASAP-6.1-01).
func TestUserTransport(t *testing.T) {
	v4, v6, lo := netip.MustParseAddr("198.51.100.7"), netip.MustParseAddr("2001:db8::7"), netip.MustParseAddr("127.0.0.1")
	local := []netip.AddrPort{netip.AddrPortFrom(lo, 7777), netip.MustParseAddrPort("[::ffff:198.51.100.7]:7777"), netip.MustParseAddrPort("[2001:db8::7%eth0]:7777"), netip.MustParseAddrPort("0.0.0.0:7777")}
	known := protocol.Transport{Protocol: protocol.SCTP, Port: 5, Addrs: []netip.Addr{v6}}
	tr := func(p protocol.TransportProtocol, port uint16, addrs ...netip.Addr) protocol.Transport {
		return protocol.Transport{Protocol: p, Port: port, Addrs: addrs}
	}
	for name, tc := range map[string]struct {
		want  protocol.Transport
		local []netip.AddrPort
		got   protocol.Transport
	}{
		"nothing given":        {protocol.Transport{}, local, tr(protocol.SCTP, 7777, lo, v4, v6)},
		"a port":               {tr(protocol.SCTP, 9), local, tr(protocol.SCTP, 9, lo, v4, v6)},
		"addresses":            {tr(protocol.SCTP, 0, v6), local, tr(protocol.SCTP, 7777, v6)},
		"TCP has one address":  {tr(protocol.TCP, 80), local, tr(protocol.TCP, 80, v4)},
		"TCP, loopback alone":  {tr(protocol.TCP, 80), local[:1], tr(protocol.TCP, 80, lo)},
		"TCP has its own port": {tr(protocol.TCP, 0), local[1:2], tr(protocol.TCP, 0, v4)},
		"nothing known":        {protocol.Transport{}, nil, tr(protocol.SCTP, 5, v6)},
		"nothing usable":       {tr(protocol.SCTP, 9), local[3:], tr(protocol.SCTP, 9, v6)},
		"opaque":               {protocol.Transport{Protocol: protocol.Opaque, Opaque: "x"}, local, protocol.Transport{Protocol: protocol.Opaque, Opaque: "x"}},
	} {
		if diff := cmp.Diff(tc.got, userTransport(tc.want, known, tc.local), compare); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// COM-3.3-02: a PE that serves over another transport sends no ASAP to its pool users, and takes none of
// them, whatever stands in the reserved field.
func TestNoControlChannelOfOtherTransports(t *testing.T) {
	for _, p := range []protocol.TransportProtocol{protocol.DCCP, protocol.TCP, protocol.UDP, protocol.UDPLite} {
		s := newScript(t, Config{Registrars: only(regA)})
		s.step(Register{Handle: pool, Element: protocol.Element{ID: 0x1234, User: protocol.Transport{Protocol: p, Port: 80, Use: protocol.DataAndControl}}})
		id := s.home()
		s.drain()
		s.receive(id, granted())
		take[Registered](s)
		s.step(SendCookie{70, []byte("x")}, SendBusinessCard{Assoc: 70})
		s.receive(70, asap.CookieEcho{Data: []byte("x")})
		s.want()
	}
}

// TestFailedPEsOfManyPools: a PE is passed over in its pool alone, and for so long exactly.
func TestFailedPEsOfManyPools(t *testing.T) {
	s, _ := resolving(t, Config{Registrars: only(regA)})
	u := s.m.user
	s.step(PEFailed{pool, 1}, PEFailed{"other", 2})
	for _, tc := range []struct {
		h      protocol.PoolHandle
		id     protocol.PEID
		failed bool
	}{{pool, 1, true}, {"other", 2, true}, {pool, 2, false}, {"other", 1, false}} {
		if u.failedLately(s.now, tc.h, tc.id) != tc.failed || u.failedLately(s.now.Add(passOverFor-1), tc.h, tc.id) != tc.failed || u.failedLately(s.now.Add(passOverFor), tc.h, tc.id) {
			t.Errorf("%v of %q", tc.id, tc.h)
		}
	}
	u.forgetFailure("other", 2)
	u.forgetFailure("other", 9)
	if u.failedLately(s.now, "other", 2) || !u.failedLately(s.now, pool, 1) {
		t.Error("the wrong one is forgotten")
	}
	for id := range protocol.PEID(maxFailedPEs) {
		u.noteFailed(s.now, "third", id)
	}
	if len(u.failedPEs) != maxFailedPEs || u.failedLately(s.now, pool, 1) || !u.failedLately(s.now, "third", 0) || maxFailedPEs != 256 {
		t.Errorf("%d are remembered", len(u.failedPEs))
	}
}
