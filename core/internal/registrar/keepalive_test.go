package registrar

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

func ask(h protocol.PoolHandle, id protocol.PEID) asap.EndpointKeepAlive {
	return asap.EndpointKeepAlive{Server: myID, Handle: h, ID: id}
}

func ack(h protocol.PoolHandle, id protocol.PEID) asap.EndpointKeepAliveAck {
	return asap.EndpointKeepAliveAck{Handle: h, ID: id}
}

// OVR-2.2-01, ASAP-3.5-11, 13: the owner asks every PE at intervals between half and one
// and a half, which differ.
func TestPeriodicKeepAlive(t *testing.T) {
	s := startedWith(t, nil)
	pe := s.connect(1, "192.0.2.1:5000")
	m := pe.offer("pool", 1)
	m.Element.Life = protocol.LifeInfinite
	pe.sends(m)
	s.take()
	seen := map[time.Duration]bool{}
	for range 20 {
		at, _ := s.r.Next()
		wait := at.Sub(s.now)
		if wait < 15*time.Second || wait > 45*time.Second {
			t.Fatalf("the next KEEP_ALIVE comes after %v, want 30 s +-50 %%", wait)
		}
		seen[wait] = true
		s.sleep(wait)
		s.want(pe.gets(ask("pool", 1)))
		pe.sends(ack("pool", 1))
	}
	if len(seen) < 18 {
		t.Errorf("20 intervals had %d different lengths", len(seen))
	}
}

// ASAP-3.5-12, E-25: no acknowledgement, one more try, and the PE goes, of which
// everybody hears. ASAP-2.2.4-01: the PE too, so that it registers again as soon
// as it runs again.
func TestUnansweredKeepAlive(t *testing.T) {
	s := startedWith(t, nil)
	pe, pu := s.connect(1, "192.0.2.1:5000"), s.connect(2, "192.0.2.2:5000")
	a := pe.registers("pool", 1)
	pu.sends(asap.HandleResolution{Handle: "pool", Subscribe: true})
	s.want(pu.gets(answer("pool", true, a)))
	at, _ := s.r.Next()
	s.sleep(at.Sub(s.now))
	s.want(pe.gets(ask("pool", 1)))
	s.sleep(5 * time.Second)
	s.want(pe.gets(ask("pool", 1)))
	s.sleep(5 * time.Second)
	s.want(
		pe.gets(asap.DeregistrationResponse{Handle: "pool", ID: 1}),
		pu.gets(asap.HandleResolutionResponse{Handle: "pool", Causes: cause(protocol.CauseUnknownPoolHandle)}),
	)
	pe.sends(ack("pool", 1)) // too late
	s.want()
	pe.registers("pool", 1)
	s.wantListed("pool", 1)
}

// Losing the association is not death: the PE is asked at its ASAP Transport at
// once, and goes at once when nobody is there.
func TestAssociationLostAndRefused(t *testing.T) {
	s := started(t)
	pe := s.connect(1, "192.0.2.1:5000")
	pe.registers("pool", 1)
	s.sleep(time.Minute)
	pe.lost()
	s.want(SendASAPTo{Token: 1, Peer: []netip.AddrPort{pe.at}, Message: ask("pool", 1)})
	s.wantListed("pool", 1)
	s.step(ConnectFailed{Token: 1, Err: errRefused})
	s.want()
	s.wantListed("pool")
}

// It stays when it answers over the new association, which is its own then.
func TestAssociationLostAndFound(t *testing.T) {
	s := started(t)
	pe := s.connect(1, "192.0.2.1:5000")
	pe.registers("pool", 1)
	pe.registers("pool", 2)
	s.sleep(time.Minute)
	pe.lost()
	s.want(SendASAPTo{Token: 1, Peer: []netip.AddrPort{pe.at}, Message: ask("pool", 1)}) // one set-up for both
	again := &remote{s, Link{ASAPOverSCTP, 2}, pe.at}
	s.step(AssocUp{Link: again.link, Token: 1, Peer: []netip.AddrPort{pe.at}})
	s.want(again.gets(ask("pool", 2)))
	again.sends(ack("pool", 1))
	again.sends(ack("pool", 2))
	s.sleep(2 * time.Minute)
	s.want()
	s.wantListed("pool", 1, 2)
	again.lost()
	if out := s.take(); len(out) != 1 {
		t.Errorf("losing the new association made %v, want it to be noticed", out)
	}
}

// A PE that answers and closes again is not asked without end.
func TestFlappingAssociation(t *testing.T) {
	s := started(t)
	pe := s.connect(1, "192.0.2.1:5000")
	pe.registers("pool", 1)
	s.sleep(time.Minute)
	pe.lost()
	probes := 0
	for i := range 100 {
		for _, e := range s.take() {
			to := e.(SendASAPTo)
			probes++
			again := &remote{s, Link{ASAPOverSCTP, assoc.ID(100 + i)}, pe.at}
			s.step(AssocUp{Link: again.link, Token: to.Token, Peer: []netip.AddrPort{pe.at}})
			again.sends(ack("pool", 1))
			again.lost()
		}
		s.sleep(100 * time.Millisecond)
	}
	if probes < 9 || probes > 11 {
		t.Errorf("%d probes in 10 s, want one per second (SEC-2.14-01)", probes)
	}
}

// ASAP-3.5-07: a KEEP_ALIVE whose association ends goes over another one, and
// when that cannot be the PE is dead; what our own lack of resources prevents
// does not show that.
func TestSendFailure(t *testing.T) {
	s := startedWith(t, nil)
	pe := s.connect(1, "192.0.2.1:5000")
	pe.registers("pool", 1)
	at, _ := s.r.Next()
	s.sleep(at.Sub(s.now))
	s.want(pe.gets(ask("pool", 1)))
	pe.lost()
	s.want(SendASAPTo{Token: 1, Peer: []netip.AddrPort{pe.at}, Message: ask("pool", 1)})
	s.step(ConnectFailed{Token: 1, Err: assoc.ErrRefused})
	s.wantListed("pool")

	s = started(t)
	pe = s.connect(1, "192.0.2.1:5000")
	pe.registers("pool", 1)
	s.sleep(time.Minute)
	pe.lost()
	s.take()
	s.step(ConnectFailed{Token: 1, Err: assoc.ErrNoResources})
	s.want(SendASAPTo{Token: 2, Peer: []netip.AddrPort{pe.at}, Message: ask("pool", 1)})
	s.wantListed("pool", 1)
	s.step(ConnectFailed{Token: 2, Err: errors.New("no route")})
	s.wantListed("pool")
}

// An acknowledgement counts from the PE, not from somebody else.
func TestForgedAck(t *testing.T) {
	s := startedWith(t, nil)
	pe, other := s.connect(1, "192.0.2.1:5000"), s.connect(2, "192.0.2.2:5000")
	pe.registers("pool", 1)
	at, _ := s.r.Next()
	s.sleep(at.Sub(s.now))
	other.sends(ack("pool", 1))
	other.sends(ack("pool", 2))
	other.sends(ack("nowhere", 2))
	s.sleep(10 * time.Second)
	s.wantListed("pool")
}

// A restarted peer has to show that its PEs live.
func TestAssociationRestart(t *testing.T) {
	s := started(t)
	pe := s.connect(1, "192.0.2.1:5000")
	pe.registers("pool", 1)
	s.sleep(time.Minute)
	s.step(AssocRestarted{Link: pe.link, Peer: []netip.AddrPort{pe.at}})
	s.want(pe.gets(ask("pool", 1)))
	s.sleep(10 * time.Second)
	s.wantListed("pool")
}

// A restarted process that registers anew at the same place shows that its
// former PE is gone; PEs at other places have their time to answer.
func TestRestartedPE(t *testing.T) {
	s := started(t)
	pe := s.connect(1, "192.0.2.1:5000")
	pe.registers("pool", 1)
	elsewhere := pe.offer("pool", 2)
	elsewhere.Element.User.Port = 1
	pe.sends(elsewhere)
	s.take()
	pe.registers("pool", 3)
	pe.registers("other pool", 1)
	s.step(AssocRestarted{Link: pe.link, Peer: pe.addrPorts()})
	pe.sends(ack("pool", 3))
	s.take()
	pe.registers("pool", 9)
	s.wantListed("pool", 2, 3, 9)
	s.wantListed("other pool", 1)
}

// An association opened only to ask is closed when it is of no more use.
func TestIdleLinkIsClosed(t *testing.T) {
	s := started(t)
	pe := s.connect(1, "192.0.2.1:5000")
	pe.registers("pool", 1)
	s.sleep(time.Minute)
	pe.lost()
	s.take()
	again := &remote{s, Link{ASAPOverSCTP, 2}, pe.at}
	s.step(AssocUp{Link: again.link, Token: 1, Peer: []netip.AddrPort{pe.at}})
	again.sends(ack("pool", 1))
	s.sleep(2 * time.Minute)
	s.want() // in use
	again.sends(asap.Deregistration{Handle: "pool", ID: 1})
	s.take()
	s.sleep(time.Minute)
	s.want(Shutdown{Link: again.link})
	s.connect(3, "192.0.2.1:5000")
	s.sleep(time.Hour)
	s.want() // opened by the peer
}

// Associations are bounded, beside those of PEs: these are bounded with the PEs.
func TestTooManyLinks(t *testing.T) {
	s := startedWith(t, func(c *Config) { c.Limits.Links, c.KeepAlive.Interval = 1, -1 })
	tooMany := func(id assoc.ID) {
		t.Helper()
		s.connect(id, "192.0.2.2:5000")
		s.want(Abort{Link: Link{ASAPOverSCTP, id}, Reason: "registrar has too many associations"})
	}
	pe := s.connect(1, "192.0.2.1:5000")
	tooMany(2)
	pe.registers("pool", 1)
	pe.registers("pool", 2)
	other := s.connect(3, "192.0.2.3:5000")
	s.want()
	tooMany(4)
	other.registers("pool", 3)
	s.connect(5, "192.0.2.5:5000")
	s.want()
	pe.sends(asap.Deregistration{Handle: "pool", ID: 1})
	s.take()
	tooMany(6)
	pe.sends(asap.Deregistration{Handle: "pool", ID: 2})
	other.lost()
	s.take()
	tooMany(7)
	pe.lost()
	tooMany(8)
}

// E-25: the fewer PEs, the more often each is asked, within a budget; it then
// has less time to answer, too.
func TestKeepAliveBudget(t *testing.T) {
	for _, tc := range []struct {
		pes               int
		interval, timeout time.Duration
	}{
		{1, time.Second, 600 * time.Millisecond},
		{100, time.Second, 600 * time.Millisecond},
		{500, 5 * time.Second, 3 * time.Second},
		{5000, 30 * time.Second, 5 * time.Second},
	} {
		s := startedWith(t, func(c *Config) { c.KeepAlive = Attentive() })
		pe := s.connect(1, "192.0.2.1:5000")
		for i := range tc.pes {
			m := pe.offer("pool", protocol.PEID(i+1))
			m.Element.Life = protocol.LifeInfinite
			pe.sends(m)
		}
		s.take()
		if interval, timeout := s.r.monitors.interval(), s.r.monitors.timeout(); interval != tc.interval || timeout != tc.timeout {
			t.Errorf("%d PEs: every %v, %v to answer; want %v, %v", tc.pes, interval, timeout, tc.interval, tc.timeout)
		}
		at, _ := s.r.Next()
		if wait := at.Sub(s.now); tc.pes == 1 && (wait < tc.interval/2 || wait > tc.interval*3/2) {
			t.Errorf("%d PEs: the first is asked after %v", tc.pes, wait)
		}
	}
}
