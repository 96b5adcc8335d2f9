package registrar

import (
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// update is what we announce about a PE at 192.0.2.1:5000.
func update(action enrp.Action, m asap.Registration) enrp.HandleUpdate {
	e := m.Element
	e.Home = myID
	e.ASAP = serverAt("192.0.2.1:5000")
	return enrp.HandleUpdate{Route: from(0), Action: action, Handle: m.Handle, Element: e}
}

// ENRP-3.1-01, ENRP-3.3.1-01, 02, ASAP-3.1-28: a grant is announced to all, one
// copy each, new or renewed, a rejection to nobody. ENRP-3.3.2-01, 02, ASAP-3.2-11: so is every removal,
// with the complete PE.
func TestAnnouncements(t *testing.T) {
	s := enrpScript(t)
	a, b := s.meets(1, 20, "192.0.2.20:9901"), s.meets(2, 30, "192.0.2.30:9901")
	pe := s.connect(1, "192.0.2.1:5000")
	m := pe.offer("p", 1)
	everybody := func(u enrp.HandleUpdate) []Effect { return []Effect{a.hears(u), b.hears(u)} }
	granted := pe.gets(asap.RegistrationResponse{Handle: "p", ID: 1})
	for range 2 {
		pe.sends(m)
		s.want(append([]Effect{granted}, everybody(update(enrp.AddPE, m))...)...)
	}
	bad := m
	bad.Element.Policy.Type = protocol.Random
	pe.sends(bad)
	if out := s.take(); len(out) != 1 {
		t.Errorf("a rejection made %v", out)
	}
	pe.sends(asap.Deregistration{Handle: "p", ID: 1})
	left := pe.gets(asap.DeregistrationResponse{Handle: "p", ID: 1})
	s.want(append([]Effect{left}, everybody(update(enrp.DelPE, m))...)...)
	pe.sends(asap.Deregistration{Handle: "p", ID: 1})
	s.want(left)

	pe.sends(m) // expiry
	s.take()
	s.sleep(300 * time.Second)
	s.want(append([]Effect{left}, everybody(update(enrp.DelPE, m))...)...)
	pe.sends(m) // death
	s.take()
	pe.sends(asap.EndpointUnreachable{Handle: "p", ID: 1})
	s.want(pe.gets(ask("p", 1)))
	pe.lost()
	s.take()
	s.step(ConnectFailed{Token: 1, Err: errRefused})
	s.want(everybody(update(enrp.DelPE, m))...)
}

// ENRP-3.3.1-03, 04, 05, ENRP-3.3.2-03, 04: what peers tell is stored and
// removed; PUs are told like of our own.
func TestUpdatesFromPeers(t *testing.T) {
	s := enrpScript(t)
	v := s.meets(1, 20, "192.0.2.20:9901")
	v.updates(enrp.AddPE, "p", owned(1, 20))
	v.updates(enrp.AddPE, "p", owned(2, 20))
	v.updates(enrp.AddPE, "p", owned(2, 30)) // the home too
	s.wantHomes("p", homes{1: 20, 2: 30})
	pu := s.connect(9, "192.0.2.9:1")
	pu.sends(asap.HandleResolution{Handle: "p", Subscribe: true})
	s.take()
	changed := owned(1, 20)
	changed.User.Port = 1
	v.updates(enrp.AddPE, "p", changed)
	s.sleep(time.Second)
	if out := s.take(); len(out) != 1 {
		t.Errorf("the subscriber got %v", out)
	}
	v.updates(enrp.DelPE, "p", owned(1, 20))
	v.updates(enrp.DelPE, "p", owned(1, 20))
	v.updates(enrp.DelPE, "q", owned(1, 20))
	v.updates(7, "p", owned(9, 20)) // ENRP-2.4-01
	s.wantHomes("p", homes{2: 30})
	v.updates(enrp.DelPE, "p", owned(2, 20))
	s.want(pu.gets(unknownPool("p")))
}

// ENRP-3.3.1-06: nobody else says what we own. ENRP-3.3.1-07, E-18: what does
// not fit our pool is ignored. ADD_PE without home or ASAP Transport is no use.
func TestUpdatesRefused(t *testing.T) {
	s := enrpScript(t)
	v := s.meets(1, 20, "192.0.2.20:9901")
	pe := s.connect(1, "192.0.2.1:5000")
	pe.sends(pe.offer("p", 1))
	s.take()
	v.updates(enrp.AddPE, "p", owned(5, myID))
	v.updates(enrp.AddPE, "p", owned(6, 0))
	misfit := owned(7, 20)
	misfit.Policy.Type = protocol.Random
	v.updates(enrp.AddPE, "p", misfit)
	nowhere := owned(8, 20)
	nowhere.ASAP = protocol.Transport{}
	v.updates(enrp.AddPE, "p", nowhere)
	s.wantHomes("p", homes{1: myID})
	s.want()
}

// OWN-04, OWN-05, OWN-09: ADD_PE with another home takes the PE from us: no
// keep-alives, no life timer, no DEL_PE when its old association ends. The PE,
// if it is still with us, is told (ASAP-2.2.4-01): it may have registered here
// after it registered there.
func TestOwnershipMovesAway(t *testing.T) {
	s := startedWith(t, func(c *Config) { quiet(c); c.KeepAlive.Interval = 0 })
	v := s.meets(1, 20, "192.0.2.20:9901")
	pe := s.connect(1, "192.0.2.1:5000")
	pe.sends(pe.offer("p", 1))
	s.take()
	v.updates(enrp.AddPE, "p", owned(1, 20))
	s.want(pe.gets(asap.DeregistrationResponse{Handle: "p", ID: 1}))
	s.wantHomes("p", homes{1: 20})
	pe.lost()
	s.sleep(long)
	s.want()
	s.wantHomes("p", homes{1: 20})
}

// ASAP-3.1-23, OWN-01, OWN-04: registering here takes a PE from its former owner.
func TestOwnershipMovesHere(t *testing.T) {
	s := enrpScript(t)
	v := s.meets(1, 20, "192.0.2.20:9901")
	pe := s.connect(1, "192.0.2.1:5000")
	v.updates(enrp.AddPE, "p", owned(1, 20))
	m := pe.offer("p", 1)
	pe.sends(m)
	s.want(pe.gets(asap.RegistrationResponse{Handle: "p", ID: 1}), v.hears(update(enrp.AddPE, m)))
	s.wantHomes("p", homes{1: myID})
}

// ENRP-3.3.2-05, E-32: a stale owner cannot remove a PE that is with us, nor one
// that we own, nor one whose owner we know and that lives. A registrar that names
// the owner that we know can remove the PE.
func TestStaleDelPE(t *testing.T) {
	s := enrpScript(t)
	v := s.meets(1, 20, "192.0.2.20:9901")
	pe := s.connect(1, "192.0.2.1:5000")
	m := pe.offer("p", 1)
	pe.sends(m)
	s.take()
	v.updates(enrp.DelPE, "p", owned(1, 20))
	s.want(v.hears(update(enrp.AddPE, m)))
	s.wantHomes("p", homes{1: myID})
	pe.lost()
	v.updates(enrp.DelPE, "p", owned(1, 20))
	s.wantHomes("p", homes{1: myID})
	s.take()
	w := s.meets(2, 30, "192.0.2.30:9901")
	w.updates(enrp.AddPE, "p", owned(1, 30))
	v.updates(enrp.DelPE, "p", owned(1, 20))
	s.wantHomes("p", homes{1: 30})
	v.updates(enrp.DelPE, "p", owned(1, 30))
	s.wantHomes("p", homes{})
}

// ASAP-3.5-14: a report at a registrar that is not the owner makes it ask too;
// the PE goes here, and nobody is told. ASAP-3.2-12: a PE whose home died may
// deregister here, and everybody is told.
func TestPEOfAnother(t *testing.T) {
	s := enrpScript(t)
	v := s.meets(1, 20, "192.0.2.20:9901")
	for id := range protocol.PEID(2) {
		v.updates(enrp.AddPE, "p", owned(id+1, 20))
	}
	pu := s.connect(9, "192.0.2.9:1")
	for range 5 {
		pu.sends(asap.EndpointUnreachable{Handle: "p", ID: 1})
	}
	s.want(SendASAPTo{Token: 1, Peer: owned(1, 20).ASAP.AddrPorts(), Message: ask("p", 1)})
	s.step(ConnectFailed{Token: 1, Err: errRefused})
	s.want()
	s.wantHomes("p", homes{2: 20})

	// An association, but no answer: that is for the owner to judge.
	pu.sends(asap.EndpointUnreachable{Handle: "p", ID: 2})
	s.take()
	s.step(AssocUp{Link: Link{ASAPOverSCTP, 4}, Token: 2, Peer: owned(2, 20).ASAP.AddrPorts()})
	s.sleep(time.Minute - 1)
	s.step(AssocLost{Link: Link{ASAPOverSCTP, 4}})
	s.take()
	s.wantHomes("p", homes{2: 20})

	pe := s.connect(3, "198.51.100.1:5000")
	pe.sends(asap.Deregistration{Handle: "p", ID: 2})
	s.want(pe.gets(asap.DeregistrationResponse{Handle: "p", ID: 2}),
		v.hears(enrp.HandleUpdate{Route: from(0), Action: enrp.DelPE, Handle: "p", Element: owned(2, 20)}))
}

// ENRP-3.3.1-01: what waited for an association is not told any more when it is
// not so any more.
func TestUpdateOutdatedWhileWaiting(t *testing.T) {
	s := startedWith(t, func(c *Config) { quiet(c); c.KeepAlive.Interval = 0 })
	v, w := s.meets(1, 20, "192.0.2.20:9901"), s.meets(2, 30, "192.0.2.30:9901")
	s.step(AssocLost{Link: v.link})
	out := s.take()
	call, ok := out[len(out)-1].(SendENRPTo)
	if !ok {
		t.Fatalf("lost a peer and did %v", out)
	}
	pe := s.connect(1, "192.0.2.1:5000")
	for _, id := range []protocol.PEID{1, 2} {
		pe.sends(pe.offer("p", id))
	}
	w.updates(enrp.AddPE, "p", owned(1, 30))
	s.take()
	again := &rival{&remote{s, Link{ENRPOverSCTP, 3}, v.at}, 20}
	s.step(AssocUp{Link: again.link, Token: call.Token, Peer: call.Peer})
	s.want(again.hears(update(enrp.AddPE, pe.offer("p", 2))))
}
