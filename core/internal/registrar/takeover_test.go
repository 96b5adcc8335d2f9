package registrar

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

const highID protocol.ServerID = 0xfffffff0

// dying is a registrar whose peer 20, owner of PE 1, just turned out dead,
// while others, if any, live.
func dying(t *testing.T, others ...protocol.ServerID) (s *script, dead *rival, alive []*rival) {
	s = enrpScript(t)
	dead = s.meets(1, 20, "192.0.2.20:9901")
	dead.updates(enrp.AddPE, "p", owned(1, 20))
	for i, id := range others {
		alive = append(alive, s.meets(assoc.ID(2+i), id, fmt.Sprintf("192.0.2.3%d:9901", i)))
	}
	dead.lost()
	s.want(SendENRPTo{Token: 1, Peer: dead.addrPorts(), Message: mine(20, true)})
	s.step(ConnectFailed{Token: 1, Err: errRefused})
	return s, dead, alive
}

func claimed(h protocol.PoolHandle, id protocol.PEID) asap.EndpointKeepAlive {
	m := ask(h, id)
	m.NewHome = true
	return m
}

func initTakeover(v *rival) Effect { return v.hears(enrp.InitTakeover{Route: from(0), Target: 20}) }

func toTarget(token Token, dead *rival) Effect {
	return SendENRPTo{Token: token, Peer: dead.addrPorts(), Message: enrp.InitTakeover{Route: from(0), Target: 20}}
}

func (v *rival) acks() { v.says(enrp.InitTakeoverAck{Route: v.route(), Target: 20}) }

// ENRP-3.5-01, 02, 09, 13, 14, 15, 16, OWN-07, OWN-08, OVR-3.4-01: INIT to all and the
// target; after the last ACK TAKEOVER_SERVER first, then the KEEP_ALIVE with H.
func TestTakeover(t *testing.T) {
	s, dead, o := dying(t, 30, 40)
	s.want(initTakeover(o[0]), initTakeover(o[1]), toTarget(2, dead))
	o[0].acks()
	o[0].acks() // ENRP-3.5-10: duplicates
	o[1].says(enrp.InitTakeoverAck{Route: o[1].route(), Target: 99})
	s.want()
	s.wantHomes("p", homes{1: 20})
	o[1].acks()
	taken := enrp.TakeoverServer{Route: from(0), Target: 20}
	s.want(o[0].hears(taken), o[1].hears(taken),
		SendASAPTo{Token: 3, Peer: owned(1, 20).ASAP.AddrPorts(), Message: claimed("p", 1)})
	s.wantHomes("p", homes{1: myID})
	o[0].says(enrp.ListRequest{Route: o[0].route()})
	if m := s.take()[0].(SendENRP).Message.(enrp.ListResponse); len(m.Servers) != 2 {
		t.Errorf("the list still has the target: %v", m)
	}
	o[1].acks() // late
	s.want()
}

// ENRP-3.5-09: nobody else, won at once. ENRP-3.5-18: a PE that died with its
// registrar is removed, and that is announced.
func TestTakeoverAlone(t *testing.T) {
	s, dead, _ := dying(t)
	s.want(toTarget(2, dead), SendASAPTo{Token: 3, Peer: owned(1, 20).ASAP.AddrPorts(), Message: claimed("p", 1)})
	v := s.meets(5, 50, "192.0.2.50:9901")
	s.step(ConnectFailed{Token: 3, Err: errRefused})
	gone := owned(1, myID)
	s.want(v.hears(enrp.HandleUpdate{Route: from(0), Action: enrp.DelPE, Handle: "p", Element: gone}))
	s.wantHomes("p", homes{})
}

// ENRP-3.5-16: a PE that is being asked whether it lives when its registrar is taken
// over is asked at once, once more, to make us its home.
func TestTakeoverWhileAsked(t *testing.T) {
	s := enrpScript(t)
	dead := s.meets(1, 20, "192.0.2.20:9901")
	dead.updates(enrp.AddPE, "p", owned(1, 20))
	pu := s.connect(1, "192.0.2.9:5000")
	pu.sends(asap.EndpointUnreachable{Handle: "p", ID: 1})
	s.want(SendASAPTo{Token: 1, Peer: owned(1, 20).ASAP.AddrPorts(), Message: ask("p", 1)})
	pe := &remote{s, Link{ASAPOverSCTP, 2}, owned(1, 20).ASAP.AddrPorts()[0]}
	s.step(AssocUp{Link: pe.link, Token: 1, Peer: []netip.AddrPort{pe.at}})
	dead.lost()
	s.want(SendENRPTo{Token: 2, Peer: dead.addrPorts(), Message: mine(20, true)})
	s.step(ConnectFailed{Token: 2, Err: errRefused})
	s.want(toTarget(3, dead), pe.gets(claimed("p", 1)))
}

// ENRP-3.5-04: the target is heard before the end.
func TestTakeoverCancelled(t *testing.T) {
	s, dead, o := dying(t, 30)
	s.take()
	back := &rival{&remote{s, Link{ENRPOverSCTP, 9}, dead.at}, 20}
	s.step(AssocUp{Link: back.link, Peer: dead.addrPorts()})
	back.says(back.presence(sumOf("p", 1)))
	o[0].acks()
	s.want()
	s.wantHomes("p", homes{1: 20})
	if p := s.r.peers.byID[20]; p == nil || p.takeover != nil || p.inactive {
		t.Error("the target is not an active peer again")
	}
}

// ENRP-3.5-11: missing ACKs are asked for again. ENRP-3.5-10: a peer
// that dies meanwhile is not waited for.
func TestTakeoverMissingAcks(t *testing.T) {
	s, _, o := dying(t, 30, 40)
	o[0].acks()
	s.take()
	s.sleep(15 * time.Second)
	s.want(initTakeover(o[1]))
	o[1].lost()
	s.take()
	s.step(ConnectFailed{Token: 3, Err: errRefused})
	s.wantHomes("p", homes{1: myID})
	if s.r.peers.byID[20] != nil || s.r.peers.byID[40] == nil || s.r.peers.byID[40].takeover == nil {
		t.Error("the first takeover should be over, and that of the second one begun")
	}
}

// ENRP-3.5-05, 06, 27: two that want to take over: the higher identifier wins,
// the lower one agrees.
func TestTakeoverRivals(t *testing.T) {
	s, _, o := dying(t, 30, highID)
	s.take()
	o[0].says(enrp.InitTakeover{Route: o[0].route(), Target: 20})
	s.want() // 2B: silence
	o[1].says(enrp.InitTakeover{Route: o[1].route(), Target: 20})
	agreed := enrp.InitTakeoverAck{Route: from(highID), Target: 20}
	s.want(o[1].hears(agreed)) // 2A
	o[0].acks()
	o[1].acks()
	s.want() // our attempt is over
	// ENRP-3.5-21: uninvolved now, also towards the third.
	o[0].says(enrp.InitTakeover{Route: o[0].route(), Target: 20})
	s.want(o[0].hears(enrp.InitTakeoverAck{Route: from(30), Target: 20}))
	// ENRP-3.5-17
	o[1].says(enrp.TakeoverServer{Route: o[1].route(), Target: 20})
	s.wantHomes("p", homes{1: highID})
	if s.r.peers.byID[20] != nil {
		t.Error("the target is still a peer")
	}
}

// RSPLIB decides the other way round.
func TestTakeoverLowerIDWins(t *testing.T) {
	s, _, o := dying(t, 30, highID)
	s.r.cfg.Interop.LowerIDWins = true
	s.take()
	o[1].says(enrp.InitTakeover{Route: o[1].route(), Target: 20})
	s.want()
	o[0].says(enrp.InitTakeover{Route: o[0].route(), Target: 20})
	s.want(o[0].hears(enrp.InitTakeoverAck{Route: from(30), Target: 20}))
}

// ENRP-3.5-07, 08, 11, 12: if we are not involved, the target is left to the
// initiator, but not without end if that one never finishes.
func TestTakeoverByAnother(t *testing.T) {
	s := enrpScript(t)
	target, v := s.meets(1, 20, "192.0.2.20:9901"), s.meets(2, 30, "192.0.2.30:9901")
	ackFor := func(id protocol.ServerID) Effect {
		return v.hears(enrp.InitTakeoverAck{Route: from(30), Target: id})
	}
	v.says(enrp.InitTakeover{Route: v.route(), Target: 99})
	s.want(ackFor(99))
	v.says(enrp.InitTakeover{Route: v.route(), Target: 20})
	s.want(ackFor(20))
	target.lost() // not monitored
	s.sleep(30*time.Second - 1)
	s.want()
	s.sleep(1)
	s.want(SendENRPTo{Token: 1, Peer: target.addrPorts(), Message: mine(20, true)})
	s.step(ConnectFailed{Token: 1, Err: errRefused})
	if s.r.peers.byID[20].takeover == nil {
		t.Error("the takeover was not started over")
	}
	back := &rival{&remote{s, Link{ENRPOverSCTP, 9}, target.at}, 20}
	v.says(enrp.InitTakeover{Route: enrp.Route{Sender: highID}, Target: 20})
	s.step(AssocUp{Link: back.link, Peer: target.addrPorts()})
	back.says(back.presence(0xffff))
	if p := s.r.peers.byID[20]; p.inactive || p.takeover != nil {
		t.Error("a message from the target does not make it active again")
	}
}

// ENRP-3.5-03: the target itself shows everybody that it lives.
func TestTakeoverOfUs(t *testing.T) {
	s := enrpScript(t)
	a, b := s.meets(1, 20, "192.0.2.20:9901"), s.meets(2, 30, "192.0.2.30:9901")
	a.says(enrp.InitTakeover{Route: a.route(), Target: myID})
	s.want(a.hears(mine(0, false)), b.hears(mine(0, false)))

	// ENRP-3.5-19: and if it comes to that, accepts it and goes on.
	pe := s.connect(1, "192.0.2.1:5000")
	m := pe.offer("p", 1)
	pe.sends(m)
	s.take()
	a.says(enrp.TakeoverServer{Route: a.route(), Target: myID})
	if out := s.take(); len(out) != 2 {
		t.Errorf("being taken over made %v", out)
	}
	s.wantHomes("p", homes{1: 20})
	pe.sends(m)
	s.wantHomes("p", homes{1: myID})
}

// ENRP-3.5-20: TAKEOVER_SERVER counts even when we knew nothing of it.
// ENRP-3.5-23: PEs that moved meanwhile stay where they are. ENRP-3.5-24: so
// does it when the target is unknown here.
func TestTakeoverServer(t *testing.T) {
	s := enrpScript(t)
	target, v := s.meets(1, 20, "192.0.2.20:9901"), s.meets(2, 30, "192.0.2.30:9901")
	target.updates(enrp.AddPE, "p", owned(1, 20))
	target.updates(enrp.AddPE, "p", owned(2, 40))
	target.updates(enrp.AddPE, "p", owned(3, 50))
	v.says(enrp.TakeoverServer{Route: v.route(), Target: 20})
	v.says(enrp.TakeoverServer{Route: v.route(), Target: 50})
	v.says(enrp.TakeoverServer{Route: v.route(), Target: 30}) // itself: nonsense
	s.want()
	s.wantHomes("p", homes{1: 30, 2: 40, 3: 30})
	if s.r.peers.byID[20] != nil || s.r.peers.byID[30] == nil {
		t.Error("the wrong registrar was forgotten")
	}
	// ENRP-3.5-26: heard again, the target is a new peer.
	target.says(target.presence(0xffff))
	s.want(target.hears(mine(20, true)))
}

// The lists of others may name a registrar for long after it was taken over
// (RSPLIB's do): that does not bring it back to be taken over once more, whoever
// took it over, and whether it was known here or not. When it speaks itself it is
// a peer (ENRP-3.5-26), and lists count again.
func TestListsNameTheDead(t *testing.T) {
	s, dead, o := dying(t, 30, 40)
	s.want(initTakeover(o[0]), initTakeover(o[1]), toTarget(2, dead))
	o[0].acks()
	o[1].acks()
	s.take()
	o[0].says(enrp.TakeoverServer{Route: o[0].route(), Target: 60}) // nobody told us of 60
	lists := func() {
		for _, v := range o {
			v.says(enrp.ListResponse{Route: v.route(), Servers: []protocol.Server{
				{ID: 20, Transport: serverAt("192.0.2.20:9901")}, {ID: 60, Transport: serverAt("192.0.2.60:9901")},
			}})
		}
	}
	for range 5 {
		lists()
		s.want()
		s.sleep(10 * time.Minute)
		s.take() // the PE is asked whether it lives
	}
	if n := s.r.counts.Takeovers; n != 1 || len(s.r.peers.list) != 2 {
		t.Errorf("%d takeovers, %d peers", n, len(s.r.peers.list))
	}
	back := s.meets(9, 60, "192.0.2.60:9901")
	back.says(back.presence(0xffff))
	s.want()
	if s.r.peers.byID[60] == nil {
		t.Error("who speaks itself is no peer")
	}
	s.sleep(15 * time.Minute)
	s.take()
	lists() // after so long it may be another one's identifier
	s.want(SendENRPTo{Token: 4, Peer: serverAt("192.0.2.20:9901").AddrPorts(), Message: s.r.peers.presence(20, true)})
}

// ENRP-3.5-26: what a registrar that was taken over had still to say about its
// PEs does not undo that; what it says later counts.
func TestLateADDPE(t *testing.T) {
	s := enrpScript(t)
	target, v := s.meets(1, 20, "192.0.2.20:9901"), s.meets(2, 30, "192.0.2.30:9901")
	for id := range protocol.PEID(3) {
		target.updates(enrp.AddPE, "p", owned(id+1, 20))
	}
	v.says(enrp.TakeoverServer{Route: v.route(), Target: 20})
	pe := s.connect(1, "198.51.100.1:5000")
	m := pe.offer("p", 3) // registers here
	pe.sends(m)
	s.take()
	for id := range protocol.PEID(4) {
		target.updates(enrp.AddPE, "p", owned(id+1, 20))
	}
	s.wantHomes("p", homes{1: 30, 2: 30, 3: myID, 4: 20})
	s.sleep(6 * time.Second)
	target.updates(enrp.AddPE, "p", owned(1, 20))
	s.wantHomes("p", homes{1: 20, 2: 30, 3: myID, 4: 20})
}

// ENRP-3.5-26: once it has answered us, nothing of before is on its way.
func TestADDPEAfterReturn(t *testing.T) {
	s := enrpScript(t)
	target, v := s.meets(1, 20, "192.0.2.20:9901"), s.meets(2, 30, "192.0.2.30:9901")
	target.updates(enrp.AddPE, "p", owned(1, 20))
	v.says(enrp.TakeoverServer{Route: v.route(), Target: 20})
	target.updates(enrp.AddPE, "p", owned(1, 20))
	s.wantHomes("p", homes{1: 30})
	answer := target.presence(sumOf("p", 1))
	answer.Receiver = myID
	target.says(answer)
	target.updates(enrp.AddPE, "p", owned(1, 20))
	s.wantHomes("p", homes{1: 20})
}

// ENRP-3.5-22: two that took over the same registrar hear of each other; both
// keep to the higher identifier.
func TestTwoTookOver(t *testing.T) {
	for _, id := range []protocol.ServerID{30, highID} {
		s, _, _ := dying(t)
		s.take()
		v := s.meets(5, id, "192.0.2.50:9901")
		v.says(enrp.TakeoverServer{Route: v.route(), Target: 20})
		s.wantHomes("p", homes{1: max(id, myID)})
	}
}

// Thousands of PEs are not asked in one burst.
func TestTakeoverSpreads(t *testing.T) {
	s := enrpScript(t)
	dead := s.meets(1, 20, "192.0.2.20:9901")
	const n = 5000
	for id := range protocol.PEID(n) {
		e := owned(id+1, 20)
		e.ASAP.Port = uint16(id + 1)
		dead.updates(enrp.AddPE, "p", e)
	}
	dead.lost()
	s.take()
	s.step(ConnectFailed{Token: 1, Err: errRefused})
	total := len(s.take()) - 1 // without the INIT_TAKEOVER
	for range 20 {
		s.sleep(100 * time.Millisecond)
		asked := len(s.take())
		total += asked
		if asked > n/5 {
			t.Errorf("%d PEs were asked within 100 ms", asked)
		}
	}
	if total != n {
		t.Errorf("%d of %d PEs were asked in 2 s", total, n)
	}
	checkRegistrar(t, s.r)
}
