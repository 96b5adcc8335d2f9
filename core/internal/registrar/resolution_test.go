package registrar

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// answer is the positive response with these PEs of offers.
func answer(h protocol.PoolHandle, updates bool, offers ...asap.Registration) asap.HandleResolutionResponse {
	m := asap.HandleResolutionResponse{UpdatesAccepted: updates, Handle: h, HasPolicy: true, Policy: offers[0].Element.Policy}
	for _, o := range offers {
		e := o.Element
		e.Home = myID
		m.Elements = append(m.Elements, e) // ASAP-2.2.6-08: without ASAP Transport
	}
	return m
}

// ASAP-2.2.6-04, ASAP-3.3-11, 12, 13, 14, 16: anybody is answered with the whole pool in the
// policy's order, the policy included, but without ASAP Transports (ASAP-2.2.6-08).
// POL-4.1-02 goes round from answer to answer. The item option is honoured (E-07, POL-7-04).
func TestResolution(t *testing.T) {
	s := started(t)
	pe := s.connect(1, "192.0.2.1:5000")
	a, b, c := pe.registers("pool", 1), pe.registers("pool", 2), pe.registers("pool", 3)
	pu := &remote{s, Link{ASAPOverTCP, 9}, netip.MustParseAddrPort("192.0.2.9:1234")}
	s.step(AssocUp{Link: pu.link, Peer: []netip.AddrPort{pu.at}})
	for _, test := range []struct {
		items uint32
		want  []asap.Registration
	}{
		{0, []asap.Registration{a, b, c}},
		{0, []asap.Registration{b, c, a}},
		{1, []asap.Registration{c}},
		{2, []asap.Registration{a, b}},
		{asap.AllItems, []asap.Registration{b, c, a}},
	} {
		pu.sends(asap.HandleResolution{Handle: "pool", Items: test.items})
		s.want(pu.gets(answer("pool", false, test.want...)))
	}
}

// POL-7-05: the overall policy is the pool's type with the first element's
// values. POL-5.2-04: what a peer says of a PE resets its degradation too.
func TestResolutionPolicy(t *testing.T) {
	s := enrpScript(t)
	pe, v := s.connect(1, "192.0.2.1:5000"), s.meets(1, 20, "192.0.2.20:9901")
	m := pe.offer("pool", 1)
	m.Element.Policy = protocol.Policy{Type: protocol.LeastUsedWithDegradation, Load: 5, Degradation: 10}
	pe.sends(m)
	other := owned(2, 20)
	other.Policy = protocol.Policy{Type: protocol.LeastUsedWithDegradation, Load: 6, Degradation: 10}
	v.updates(enrp.AddPE, "pool", other)
	s.take()
	first := func() protocol.PEID {
		pe.sends(asap.HandleResolution{Handle: "pool", Items: 1})
		m := s.take()[0].(SendASAP).Message.(asap.HandleResolutionResponse)
		if m.Policy != m.Elements[0].Policy {
			t.Errorf("policy %+v, that of the first element is %+v", m.Policy, m.Elements[0].Policy)
		}
		return m.Elements[0].ID
	}
	for step, want := range []protocol.PEID{1, 2, 1, 2} {
		if got := first(); got != want {
			t.Errorf("step %d: PE %v, want %v", step, got, want)
		}
	}
	v.updates(enrp.AddPE, "pool", other)
	if got := first(); got != 2 {
		t.Errorf("after PE 2's registration was announced: PE %v, want 2", got)
	}
}

// TestUpdateIsNoSession (POL-5.2-02): a subscriber is told of a change without
// having selected anybody; only a request adds to the load of the first.
func TestUpdateIsNoSession(t *testing.T) {
	s := started(t)
	pe, pu, asker := s.connect(1, "192.0.2.1:5000"), s.connect(2, "192.0.2.2:5000"), s.connect(3, "192.0.2.3:5000")
	lud := func(id protocol.PEID, load uint32) asap.Registration {
		m := pe.offer("pool", id)
		m.Element.Policy = protocol.Policy{Type: protocol.LeastUsedWithDegradation, Load: load, Degradation: 10}
		return m
	}
	pe.sends(lud(1, 5))
	pe.sends(lud(2, 11))
	pe.sends(lud(3, 100))
	pu.sends(asap.HandleResolution{Handle: "pool", Subscribe: true}) // now 15, 11, 100
	s.take()
	for range 5 {
		pe.sends(lud(3, 100))
		s.sleep(2 * time.Second)
	}
	s.take()
	asker.sends(asap.HandleResolution{Handle: "pool"})
	m := s.take()[0].(SendASAP).Message.(asap.HandleResolutionResponse)
	if m.Elements[0].ID != 2 || m.Elements[1].ID != 1 || m.Elements[2].ID != 3 {
		t.Errorf("after five updates: %v, want 2, 1, 3", m.Elements)
	}
}

// ASAP-3.3-15, ASAP-2.2.6-05: unknown pool; ASAP-2.2.5-04: no subscription
// comes of it.
func TestResolutionUnknown(t *testing.T) {
	s := started(t)
	pe, pu := s.connect(1, "192.0.2.1:5000"), s.connect(2, "192.0.2.2:5000")
	pu.sends(asap.HandleResolution{Handle: "pool", Subscribe: true})
	s.want(pu.gets(asap.HandleResolutionResponse{Handle: "pool", Causes: cause(protocol.CauseUnknownPoolHandle)}))
	pe.registers("pool", 1)
	s.sleep(10 * time.Second)
	s.want()
}

// ASAP-2.2.6-07: an answer fits into a message, however big the PEs are.
func TestResolutionFits(t *testing.T) {
	s := startedWith(t, func(c *Config) { c.Limits.ResponseItems = 5000; c.KeepAlive.Interval = -1 })
	var peers []netip.AddrPort
	for i := range 50 {
		peers = append(peers, netip.MustParseAddrPort(fmt.Sprintf("[2001:db8::%d]:5000", i+1)))
	}
	pe := &remote{s, Link{ASAPOverSCTP, 1}, peers[0]}
	s.step(AssocUp{Link: pe.link, Peer: peers})
	for id := range protocol.PEID(300) {
		m := pe.offer("pool", id+1)
		m.Element.User.Addrs = nil
		for _, p := range peers {
			m.Element.User.Addrs = append(m.Element.User.Addrs, p.Addr())
		}
		pe.sends(m)
	}
	s.take()
	pe.sends(asap.HandleResolution{Handle: "pool"})
	m := s.take()[0].(SendASAP).Message.(asap.HandleResolutionResponse)
	b, err := asap.Append(nil, m)
	if err != nil || len(b) < 60_000 || len(m.Elements) < 2 {
		t.Errorf("%d PEs in %d bytes, %v; want a message nearly full", len(m.Elements), len(b), err)
	}
}

// ASAP-2.2.5-01, 06, ASAP-2.2.6-01: S gets A and complete updates, the first
// at once, then one per second; ASAP-2.2.5-05: a pool that goes ends it.
func TestSubscription(t *testing.T) {
	s := started(t)
	pe, pu := s.connect(1, "192.0.2.1:5000"), s.connect(2, "192.0.2.2:5000")
	a := pe.registers("pool", 1)
	pu.sends(asap.HandleResolution{Handle: "pool", Subscribe: true})
	s.want(pu.gets(answer("pool", true, a)))

	b := pe.registers("pool", 2)
	s.sleep(0)
	s.want(pu.gets(answer("pool", true, a, b)))
	for id := range protocol.PEID(50) {
		pe.registers("pool", 100+id)
	}
	s.sleep(999 * time.Millisecond)
	s.want()
	s.sleep(time.Millisecond)
	if out := s.take(); len(out) != 1 || len(out[0].(SendASAP).Message.(asap.HandleResolutionResponse).Elements) != 52 {
		t.Errorf("50 newcomers made %d updates, want one with all", len(out))
	}
	pe.registers("pool", 1) // nothing new
	s.sleep(10 * time.Second)
	s.want()

	for _, id := range s.listed("pool") {
		pe.sends(asap.Deregistration{Handle: "pool", ID: id})
	}
	out := s.take()
	s.out = out[len(out)-1:]
	s.want(pu.gets(asap.HandleResolutionResponse{Handle: "pool", Causes: cause(protocol.CauseUnknownPoolHandle)}))
	pe.registers("pool", 1)
	s.sleep(10 * time.Second)
	s.want()
}

// ASAP-2.2.5-05: asking without S ends it. ASAP-2.2.5-03: so does the end of
// the association, or its restart.
func TestSubscriptionEnds(t *testing.T) {
	for name, end := range map[string]func(*remote){
		"asked without S": func(pu *remote) { pu.sends(asap.HandleResolution{Handle: "pool"}) },
		"association":     func(pu *remote) { pu.lost() },
		"restart":         func(pu *remote) { pu.s.step(AssocRestarted{Link: pu.link, Peer: []netip.AddrPort{pu.at}}) },
	} {
		s := started(t)
		pe, pu := s.connect(1, "192.0.2.1:5000"), s.connect(2, "192.0.2.2:5000")
		pe.registers("pool", 1)
		pu.sends(asap.HandleResolution{Handle: "pool", Subscribe: true})
		pu.sends(asap.HandleResolution{Handle: "pool", Subscribe: true})
		if s.r.subscribers.count != 1 {
			t.Fatalf("%s: subscribing twice made %d subscriptions", name, s.r.subscribers.count)
		}
		end(pu)
		s.take()
		pe.registers("pool", 2)
		s.sleep(5 * time.Second)
		s.want()
		if s.r.subscribers.count != 0 || len(s.r.subscribers.byPool) != 0 {
			t.Errorf("%s: %d subscriptions are left", name, s.r.subscribers.count)
		}
	}
}

// ASAP-2.2.6-01: A = 0 when there are too many.
func TestSubscriptionLimit(t *testing.T) {
	s := startedWith(t, func(c *Config) { c.Limits.Subscriptions = 1; c.KeepAlive.Interval = -1 })
	pe, pu := s.connect(1, "192.0.2.1:5000"), s.connect(2, "192.0.2.2:5000")
	a := pe.registers("pool", 1)
	pe.sends(asap.HandleResolution{Handle: "pool", Subscribe: true})
	pu.sends(asap.HandleResolution{Handle: "pool", Subscribe: true})
	s.want(pe.gets(answer("pool", true, a)), pu.gets(answer("pool", false, a)))
}

// An element that is larger than half of a message is listed all the same, alone.
func TestLargeElementFits(t *testing.T) {
	large := protocol.Element{ID: 1, Policy: protocol.Policy{Type: 0x80000001, Private: string(make([]byte, 40_000))}}
	if got := fitting("pool", []protocol.Element{large, large}); len(got) != 1 {
		t.Errorf("%d elements", len(got))
	}
}
