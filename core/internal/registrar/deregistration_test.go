package registrar

import (
	"net/netip"
	"testing"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// ASAP-3.2-08, 09, 10, ASAP-2.2.4-02: the PE goes, the pool with its last one;
// doing it twice, or for something unknown, is granted too.
func TestDeregistration(t *testing.T) {
	s := started(t)
	pe := s.connect(1, "192.0.2.1:5000")
	pe.registers("pool", 1)
	pe.registers("pool", 2)
	for range 2 {
		pe.sends(asap.Deregistration{Handle: "pool", ID: 1})
		s.want(pe.gets(asap.DeregistrationResponse{Handle: "pool", ID: 1}))
		s.wantListed("pool", 2)
	}
	pe.sends(asap.Deregistration{Handle: "pool", ID: 2})
	pe.sends(asap.HandleResolution{Handle: "pool"})
	pe.sends(asap.Deregistration{Handle: "nowhere", ID: 2})
	s.want(pe.gets(asap.DeregistrationResponse{Handle: "pool", ID: 2}),
		pe.gets(asap.HandleResolutionResponse{Handle: "pool", Causes: cause(protocol.CauseUnknownPoolHandle)}),
		pe.gets(asap.DeregistrationResponse{Handle: "nowhere", ID: 2}))
	if _, armed := s.r.Next(); armed {
		t.Error("a timer of a PE that left is still set")
	}
}

// ASAP-2.2.2-02, SEC-2.3-01: nobody deregisters somebody else.
func TestDeregistrationByOthers(t *testing.T) {
	s := started(t)
	pe, other := s.connect(1, "192.0.2.1:5000"), s.connect(2, "192.0.2.2:5000")
	pe.registers("pool", 1)
	other.sends(asap.Deregistration{Handle: "pool", ID: 1})
	s.want(other.gets(asap.DeregistrationResponse{Handle: "pool", ID: 1, Causes: cause(protocol.CauseRejectedForSecurity)}))
	s.wantListed("pool", 1)

	tcp := &remote{s, Link{ASAPOverTCP, 1}, pe.at}
	s.step(AssocUp{Link: tcp.link, Peer: []netip.AddrPort{tcp.at}})
	tcp.sends(asap.Deregistration{Handle: "pool", ID: 1})
	s.want(tcp.gets(asap.DeregistrationResponse{Handle: "pool", ID: 1, Causes: cause(protocol.CauseRejectedForSecurity)}))

	// ASAP-3.2-12: without its association, the PE is known by its address.
	pe.lost()
	s.take()
	other.sends(asap.Deregistration{Handle: "pool", ID: 1})
	s.want(other.gets(asap.DeregistrationResponse{Handle: "pool", ID: 1, Causes: cause(protocol.CauseRejectedForSecurity)}))
	back := s.connect(3, "192.0.2.1:6000")
	back.sends(asap.Deregistration{Handle: "pool", ID: 1})
	s.want(back.gets(asap.DeregistrationResponse{Handle: "pool", ID: 1}))
	s.wantListed("pool")
}
