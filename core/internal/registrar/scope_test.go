package registrar

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

var hostAddr = netip.MustParseAddr("192.0.2.100") // of the registrar

// here is somebody on the registrar's host.
func (s *script) here(id assoc.ID, at string) *remote {
	p := &remote{s, Link{ASAPOverSCTP, id}, netip.MustParseAddrPort(at)}
	s.step(AssocUp{Link: p.link, Peer: []netip.AddrPort{p.at}, Here: true, Host: []netip.Addr{hostAddr}})
	return p
}

// toldOf asks for a pool and returns the addresses of the answer.
func (p *remote) toldOf(h protocol.PoolHandle) string {
	p.s.Helper()
	p.sends(asap.HandleResolution{Handle: h})
	effects := p.s.take()
	m, ok := effects[0].(SendASAP).Message.(asap.HandleResolutionResponse)
	if len(effects) != 1 || !ok {
		p.s.Fatalf("got %v", effects)
	}
	var out []string
	for _, e := range m.Elements {
		out = append(out, fmt.Sprintf("%v%v", e.ID, e.User.Addrs))
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// ASAP-6.1-01: a PE on the registrar's host may register the addresses of that
// host, and is known at these to PUs on other hosts, on loopback too to those on
// this one. Whoever is reached on loopback alone is not named to other hosts, and
// the operator is told.
func TestLoopbackStaysHere(t *testing.T) {
	s := started(t)
	pe := s.here(1, "127.0.0.1:5000")
	both := pe.offer("pool", 1)
	both.Element.User.Addrs = append(both.Element.User.Addrs, hostAddr)
	pe.sends(both)
	s.take()
	pe.registers("pool", 2)
	pe.registers("alone", 3)
	s.take()
	s.logs = nil
	local, same, far := s.here(2, "127.0.0.1:6000"), s.here(3, "192.0.2.100:6000"), s.connect(4, "192.0.2.7:6000")
	for _, test := range []struct {
		who        *remote
		pool       protocol.PoolHandle
		want, logs string
	}{
		{local, "pool", "0x00000001[127.0.0.1 192.0.2.100] 0x00000002[127.0.0.1]", ""},
		{same, "pool", "0x00000001[127.0.0.1 192.0.2.100] 0x00000002[127.0.0.1]", ""},
		{local, "alone", "0x00000003[127.0.0.1]", ""},
		{far, "pool", "0x00000001[192.0.2.100]", "pool"},
		{far, "alone", "", "alone"},
		{far, "alone", "", ""}, // told a moment ago
	} {
		if got := test.who.toldOf(test.pool); got != test.want {
			t.Errorf("%v is told %q of %s, want %q", test.who.at, got, test.pool, test.want)
		}
		told := ""
		for _, l := range s.logs {
			if l.Level == Warn {
				told += string(l.Handle)
			}
		}
		if told != test.logs {
			t.Errorf("the operator is told of %q, want %q", told, test.logs)
		}
		s.logs = nil
	}
}

// A PE that may be named is found behind those that may not.
func TestHiddenElementsTakeNoRoom(t *testing.T) {
	s := started(t)
	pe := s.here(1, "127.0.0.1:5000")
	for id := range protocol.PEID(5) {
		pe.registers("pool", id+1)
	}
	s.connect(2, "192.0.2.7:6000").registers("pool", 9)
	far := s.connect(4, "192.0.2.8:6000")
	for range 6 {
		far.sends(asap.HandleResolution{Handle: "pool", Items: 1})
		m := s.take()[0].(SendASAP).Message.(asap.HandleResolutionResponse)
		if len(m.Elements) != 1 || m.Elements[0].ID != 9 {
			t.Errorf("got %v", m)
		}
	}
}

// Whose home is on another host is not named on loopback here either: that would
// be somebody else. Where all registrars are on one host he is.
func TestLoopbackOfAnotherHost(t *testing.T) {
	e := owned(1, 20)
	e.User.Addrs = []netip.Addr{netip.MustParseAddr("127.0.0.1")}
	s := enrpScript(t)
	s.meets(1, 20, "192.0.2.20:9901").updates(enrp.AddPE, "p", e)
	if got := s.here(2, "127.0.0.1:6000").toldOf("p"); got != "" {
		t.Errorf("told of %s", got)
	}
	s = startedWith(t, func(c *Config) { quiet(c); c.ENRP = serverAt("127.0.0.1:9901") })
	v := &rival{&remote{s, Link{ENRPOverSCTP, 1}, netip.MustParseAddrPort("127.0.0.1:9902")}, 20}
	s.step(AssocUp{Link: v.link, Peer: v.addrPorts()})
	v.updates(enrp.AddPE, "p", e)
	s.take()
	pu := s.connect(2, "127.0.0.1:6000")
	if got := pu.toldOf("p"); got != "0x00000001[127.0.0.1]" {
		t.Errorf("told of %q", got)
	}
	v.lost() // which does not change where its PEs are
	s.take()
	if got := pu.toldOf("p"); got != "0x00000001[127.0.0.1]" {
		t.Errorf("told of %q", got)
	}
}

// A subscriber for whom nothing is left is told so, once (ASAP-2.2.5-05).
func TestSubscriberOfHiddenElements(t *testing.T) {
	s := started(t)
	pe, far := s.here(1, "127.0.0.1:5000"), s.connect(2, "192.0.2.7:6000")
	other := s.connect(3, "192.0.2.8:6000")
	pe.registers("pool", 1)
	other.registers("pool", 2)
	far.sends(asap.HandleResolution{Handle: "pool", Subscribe: true})
	s.take()
	other.sends(asap.Deregistration{Handle: "pool", ID: 2})
	s.sleep(2 * time.Second)
	n := 0
	for _, e := range s.take() {
		if m, ok := e.(SendASAP); ok && m.Link == far.link {
			n++
			if got := m.Message.(asap.HandleResolutionResponse); len(got.Elements) != 0 || len(got.Causes) == 0 || got.UpdatesAccepted {
				t.Errorf("got %v", got)
			}
		}
	}
	if n != 1 || s.r.subscribers.count != 0 {
		t.Errorf("%d answers, %d subscriptions", n, s.r.subscribers.count)
	}
}

// ASAP-2.2.1-02: addresses that are not those of the association are refused, but
// those that the operator accepts, for PEs behind a NAT.
func TestAdvertisedAddresses(t *testing.T) {
	s := startedWith(t, func(c *Config) {
		c.KeepAlive.Interval = -1
		c.Accept = []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}
	})
	pe := s.connect(1, "192.0.2.1:5000")
	for addr, accepted := range map[string]bool{"203.0.113.9": true, "192.0.2.1": true, "203.0.114.9": false, "192.0.2.100": false, "127.0.0.1": false} {
		m := pe.offer("pool", 1)
		m.Element.User.Addrs = []netip.Addr{netip.MustParseAddr(addr)}
		pe.sends(m)
		if r := s.take()[0].(SendASAP).Message.(asap.RegistrationResponse); r.Rejected == accepted {
			t.Errorf("%s: %v", addr, r)
		}
	}
}

// What a peer on another host says of loopback is not believed: it is known where
// its association comes from.
func TestPeerOnForeignLoopback(t *testing.T) {
	s := enrpScript(t)
	v := &rival{&remote{s, Link{ENRPOverSCTP, 1}, netip.MustParseAddrPort("192.0.2.20:9901")}, 20}
	s.step(AssocUp{Link: v.link, Peer: v.addrPorts()})
	m := v.presence(0xffff)
	m.Server.Transport = serverAt("127.0.0.1:9901")
	v.says(m)
	v.says(enrp.ListResponse{Route: v.route(), Servers: []protocol.Server{{ID: 30, Transport: serverAt("127.0.0.1:9902")}}})
	s.want(v.hears(mine(20, true)))
	if got := s.r.peers.byID[20].addrs(); got[0] != v.at || s.r.peers.byID[30] != nil {
		t.Errorf("the peer is at %v", got)
	}
}

// The zone of a link-local address stays with the ASAP transport of a PE, at which
// it is asked when its association is gone, and has no part in what it may register.
func TestZoneOfElement(t *testing.T) {
	s := started(t)
	pe := s.connect(1, "[fe80::1%7]:5000")
	m := pe.offer("pool", 1)
	m.Element.User.Addrs = []netip.Addr{netip.MustParseAddr("fe80::1")}
	pe.sends(m)
	s.want(pe.gets(asap.RegistrationResponse{Handle: "pool", ID: 1}))
	pe.lost()
	s.want(SendASAPTo{Token: 1, Peer: []netip.AddrPort{pe.at}, Message: ask("pool", 1)})
}

// TestLoadOfTheNamed (POL-5.2-02): a session counts for the element that its user is
// told to use first, also where a better one is not named to it.
func TestLoadOfTheNamed(t *testing.T) {
	s := started(t)
	pe := s.here(1, "127.0.0.1:5000")
	for id := range protocol.PEID(3) {
		m := pe.offer("pool", id+1)
		m.Element.Policy = protocol.Policy{Type: protocol.LeastUsedWithDegradation, Load: 10 * uint32(id), Degradation: 10}
		if id > 0 {
			m.Element.User.Addrs = append(m.Element.User.Addrs, hostAddr)
		}
		pe.sends(m)
	}
	s.take()
	far := s.connect(4, "192.0.2.7:6000")
	var got []protocol.PEID
	for range 5 {
		far.sends(asap.HandleResolution{Handle: "pool"})
		m := s.take()[0].(SendASAP).Message.(asap.HandleResolutionResponse)
		got = append(got, m.Elements[0].ID)
	}
	if want := []protocol.PEID{2, 3, 2, 3, 2}; !slices.Equal(got, want) {
		t.Errorf("sessions go to %v, want %v", got, want)
	}
}
