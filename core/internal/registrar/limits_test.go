package registrar

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// TestBucket: a burst at once, and the rate in the long run.
func TestBucket(t *testing.T) {
	var b bucket
	allowed := func(n int) (yes int) {
		for range n {
			if b.allow(epoch, 10, 3) {
				yes++
			}
		}
		return yes
	}
	if n := allowed(10); n != 3 {
		t.Errorf("a burst of %d", n)
	}
	b = bucket{}
	yes := 0
	for ms := range 10_000 {
		if b.allow(epoch.Add(time.Duration(ms)*time.Millisecond), 10, 3) {
			yes++
		}
	}
	if yes != 102 && yes != 103 {
		t.Errorf("%d in ten seconds", yes)
	}
	if !b.allow(epoch.Add(time.Hour), 10, 3) || b.level != 1 {
		t.Errorf("after a long time %v is used up", b.level)
	}
}

// TestLimitsAreExact: the last that is allowed is taken and the next one is not, of pools, PEs, peers and
// what waits for an association.
func TestLimitsAreExact(t *testing.T) {
	t.Run("learned", func(t *testing.T) {
		s := startedWith(t, func(c *Config) { quiet(c); c.Limits.Pools, c.Limits.Elements = 2, 3 })
		v := s.meets(1, 20, "192.0.2.20:9901")
		for i, h := range []protocol.PoolHandle{"a", "b", "c", "a", "b", "a"} {
			v.updates(enrp.AddPE, h, owned(protocol.PEID(i+1), 20))
		}
		s.wantHomes("a", homes{1: 20, 4: 20})
		s.wantHomes("b", homes{2: 20})
		s.wantHomes("c", homes{})
		if n := warnings(s, "cannot be kept"); n != 3 {
			t.Errorf("%d warnings", n)
		}
		v.updates(enrp.AddPE, "a", owned(4, 30)) // known: no room is needed
		s.wantHomes("a", homes{1: 20, 4: 30})
	})
	t.Run("peers", func(t *testing.T) {
		s := startedWith(t, func(c *Config) { quiet(c); c.Limits.Peers = 2 })
		v := s.meets(1, 20, "192.0.2.20:9901")
		s.meets(2, 30, "192.0.2.30:9901")
		w := &rival{&remote{s, Link{ENRPOverSCTP, 3}, netip.MustParseAddrPort("192.0.2.40:9901")}, 40}
		s.step(AssocUp{Link: w.link, Peer: w.addrPorts()})
		w.says(w.presence(0xffff))
		w.updates(enrp.AddPE, "p", owned(1, 40))
		v.says(enrp.ListResponse{Route: v.route(), Servers: []protocol.Server{{ID: 50, Transport: serverAt("192.0.2.50:9901")}}})
		s.want()
		if len(s.r.peers.list) != 2 {
			t.Errorf("%d peers", len(s.r.peers.list))
		}
	})
	t.Run("requests before it serves", func(t *testing.T) {
		s := joining(t, "192.0.2.20:9901")
		pu := s.connect(1, "192.0.2.9:1")
		for range maxWaiting + 5 {
			pu.sends(asap.HandleResolution{Handle: "none"})
		}
		if n := s.r.Snapshot(s.now).Waiting; n != maxWaiting || maxWaiting != 1024 {
			t.Errorf("%d wait", n)
		}
	})
	for name, is := range map[string]bool{
		"messages that wait": maxAttemptWaiting == 256, "PEs that went": maxGone == 10_000, "subscriptions": maxLinkSubs == 256,
		"departed": maxDeparted == 1024, "lost": maxLost == 64, "announced": maxAnnounced == 256, "knocks": maxKnocks == 64,
		"complaints": maxComplaints == 1000, "steps": rebalanceStep == 100, "claims": claimRate == 5000, "rounds": maxJoinRounds == 5,
		"hour": lostFor == time.Hour, "offers": offerTime == 15*time.Second, "refusal": refusedFor == 10*time.Minute, "leave": leaveTime == 3*time.Second,
		"resynchronization": maxResyncDelay == 5*time.Minute, "dispute": disputeSpread == time.Second,
		"names": lookUpPause == 2*time.Second, "missing": missPatience == 5*time.Second,
	} {
		if !is {
			t.Errorf("%s: the documented limit is another one", name)
		}
	}
}

// TestRefusals: what cannot be processed is refused by its own answer if there is one, otherwise by an
// error, and an answer is never answered (ASAP-2.2.14-01, ASAP-2.2.14-02).
func TestRefusals(t *testing.T) {
	for _, tc := range []struct {
		e    wire.Error
		want func(causes []protocol.Cause) asap.Message
	}{
		{wire.Error{Type: uint8(asap.TypeRegistration), Handle: "p", ID: 7, HasID: true}, func(c []protocol.Cause) asap.Message {
			return asap.RegistrationResponse{Rejected: true, Handle: "p", ID: 7, Causes: c}
		}},
		{wire.Error{Type: uint8(asap.TypeDeregistration), Handle: "p", ID: 7, HasID: true}, func(c []protocol.Cause) asap.Message {
			return asap.DeregistrationResponse{Handle: "p", ID: 7, Causes: c}
		}},
		{wire.Error{Type: uint8(asap.TypeHandleResolution), Handle: "p"}, func(c []protocol.Cause) asap.Message {
			return asap.HandleResolutionResponse{Handle: "p", Causes: c}
		}},
		{wire.Error{Type: uint8(asap.TypeRegistration), Handle: "p"}, wantError},
		{wire.Error{Type: uint8(asap.TypeRegistration), ID: 7, HasID: true}, wantError},
		{wire.Error{Type: uint8(asap.TypeDeregistration), Handle: "p"}, wantError},
		{wire.Error{Type: uint8(asap.TypeHandleResolution)}, wantError},
		{wire.Error{Type: uint8(asap.TypeEndpointUnreachable)}, wantError},
		{wire.Error{Type: uint8(asap.TypeEndpointKeepAliveAck), Handle: "p", ID: 7, HasID: true}, nil},
		{wire.Error{Type: uint8(asap.TypeError)}, nil},
	} {
		tc.e.Reason = wire.Invalid
		s := started(t)
		p := s.connect(1, "192.0.2.1:5000")
		s.step(ASAPReceived{Link: p.link, Err: &tc.e})
		if tc.want == nil {
			s.want()
		} else {
			s.want(p.gets(tc.want([]protocol.Cause{tc.e.Cause()})))
		}
		tc.e.Reason = wire.Framing
		s.step(ASAPReceived{Link: p.link, Err: &tc.e}) // over SCTP the next message has its beginning
		s.step(ASAPReceived{Link: p.link, Err: errors.New("something else")})
		s.want()
		if n := s.r.counts.Malformed; n != 3 {
			t.Errorf("%d messages were malformed", n)
		}
	}
}

func wantError(causes []protocol.Cause) asap.Message { return asap.Error{Causes: causes} }

// TestErrorsAreNoted, with who reports them and what, and not answered.
func TestErrorsAreNoted(t *testing.T) {
	s := enrpScript(t)
	p, v := s.connect(1, "192.0.2.1:5000"), s.meets(1, 20, "192.0.2.20:9901")
	for _, tc := range []struct {
		say   func()
		level Level
		want  string
	}{
		{func() { p.sends(asap.Error{Causes: cause(protocol.CauseInvalidValues)}) }, Debug, "peer reports an error: " + protocol.CauseInvalidValues.String()},
		{func() { p.sends(asap.Error{}) }, Debug, "peer reports an error"},
		{func() { v.says(enrp.Error{Route: v.route(), Causes: cause(protocol.CauseInvalidValues)}) }, Warn, "registrar reports an error: " + protocol.CauseInvalidValues.String()},
		{func() { v.says(enrp.Error{Route: v.route()}) }, Warn, "registrar reports an error"},
	} {
		s.logs = nil
		tc.say()
		s.want()
		if len(s.logs) != 1 || s.logs[0].Msg != tc.want || s.logs[0].Level != tc.level || len(s.logs[0].At) != 1 {
			t.Errorf("noted %+v, want %q", s.logs, tc.want)
		}
	}
	p.sends(asap.Cookie{})
	if n := s.r.counts.Ignored; n != 1 {
		t.Errorf("%d messages were ignored", n)
	}
}

// TestCounters count what they say, once each.
func TestCounters(t *testing.T) {
	s := startedWith(t, func(c *Config) { quiet(c); c.KeepAlive.Interval = -1 })
	pe, pu := s.connect(1, "192.0.2.1:5000"), s.connect(2, "192.0.2.2:5000")
	want := Counters{}
	check := func(what string) {
		t.Helper()
		s.take()
		if got := s.r.Snapshot(s.now).Counters; got != want {
			t.Errorf("%s: %+v, want %+v", what, got, want)
		}
	}
	pe.sends(pe.offer("p", 1))
	pe.sends(pe.offer("p", 1))
	want.Registered = 2
	check("registered")
	pe.sends(pe.offer("p", 0))
	want.Rejected = 1
	check("rejected")
	pu.sends(asap.HandleResolution{Handle: "p"})
	pu.sends(asap.HandleResolution{Handle: "q"})
	want.Resolved, want.Unknown = 1, 1
	check("resolved")
	pu.sends(asap.EndpointUnreachable{Handle: "p", ID: 1})
	pu.sends(asap.EndpointUnreachable{Handle: "p", ID: 9})
	want.Reports, want.Probes = 1, 1
	check("reported")
	pe.sends(ack("p", 1))
	pe.sends(asap.Deregistration{Handle: "p", ID: 1})
	pe.sends(asap.Deregistration{Handle: "p", ID: 1})
	want.Deregistered = 1
	check("deregistered")
	pe.sends(pe.offer("p", 2))
	want.Registered++
	s.sleep(300 * time.Second)
	want.Expired = 1
	check("expired")
	pe.sends(pe.offer("p", 3))
	want.Registered++
	pu.sends(asap.EndpointUnreachable{Handle: "p", ID: 3})
	s.sleep(10 * time.Second)
	want.Reports, want.Probes, want.Dead = 2, 3, 1
	check("dead")
	v := s.meets(9, 20, "192.0.2.20:9901")
	v.says(v.presence(0x1234))
	want.Resyncs = 1
	check("resynchronized")
	s.step(ENRPReceived{Link: v.link})
	want.Malformed = 1
	check("malformed")
}

// TestSubscribedItems: a new wish replaces the old one, and an update has as many PEs as the last one
// wanted.
func TestSubscribedItems(t *testing.T) {
	s := started(t)
	pe, pu := s.connect(1, "192.0.2.1:5000"), s.connect(2, "192.0.2.2:5000")
	for id := range protocol.PEID(3) {
		pe.registers("pool", id+1)
	}
	for _, items := range []uint32{1, 2} {
		pu.sends(asap.HandleResolution{Handle: "pool", Subscribe: true, Items: items})
		s.sleep(5 * time.Second)
		s.take()
		m := pe.offer("pool", 1)
		m.Element.User.Port += uint16(items)
		pe.sends(m)
		s.take()
		s.sleep(time.Second)
		out := s.take()
		if n := len(out[0].(SendASAP).Message.(asap.HandleResolutionResponse).Elements); len(out) != 1 || n != int(items) {
			t.Errorf("%d PEs in the update, want %d", n, items)
		}
	}
	if s.r.subscribers.count != 1 {
		t.Errorf("%d subscriptions", s.r.subscribers.count)
	}
}

// TestUpdatesAreSpaced: the first change is told at once, the next ones together a second later, exactly.
func TestUpdatesAreSpaced(t *testing.T) {
	s := started(t)
	pe, pu := s.connect(1, "192.0.2.1:5000"), s.connect(2, "192.0.2.2:5000")
	pe.registers("pool", 1)
	pu.sends(asap.HandleResolution{Handle: "pool", Subscribe: true})
	s.take()
	updates := func(d time.Duration) int { s.sleep(d); return len(s.take()) }
	join := func(id protocol.PEID) { pe.sends(pe.offer("pool", id)); s.take() }
	join(2)
	if n := updates(0); n != 1 {
		t.Errorf("%d updates at once", n)
	}
	for id := range protocol.PEID(5) {
		join(id + 3)
		s.sleep(100 * time.Millisecond)
	}
	if early, due := updates(500*time.Millisecond-1), updates(1); early != 0 || due != 1 {
		t.Errorf("%d updates too early, %d then", early, due)
	}
	s.sleep(time.Second)
	join(9)
	if n := updates(0); n != 1 {
		t.Errorf("%d updates at once", n)
	}
}

// ASAP-3.5-07: a PE whose KEEP_ALIVE fails is removed, by its owner with a DEL_PE to all: when it cannot be
// sent, when nobody is there, and when there is no acknowledgement.
func TestKeepAliveFails(t *testing.T) {
	for name, fail := range map[string]func(s *script, pe *remote){
		"nobody is there": func(s *script, pe *remote) {
			pe.lost()
			s.step(ConnectFailed{Token: s.take()[0].(SendASAPTo).Token, Err: errRefused})
		},
		"not acknowledged": func(s *script, pe *remote) {
			s.sleep(10*time.Second - 1)
			s.want(pe.gets(ask("p", 1)))
			s.wantHomes("p", homes{1: myID, 2: myID})
			s.sleep(1)
			s.out = s.out[1:] // it is told
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := startedWith(t, func(c *Config) { quiet(c); c.KeepAlive.Timeout = 5 * time.Second })
			v := s.meets(1, 20, "192.0.2.20:9901")
			pe, other := s.connect(1, "192.0.2.1:5000"), s.connect(2, "192.0.2.2:5000")
			m := pe.offer("p", 1)
			pe.sends(m)
			other.sends(other.offer("p", 2))
			other.sends(asap.EndpointUnreachable{Handle: "p", ID: 1})
			s.take()
			fail(s, pe)
			s.want(v.hears(update(enrp.DelPE, m)))
			s.wantHomes("p", homes{2: myID})
			if s.r.counts.Dead != 1 || s.r.space.Checksum(myID) != sumOf("p", 2) {
				t.Errorf("%+v", s.r.counts)
			}
		})
	}
}

// TestRestartOfUnknown: an association that is said to have restarted and was not known has begun.
func TestRestartOfUnknown(t *testing.T) {
	s := started(t)
	pe := &remote{s, Link{ASAPOverSCTP, 7}, netip.MustParseAddrPort("192.0.2.1:5000")}
	s.step(AssocRestarted{Link: pe.link, Peer: pe.addrPorts()})
	s.want()
	pe.registers("pool", 1)
	s.step(AssocRestarted{Link: pe.link, Peer: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:6000")}})
	s.take()
	if l := s.r.links.byAddr[netip.MustParseAddrPort("192.0.2.1:6000")]; l == nil || len(s.r.links.byAddr) != 1 {
		t.Errorf("known addresses: %v", s.r.links.byAddr)
	}
}

// TestLostPeerIsLookedFor with every heartbeat, where it was, for an hour after it was given up; a second
// time counts anew.
func TestLostPeerIsLookedFor(t *testing.T) {
	s := startedWith(t, func(c *Config) { quiet(c); c.Timers.Heartbeat = 10 * time.Minute })
	v := s.meets(1, 20, "192.0.2.20:9901")
	given := func(v *rival) {
		v.lost()
		s.step(ConnectFailed{Token: s.take()[0].(SendENRPTo).Token, Err: errRefused})
		s.take()
	}
	given(v)
	looked := func() (n int) {
		for range 10 {
			s.sleep(10 * time.Minute)
			for _, e := range s.take() {
				if to, is := e.(SendENRPTo); is && slices.Equal(to.Peer, v.addrPorts()) {
					n++
					s.step(ConnectFailed{Token: to.Token, Err: errRefused})
				}
			}
		}
		return n
	}
	if n := looked(); n != 6 || len(s.r.candidates.list) != 0 {
		t.Errorf("it was looked for %d times in an hour, %d are left", n, len(s.r.candidates.list))
	}
	given(s.meets(1, 20, "192.0.2.20:9901"))
	s.sleep(25 * time.Minute)
	for _, e := range s.take() {
		s.step(ConnectFailed{Token: e.(SendENRPTo).Token, Err: errRefused})
	}
	given(s.meets(2, 21, "192.0.2.20:9901"))
	if n := looked(); n != 6 || len(s.r.candidates.list) != 0 {
		t.Errorf("then %d times, %d are left", n, len(s.r.candidates.list))
	}
}

// TestCandidatesAreKeptOnce: those that are configured stay, and one that was given up there is no other.
func TestCandidatesAreKeptOnce(t *testing.T) {
	s := joining(t, "192.0.2.20:9901", "192.0.2.20:9901")
	if n := len(s.r.candidates.list); n != 1 {
		t.Fatalf("%d candidates", n)
	}
	s.take()
	s.step(ConnectFailed{Token: 1, Err: errRefused})
	v := s.meets(1, 20, "192.0.2.20:9901")
	v.lost()
	s.step(ConnectFailed{Token: 2, Err: errRefused})
	if c := s.r.candidates.list; len(c) != 1 || !c[0].until.IsZero() || c[0].id != 20 {
		t.Errorf("%d candidates, the first until %v", len(c), c[0].until)
	}
	s.sleep(2000 * time.Hour)
	if n := len(s.r.candidates.list); n != 1 {
		t.Errorf("%d candidates", n)
	}
}

// TestServesAt: which addresses are our own.
func TestServesAt(t *testing.T) {
	for _, tc := range []struct {
		bound, at string
		want      bool
	}{
		{"192.0.2.1:9901", "192.0.2.1:9901", true}, {"192.0.2.1:9901", "192.0.2.1:9902", false}, {"192.0.2.1:9901", "127.0.0.1:9901", false},
		{"0.0.0.0:9901", "127.0.0.1:9901", true}, {"0.0.0.0:9901", "127.0.0.1:9902", false}, {"0.0.0.0:9901", "[::1]:9901", false},
		{"[::]:9901", "[::1]:9901", true}, {"[::]:9901", "127.0.0.1:9901", true}, {"0.0.0.0:9901", "192.0.2.1:9901", false},
	} {
		if got := servesAt(netip.MustParseAddrPort(tc.bound), netip.MustParseAddrPort(tc.at)); got != tc.want {
			t.Errorf("bound to %s, at %s: %v", tc.bound, tc.at, got)
		}
	}
}

// TestConclusive: which failures show that nobody is there.
func TestConclusive(t *testing.T) {
	for err, want := range map[error]bool{
		nil: false, assoc.ErrRefused: true, assoc.ErrTimeout: true, assoc.ErrNoResources: false, assoc.ErrWouldBlock: false,
	} {
		if conclusive(err) != want {
			t.Errorf("%v: %v", err, !want)
		}
	}
}

// TestDownloadBackoff: one second, doubling, up to five minutes.
func TestDownloadBackoff(t *testing.T) {
	var b backoff
	var got []string
	for range 11 {
		b.fail(epoch, time.Second)
		got = append(got, fmt.Sprint(b.until.Sub(epoch)))
	}
	if want := "1s 2s 4s 8s 16s 32s 1m4s 2m8s 4m16s 5m0s 5m0s"; strings.Join(got, " ") != want {
		t.Errorf("%v", got)
	}
}

// TestProbesKeepTheirDistance: a PE that was asked a moment ago is asked again when the gap is over, exactly, and
// once, however often it is reported (SEC-2.14-01).
func TestProbesKeepTheirDistance(t *testing.T) {
	s := startedWith(t, func(c *Config) { c.KeepAlive.Interval, c.Limits.BadReports = -1, -1 })
	pe, pu := s.connect(1, "192.0.2.1:5000"), s.connect(2, "192.0.2.2:5000")
	pe.registers("pool", 1)
	report := func() { pu.sends(asap.EndpointUnreachable{Handle: "pool", ID: 1}) }
	report()
	s.want(pe.gets(ask("pool", 1)))
	report() // it is being asked
	s.want()
	pe.sends(ack("pool", 1))
	for range 3 {
		report()
		s.sleep(300 * time.Millisecond)
	}
	s.sleep(100*time.Millisecond - 1)
	s.want()
	s.sleep(1)
	s.want(pe.gets(ask("pool", 1)))
	pe.sends(ack("pool", 1))
	s.sleep(time.Second)
	s.want()
	report()
	s.want(pe.gets(ask("pool", 1)))
}

// TestJoinRounds: a registrar that only others refuse which start as well, and which are to serve first, waits for
// them for so many rounds (ENRP-3.2-08).
func TestJoinRounds(t *testing.T) {
	s := joining(t, "192.0.2.20:9901")
	s.take()
	v := s.reaches(1, Link{ENRPOverSCTP, 1}, 20, "192.0.2.20:9901")
	for round := range 5 {
		if s.r.serving {
			t.Fatalf("it serves after %d rounds", round)
		}
		if round > 0 {
			s.sleep(3*time.Second - 1)
			s.want()
			s.sleep(1)
			s.want(v.hears(enrp.ListRequest{Route: from(20)}))
		}
		v.says(enrp.ListResponse{Route: v.route(), Rejected: true})
	}
	if !s.r.serving {
		t.Error("it waits for ever")
	}
}

// TestListsOfTheKnown make no new peers: those that are known, ourselves, nobody, and those that cannot be reached.
func TestListsOfTheKnown(t *testing.T) {
	s := enrpScript(t)
	v, w := s.meets(1, 20, "192.0.2.20:9901"), s.meets(2, 30, "192.0.2.30:9901")
	v.says(enrp.ListResponse{Route: v.route(), Servers: []protocol.Server{
		{ID: v.id, Transport: serverAt("192.0.2.20:9901")}, {ID: w.id, Transport: serverAt("192.0.2.66:9901")},
		{ID: myID, Transport: myENRP}, {Transport: serverAt("192.0.2.67:9901")}, {ID: 40}, {ID: 50, Transport: serverAt("127.0.0.1:9901")},
	}})
	s.want()
	if p := s.r.Snapshot(s.now).Peers; len(p) != 2 || p[1].Transport.Addrs[0] != w.at.Addr() {
		t.Errorf("peers: %+v", p)
	}
	v.says(enrp.ListResponse{Route: v.route(), Servers: []protocol.Server{{ID: 40, Transport: serverAt("192.0.2.40:9901")}}})
	s.want(SendENRPTo{Token: 1, Peer: serverAt("192.0.2.40:9901").AddrPorts(), Message: mine(40, true)})
	w.says(enrp.ListResponse{Route: w.route(), Servers: []protocol.Server{{ID: 40, Transport: serverAt("192.0.2.41:9901")}}})
	s.want()
}

// TestView shows what there is, for operators.
func TestView(t *testing.T) {
	s := startedWith(t, func(c *Config) { quiet(c); c.KeepAlive.Interval = -1 })
	v := s.meets(1, 20, "192.0.2.20:9901")
	pe, pu := s.connect(1, "192.0.2.1:5000"), s.connect(2, "192.0.2.2:5000")
	pe.sends(pe.offer("p", 1))
	forever := pe.offer("p", 2)
	forever.Element.Life = protocol.LifeInfinite
	pe.sends(forever)
	v.updates(enrp.AddPE, "q", owned(3, 20))
	pu.sends(asap.HandleResolution{Handle: "p", Subscribe: true})
	s.sleep(10 * time.Second)
	pu.sends(asap.EndpointUnreachable{Handle: "p", ID: 1})
	pe.lost()
	view := s.r.Snapshot(s.now)
	if view.Server != myID || !view.Serving || view.Uptime != 10*time.Second || view.Links != 2 || view.Waiting != 2 || len(view.Pools) != 2 {
		t.Errorf("%+v", view)
	}
	p, q := view.Pools[0], view.Pools[1]
	if p.Handle != "p" || p.Subscribers != 1 || p.Policy != protocol.RoundRobin || p.Protocol != protocol.SCTP || q.Subscribers != 0 {
		t.Errorf("%+v, %+v", p, q)
	}
	first, second, theirs := p.Elements[0], p.Elements[1], q.Elements[0]
	if !first.Owned || first.Remaining != 290*time.Second || first.BadReports != 1 || first.Connected || !first.Probing {
		t.Errorf("%+v", first)
	}
	if second.Remaining != -1 || second.BadReports != 0 || theirs.Owned || theirs.Remaining != -1 || theirs.Probing {
		t.Errorf("%+v, %+v", second, theirs)
	}
	if o := view.Peers[0]; o.ID != 20 || !o.Connected || !o.Active || o.Silent != 10*time.Second || o.Owned != 1 {
		t.Errorf("%+v", o)
	}
	if unstarted := newScript(t, nil).r.Snapshot(epoch); unstarted.Uptime != 0 || unstarted.Serving {
		t.Errorf("%+v", unstarted)
	}
}
