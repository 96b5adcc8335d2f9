package registrar

import (
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// ENRP-2.1-01: a random identifier, never 0.
func TestServerIDIsDrawn(t *testing.T) {
	seen := map[protocol.ServerID]bool{}
	for i := range 20 {
		s := newScript(t, func(c *Config) { c.ServerID = 0 })
		for range i {
			s.r.cfg.Rand.Uint32()
		}
		cfg, err := Config{Rand: s.r.cfg.Rand}.resolve()
		if err != nil || cfg.ServerID == 0 {
			t.Fatalf("identifier %v, error %v", cfg.ServerID, err)
		}
		seen[cfg.ServerID] = true
	}
	if len(seen) != 20 {
		t.Errorf("20 draws gave %d identifiers", len(seen))
	}
	if _, err := New(Config{}); err == nil {
		t.Error("a configuration without a source of randomness was accepted")
	}
}

// ENRP-2.1-03, ENRP-2.1-04, ENRP-3.4.1-03, ENRP-3.6-02, ENRP-3.6-07: asked
// for a reply we present ourselves, with the checksum of this moment, and ask nothing back.
func TestPresenceReply(t *testing.T) {
	s := enrpScript(t)
	v := s.meets(1, 20, "192.0.2.20:9901")
	pe := s.connect(1, "192.0.2.1:5000")
	pe.sends(pe.offer("abc", 0x01020304))
	s.take()
	m := v.presence(0xffff)
	m.ReplyRequired = true
	v.says(m)
	want := mine(20, false)
	want.Checksum = 0x3797
	s.want(v.hears(want))
	v.says(v.presence(0xffff))
	v.says(enrp.Presence{Route: v.route()}) // ENRP-2.1-05: 12 bytes
	s.want()
}

// ENRP-3.4.2-01, ENRP-2.1-02: every 30 s a presence to each peer, receiver 0,
// no reply required. One of them, in turn, is asked whom it knows (E-40); none that
// is not connected, or thought dead.
func TestHeartbeat(t *testing.T) {
	s := startedWith(t, func(c *Config) {
		quiet(c)
		c.Timers.Heartbeat, c.Timers.TakeoverResume = 30*time.Second, long
	})
	a, b := s.meets(1, 20, "192.0.2.20:9901"), s.meets(2, 30, "192.0.2.30:9901")
	for i := range 3 {
		s.sleep(30*time.Second - 1)
		s.want()
		s.sleep(1)
		asked := []*rival{a, b}[i%2]
		s.want(a.hears(mine(0, false)), b.hears(mine(0, false)),
			asked.hears(enrp.ListRequest{Route: enrp.Route{Sender: s.r.id, Receiver: asked.id}}))
	}
	b.says(enrp.InitTakeover{Route: b.route(), Target: a.id}) // not to be relied on
	s.take()
	s.sleep(30 * time.Second)
	s.want(a.hears(mine(0, false)), b.hears(mine(0, false)),
		b.hears(enrp.ListRequest{Route: enrp.Route{Sender: s.r.id, Receiver: b.id}}))
	s.sleep(30 * time.Second)
	s.want(a.hears(mine(0, false)), b.hears(mine(0, false))) // it is the turn of the other one
}

// ENRP-3.4.3-01, 02, 03: any message counts; after 61 s of silence the peer is
// asked, 5 s later it is dead and taken over.
func TestSilentPeer(t *testing.T) {
	s := startedWith(t, func(c *Config) { quiet(c); c.Timers.LastHeard = 61 * time.Second })
	v := s.meets(1, 20, "192.0.2.20:9901")
	for range 3 {
		s.sleep(60 * time.Second)
		v.updates(enrp.DelPE, "none", owned(1, 20))
		s.want()
	}
	s.sleep(61 * time.Second)
	s.want(v.hears(mine(20, true)))
	v.says(v.presence(0xffff))
	s.sleep(61*time.Second - 1)
	s.want()
	s.sleep(1)
	s.want(v.hears(mine(20, true)))
	s.sleep(5 * time.Second)
	s.want(v.hears(enrp.InitTakeover{Route: from(0), Target: 20}))
}

// ENRP-3.4.3-04: the end of an association is not death, but a reason to ask.
// ENRP-3.4.3-03: that the asking fails is.
func TestPeerAssociationLost(t *testing.T) {
	s := enrpScript(t)
	v := s.meets(1, 20, "192.0.2.20:9901")
	v.lost()
	probe := SendENRPTo{Token: 1, Peer: v.addrPorts(), Message: mine(20, true)}
	s.want(probe)
	again := &rival{&remote{s, Link{ENRPOverSCTP, 2}, v.at}, 20}
	s.step(AssocUp{Link: again.link, Token: 1, Peer: v.addrPorts()})
	again.says(again.presence(0xffff))
	s.sleep(long)
	s.want()

	again.lost()
	probe.Token = 2
	s.want(probe)
	s.step(ConnectFailed{Token: 2, Err: errRefused})
	if len(s.r.peers.list) != 0 {
		t.Error("a peer that refuses is still counted on")
	}
}

// ENRP-3.4.1-01: any message makes its sender a peer; ENRP-2.1-06: but our own
// identifier, or none, does not, and a stale receiver does not matter.
func TestAnyMessageMakesAPeer(t *testing.T) {
	s := enrpScript(t)
	v := &rival{&remote{s, Link{ENRPOverSCTP, 1}, serverAt("192.0.2.20:9901").AddrPorts()[0]}, 20}
	s.step(AssocUp{Link: v.link, Peer: v.addrPorts()})
	for _, id := range []protocol.ServerID{0, myID} {
		v.says(enrp.HandleUpdate{Route: enrp.Route{Sender: id}, Handle: "p", Element: owned(1, 9)})
	}
	v.says(enrp.Error{Route: v.route(), Causes: cause(protocol.CauseUnspecified)})
	s.want()
	v.says(enrp.HandleUpdate{Route: enrp.Route{Sender: 20, Receiver: 0xdead}, Handle: "p", Element: owned(1, 20)})
	s.want(v.hears(mine(20, true)))
	s.wantHomes("p", homes{1: 20})
	// What it serves at is where it is, until it says otherwise.
	if p := s.r.Snapshot(s.now).Peers[0]; p.ID != 20 || p.Transport.Port != 9901 || !p.Active || !p.Connected || p.Owned != 1 {
		t.Errorf("peer: %+v", p)
	}
}

// ENRP-2.10-01, ENRP-3.7-01, 02: reports go back with our identifier; errors
// are never answered.
func TestPeerErrors(t *testing.T) {
	s := enrpScript(t)
	v := s.meets(1, 20, "192.0.2.20:9901")
	report := []protocol.Cause{{Code: protocol.CauseUnrecognizedParameter, Info: []byte{0xc0, 0x77, 0, 4}}}
	s.step(ENRPReceived{Link: v.link, Message: v.presence(0xffff), Report: report})
	s.want(v.hears(enrp.Error{Route: from(20), Causes: report}))
	s.step(ENRPReceived{Link: v.link, Report: report})
	s.want(v.hears(enrp.Error{Route: from(0), Causes: report}))
	v.says(enrp.Error{Route: v.route(), Causes: report})
	s.step(ASAPReceived{Link: v.link, Message: asap.HandleResolution{Handle: "x"}})
	s.want()
}

// A new registrar at the place of an old one is the old one restarted
// (ENRP-2.1-01): the old one is dead, whether its successor answers over the
// same association or presents itself at the same address.
func TestPeerReplaced(t *testing.T) {
	for name, replace := range map[string]func(*script, *rival){
		"same association": func(_ *script, v *rival) { v.says(enrp.Presence{Route: v.route()}) },
		"same address": func(s *script, v *rival) {
			v.lost()
			v.link.Assoc = 2
			s.step(AssocUp{Link: v.link, Peer: v.addrPorts()})
			v.says(v.presence(0xffff))
		},
	} {
		s := enrpScript(t)
		v := s.meets(1, 20, "192.0.2.20:9901")
		v.updates(enrp.AddPE, "p", owned(1, 20))
		v.id = 21
		replace(s, v)
		s.wantHomes("p", homes{1: 20})
		if s.r.peers.byID[20].takeover == nil {
			t.Fatalf("%s: no takeover of the former registrar", name)
		}
		v.says(enrp.InitTakeoverAck{Route: v.route(), Target: 20})
		s.wantHomes("p", homes{1: myID})
	}
}

// What is announced while an association is being set up goes when it stands;
// not without limit.
func TestMessagesWaitForTheAssociation(t *testing.T) {
	s := enrpScript(t)
	v := s.meets(1, 20, "192.0.2.20:9901")
	pe := s.connect(1, "192.0.2.1:5000")
	v.lost()
	s.want(SendENRPTo{Token: 1, Peer: v.addrPorts(), Message: mine(20, true)})
	m := pe.offer("p", 1)
	pe.sends(m)
	s.want(pe.gets(asap.RegistrationResponse{Handle: "p", ID: 1}))
	again := &rival{&remote{s, Link{ENRPOverSCTP, 2}, v.at}, 20}
	s.step(AssocUp{Link: again.link, Token: 1, Peer: v.addrPorts()})
	s.want(again.hears(update(enrp.AddPE, m)))
	again.lost()
	for range 1000 {
		pe.sends(m)
	}
	if n := len(s.r.peers.byID[20].attempt.waiting); n != maxAttemptWaiting {
		t.Errorf("%d messages wait, want at most %d", n, maxAttemptWaiting)
	}
}
