package registrar

import (
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// disputed returns a registrar with which PE 1 of pool p is registered, and
// another one whose table says that it owns that PE.
func disputed(t *testing.T, other protocol.ServerID) (s *script, v *rival, pe *remote, m asap.Registration) {
	s = enrpScript(t)
	v = s.meets(1, other, "192.0.2.20:9901")
	pe = s.connect(1, "192.0.2.1:5000")
	m = pe.offer("p", 1)
	pe.sends(m)
	s.take()
	v.conflicts(s)
	s.want()
	return s, v, pe, m
}

// conflicts shows by an audit that v thinks to own PE 1 of pool p.
func (v *rival) conflicts(s *script) {
	v.says(v.presence(sumOf("p", 1)))
	s.want(v.request())
	v.table(false, "p", owned(1, v.id))
}

// OWN-10: a PE that another registrar and we both think to own is asked to make
// us its home. Its acknowledgement is told, whoever has the higher identifier.
func TestBothOwn(t *testing.T) {
	for _, id := range []protocol.ServerID{20, 0xfffffff0} {
		s, v, pe, m := disputed(t, id)
		s.wantHomes("p", homes{1: myID})
		s.sleep(time.Second)
		s.want(pe.gets(claimed("p", 1)))
		pe.sends(ack("p", 1))
		s.want(v.hears(update(enrp.AddPE, m)))
		s.wantHomes("p", homes{1: myID})
	}
}

// OWN-10: when the PE registered nowhere and the conflict is seen again, the
// higher identifier tells, the lower one gives way.
func TestBothStillOwn(t *testing.T) {
	for _, id := range []protocol.ServerID{20, 0xfffffff0} {
		s, v, pe, m := disputed(t, id)
		s.sleep(time.Second)
		pe.sends(ack("p", 1))
		s.take()
		s.sleep(2 * time.Second)
		v.conflicts(s)
		if id < myID {
			s.want(v.hears(update(enrp.AddPE, m)))
			s.wantHomes("p", homes{1: myID})
		} else {
			s.want()
			s.wantHomes("p", homes{1: id})
		}
	}
}

// OWN-10: a registration ends the dispute; the next one is another.
func TestRegistrationEndsDispute(t *testing.T) {
	s, v, pe, m := disputed(t, 0xfffffff0)
	pe.sends(m)
	s.take()
	s.sleep(2 * time.Second)
	v.conflicts(s)
	s.want()
	s.wantHomes("p", homes{1: myID})
}

// OWN-10: updates crossed, and each of two thinks that the other one owns a PE.
// The one that has an association with it takes it when the other one's table
// leaves it out.
func TestNobodyOwns(t *testing.T) {
	s := enrpScript(t)
	v := s.meets(1, 20, "192.0.2.20:9901")
	pe := s.connect(1, "192.0.2.1:5000")
	m := pe.offer("p", 1)
	pe.sends(m)
	e := m.Element
	e.Home, e.ASAP = 20, serverAt("192.0.2.1:5000")
	v.updates(enrp.AddPE, "p", e)
	s.take()
	s.wantHomes("p", homes{1: 20})
	v.says(v.presence(0xffff))
	s.want(v.request())
	v.table(false, "")
	s.want(v.hears(update(enrp.AddPE, m)))
	s.wantHomes("p", homes{1: myID})
	s.sleep(time.Second)
	s.want(pe.gets(claimed("p", 1)))
}

// ASAP-2.2.4-01, ENRP-3.3.2-03: a PE that another registrar removes is told so
// by the one that has an association with it: if it is well it registers again.
func TestRemovedByAnother(t *testing.T) {
	s := enrpScript(t)
	v := s.meets(1, 20, "192.0.2.20:9901")
	pe := s.connect(1, "192.0.2.1:5000")
	m := pe.offer("p", 1)
	pe.sends(m)
	e := m.Element
	e.Home, e.ASAP = 20, serverAt("192.0.2.1:5000")
	v.updates(enrp.AddPE, "p", e)
	s.take()
	v.updates(enrp.DelPE, "p", e)
	s.want(pe.gets(asap.DeregistrationResponse{Handle: "p", ID: 1}))
	s.wantHomes("p", homes{})
}

// ENRP-2.1-01: an association that was set up to a peer but reached its
// restarted self is not the former peer's.
func TestCallReachesSuccessor(t *testing.T) {
	s := enrpScript(t)
	v := s.meets(1, 20, "192.0.2.20:9901")
	s.step(AssocLost{Link: v.link})
	calls := s.take()
	to, ok := calls[len(calls)-1].(SendENRPTo)
	if !ok {
		t.Fatalf("lost a peer and did %v", calls)
	}
	again := &rival{&remote{s, Link{ENRPOverSCTP, 2}, v.at}, 21}
	s.step(AssocUp{Link: again.link, Peer: to.Peer})
	again.says(again.presence(0xffff))
	s.step(AssocUp{Link: again.link, Peer: to.Peer, Token: to.Token})
	s.step(AssocLost{Link: again.link})
	checkRegistrar(t, s.r)
}
