package registrar

import (
	"net/netip"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// seeking is a registrar that has just begun to look for others by multicast.
func seeking(t *testing.T, change func(*Config)) *script {
	s := newScript(t, func(c *Config) {
		quiet(c)
		c.Multicast = true
		if change != nil {
			change(c)
		}
	})
	s.step(Start{})
	s.sleep(0)
	return s
}

func toGroup(joining bool) Effect { return SendPresence{Message: mine(0, joining)} }

// heard is a presence that a registrar says to the group.
func heard(id protocol.ServerID, at string) PresenceHeard {
	return PresenceHeard{enrp.Presence{Route: enrp.Route{Sender: id}, HasChecksum: true, Checksum: 0xffff, HasServer: true,
		Server: protocol.Server{ID: id, Transport: serverAt(at)}}}
}

// groupless drops the presences to the group from what came out.
func (s *script) groupless() *script {
	var rest []Effect
	for _, e := range s.out {
		if _, ok := e.(SendPresence); !ok {
			rest = append(rest, e)
		}
	}
	s.out = rest
	return s
}

// answers lets a knock succeed: the registrar presents itself over SCTP.
func (s *script) answers(token Token, link Link, id protocol.ServerID, at string) *rival {
	s.Helper()
	v := &rival{&remote{s, link, netip.MustParseAddrPort(at)}, id}
	s.step(AssocUp{Link: link, Token: token, Peer: v.addrPorts()})
	v.says(v.presence(0xffff))
	return v
}

// ENRP-3.2-02: with multicast, one listens a short while before one thinks
// oneself alone; all together then say about one presence a second.
func TestDiscoveryAlone(t *testing.T) {
	s := seeking(t, nil)
	s.want(toGroup(true))
	for range 3 {
		s.sleep(500 * time.Millisecond)
		s.want(toGroup(true))
	}
	s.sleep(500*time.Millisecond - 1)
	if s.r.serving {
		t.Error("serves before it can know that it is alone")
	}
	s.sleep(1)
	if !s.r.serving {
		t.Error("alone, and does not serve")
	}
	s.take()
	s.sleep(time.Second)
	s.want(toGroup(false))
	for i := range 3 {
		s.r.peers.add(s.now, protocol.ServerID(i+1), nil)
	}
	s.take()
	s.sleep(41 * time.Second)
	if n := len(s.take()); n != 11 { // one more was due already
		t.Errorf("one of four says %d presences in 41 s", n)
	}
}

// OVR-3.1-01, E-16, ENRP-3.4.1-02: who is heard is connected to, and is a mentor once
// it answers over SCTP; the list and the table follow.
func TestDiscoveryFindsMentor(t *testing.T) {
	s := seeking(t, nil)
	s.take()
	s.step(heard(20, "192.0.2.20:9901"))
	s.want(s.knocks(1, "192.0.2.20:9901"))
	s.step(heard(20, "192.0.2.20:9901")) // the knock is under way
	s.want()
	v := s.answers(1, Link{ENRPOverSCTP, 1}, 20, "192.0.2.20:9901")
	s.want(v.hears(mine(20, true)), v.hears(enrp.ListRequest{Route: from(20)}))
	v.says(enrp.ListResponse{Route: v.route()})
	s.want(v.hears(enrp.HandleTableRequest{Route: from(20)}))
	v.says(enrp.HandleTableResponse{Route: v.route(), Entries: []enrp.PoolEntry{{Handle: "p", Elements: []protocol.Element{owned(1, 20)}}}})
	s.wantHomes("p", homes{1: 20})
	if !s.r.serving {
		t.Error("has the table, and does not serve")
	}
	s.groupless().take()
	s.step(heard(20, "192.0.2.20:9901"))
	s.want()
}

// A registrar that heard us connects, and is a mentor as well.
func TestDiscoveryFound(t *testing.T) {
	s := seeking(t, nil)
	s.take()
	v := &rival{&remote{s, Link{ENRPOverSCTP, 1}, netip.MustParseAddrPort("192.0.2.20:9901")}, 20}
	s.step(AssocUp{Link: v.link, Peer: v.addrPorts()})
	v.says(v.presence(0xffff))
	s.want(v.hears(mine(20, true)), v.hears(enrp.ListRequest{Route: from(20)}))
	v.lost()
	s.sleep(2 * time.Second) // it is tried again before we think ourselves alone
	for _, e := range s.groupless().take() {
		s.step(ConnectFailed{Token: e.(SendENRPTo).Token, Err: errRefused})
	}
	if !s.r.serving {
		t.Error("the mentor is gone, and it waits for it")
	}
}

// ENRP-3.2-07, 16: others that start too are no reason to serve with an empty
// table while one that has it may still be found.
func TestDiscoveryAmongBeginners(t *testing.T) {
	s := seeking(t, nil)
	s.take()
	s.step(heard(0xfffffff0, "192.0.2.20:9901"))
	v := s.answers(1, Link{ENRPOverSCTP, 1}, 0xfffffff0, "192.0.2.20:9901")
	v.says(enrp.ListResponse{Route: v.route(), Rejected: true})
	if s.r.serving {
		t.Fatal("serves because another one does not")
	}
	s.take()
	s.sleep(time.Second)
	s.step(heard(30, "192.0.2.30:9901"))
	w := s.answers(2, Link{ENRPOverSCTP, 2}, 30, "192.0.2.30:9901")
	w.says(enrp.ListResponse{Route: w.route()})
	w.says(enrp.HandleTableResponse{Route: w.route(), Entries: []enrp.PoolEntry{{Handle: "p", Elements: []protocol.Element{owned(1, 30)}}}})
	s.wantHomes("p", homes{1: 30})

	s = seeking(t, nil)
	s.step(heard(0xfffffff0, "192.0.2.20:9901"))
	v = s.answers(1, Link{ENRPOverSCTP, 1}, 0xfffffff0, "192.0.2.20:9901")
	v.says(enrp.ListResponse{Route: v.route(), Rejected: true})
	s.sleep(2 * time.Second) // asked once more
	v.says(enrp.ListResponse{Route: v.route(), Rejected: true})
	if !s.r.serving {
		t.Error("two that start together, and the one with the lower identifier waits")
	}
}

// ENRP-3.2-01: those that are configured come first, the others are backups.
func TestDiscoveryBehindConfigured(t *testing.T) {
	s := seeking(t, func(c *Config) { c.Peers = [][]netip.AddrPort{{netip.MustParseAddrPort("192.0.2.20:9901")}} })
	s.groupless().want(s.knocks(1, "192.0.2.20:9901"))
	s.step(heard(30, "192.0.2.30:9901"))
	v := s.answers(2, Link{ENRPOverSCTP, 2}, 30, "192.0.2.30:9901")
	s.want(s.knocks(2, "192.0.2.30:9901"), v.hears(mine(30, true)))
	s.step(ConnectFailed{Token: 1, Err: errRefused})
	s.want(v.hears(enrp.ListRequest{Route: from(30)}))
}

// What cannot be a registrar's presence, or is ours, leads to nothing.
func TestDiscoveryIgnores(t *testing.T) {
	s := seeking(t, nil)
	s.take()
	good := heard(20, "192.0.2.20:9901")
	for name, change := range map[string]func(*enrp.Presence){
		"no identifier":         func(m *enrp.Presence) { m.Sender = 0 },
		"our identifier":        func(m *enrp.Presence) { m.Sender, m.Server.ID = myID, myID },
		"no server information": func(m *enrp.Presence) { m.HasServer = false },
		"of another server":     func(m *enrp.Presence) { m.Server.ID = 21 },
		"our address":           func(m *enrp.Presence) { m.Server.Transport = myENRP },
		"over UDP":              func(m *enrp.Presence) { m.Server.Transport.Protocol = protocol.UDP },
		"no port":               func(m *enrp.Presence) { m.Server.Transport.Port = 0 },
		"no address":            func(m *enrp.Presence) { m.Server.Transport.Addrs = nil },
		"a group":               func(m *enrp.Presence) { m.Server.Transport = serverAt("224.0.0.1:9901") },
		"any address":           func(m *enrp.Presence) { m.Server.Transport = serverAt("0.0.0.0:9901") },
	} {
		ev := good
		change(&ev.Message)
		s.step(ev)
		if out := s.take(); len(out) > 0 {
			t.Errorf("%s: %v", name, out)
		}
	}
	off := enrpScript(t)
	off.step(good)
	off.want()
}

// A peer that is known but not connected, or thought dead, is asked over SCTP:
// the datagram alone does not keep it alive (SEC-2.12-02).
func TestDiscoveryOfPeers(t *testing.T) {
	s := seeking(t, nil)
	s.sleep(2 * time.Second)
	v := s.answers(0, Link{ENRPOverSCTP, 1}, 20, "192.0.2.20:9901")
	s.groupless().take()
	before := s.r.peers.byID[20].lastHeard
	s.sleep(time.Second)
	s.groupless().take()
	s.step(heard(20, "192.0.2.20:9901"))
	s.want()
	v.lost()
	s.want(SendENRPTo{Token: 1, Peer: v.addrPorts(), Message: mine(20, true)})
	s.step(ConnectFailed{Token: 1}) // inconclusive
	s.step(heard(20, "192.0.2.66:9901"))
	s.want(SendENRPTo{Token: 2, Peer: v.addrPorts(), Message: mine(20, true)})
	if !s.r.peers.byID[20].lastHeard.Equal(before) {
		t.Error("anybody can keep a dead registrar alive")
	}
}

// SEC-2.12-02: a flood of forged presences has little effect, and afterwards a
// real one is found.
func TestDiscoveryFlood(t *testing.T) {
	s := seeking(t, nil)
	flood := func() (tokens []Token) {
		for i := range 100_000 {
			a := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 9901)
			s.step(heard(protocol.ServerID(i+1000), a.String()))
		}
		for _, e := range s.groupless().take() {
			tokens = append(tokens, e.(SendENRPTo).Token)
		}
		return tokens
	}
	first := flood()
	if len(first) > knockBurst {
		t.Errorf("%d knocks for a flood", len(first))
	}
	s.sleep(2 * time.Second)
	if !s.r.serving {
		t.Error("forged presences keep it from serving")
	}
	tokens := append(first, flood()...)
	if len(tokens) > maxKnocks {
		t.Errorf("%d knocks at once", len(tokens))
	}
	s.sleep(10 * time.Second)
	for _, token := range tokens {
		s.step(ConnectFailed{Token: token, Err: errRefused})
	}
	s.groupless().take()
	s.step(heard(20, "192.0.2.20:9901"))
	s.want(s.knocks(tokens[len(tokens)-1]+1, "192.0.2.20:9901"))
	if len(s.r.peers.list) != 0 || len(s.r.discovery.open) != 1 || len(s.r.candidates.list) != 0 {
		t.Errorf("%d peers, %d knocks, %d contacts", len(s.r.peers.list), len(s.r.discovery.open), len(s.r.candidates.list))
	}
}

// Where somebody accepts the association but is no registrar, it is ended.
func TestDiscoveryOfSomethingElse(t *testing.T) {
	s := seeking(t, nil)
	s.sleep(2 * time.Second)
	s.take()
	s.step(heard(20, "192.0.2.20:80"))
	s.step(AssocUp{Link: Link{ENRPOverSCTP, 1}, Token: 1, Peer: serverAt("192.0.2.20:80").AddrPorts()})
	s.sleep(time.Second)
	s.groupless().take()
	s.sleep(time.Minute)
	s.groupless().want(Shutdown{Link: Link{ENRPOverSCTP, 1}})
}

// Registrars that were told of nobody find each other, started together or one
// after the other, and again after they were cut off.
func TestClusterDiscovery(t *testing.T) {
	for seed := range uint64(10) {
		c := newCluster(t, seed)
		c.change = func(cfg *Config) { cfg.Multicast = true }
		apart := time.Duration(seed) * 300 * time.Millisecond
		for _, id := range []protocol.ServerID{30, 10, 50, 20, 40} {
			c.add(id)
			c.run(apart)
		}
		c.run(15 * time.Second)
		for _, n := range c.nodes {
			if !n.r.serving || len(n.r.peers.list) != 4 {
				t.Fatalf("seed %d: registrar %v serves: %v, and knows %d others", seed, n.r.id, n.r.serving, len(n.r.peers.list))
			}
		}
		c.fill(50)
		c.run(time.Second)
		c.wantAgreement()
		late := c.add(60)
		c.run(time.Second)
		if !late.r.serving {
			t.Errorf("seed %d: a newcomer does not serve after a second", seed)
		}
		c.wantAgreement()
		c.partition(c.nodes[0], c.nodes[3])
		c.run(5 * time.Minute)
		c.partition()
		c.run(time.Minute)
		c.wantAgreement()
	}
}
