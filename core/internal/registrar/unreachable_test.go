package registrar

import (
	"net/netip"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// ASAP-3.5-06, 07, 08: a report makes the registrar ask the PE at once. It
// stays if it answers, and is removed if not.
func TestUnreachable(t *testing.T) {
	s := started(t)
	pe, pu := s.connect(1, "192.0.2.1:5000"), s.connect(2, "192.0.2.2:5000")
	pe.registers("pool", 1)
	report := asap.EndpointUnreachable{Handle: "pool", ID: 1}
	pu.sends(report)
	s.want(pe.gets(ask("pool", 1)))
	pe.sends(ack("pool", 1))
	s.sleep(time.Minute)
	s.wantListed("pool", 1)
	pu.sends(report)
	s.want(pe.gets(ask("pool", 1)))
	s.sleep(10 * time.Second)
	s.wantListed("pool")
	pu.sends(report) // ASAP-3.5-10: unknown now
	s.take()
	s.sleep(time.Minute)
	s.want()
}

// ASAP-3.5-09, E-10: the report after MAX-BAD-PE-REPORT removes; ASAP-3.5-10: a
// registration starts the count anew. The PE is told, so that it can come back.
func TestTooManyReports(t *testing.T) {
	s := started(t)
	pe, pu := s.connect(1, "192.0.2.1:5000"), s.connect(2, "192.0.2.2:5000")
	report := func(n int) {
		for range n {
			pu.sends(asap.EndpointUnreachable{Handle: "pool", ID: 1})
			pe.sends(ack("pool", 1))
			s.sleep(2 * time.Second)
		}
	}
	pe.registers("pool", 1)
	report(3)
	s.take()
	pe.registers("pool", 1)
	report(3)
	s.wantListed("pool", 1)
	if n := s.r.Snapshot(s.now).Pools[0].Elements[0].BadReports; n != 3 {
		t.Errorf("%d bad reports, want 3", n)
	}
	s.take()
	report(1)
	s.want(pe.gets(asap.DeregistrationResponse{Handle: "pool", ID: 1}))
	s.wantListed("pool")
}

// SEC-2.13-01, SEC-2.14-01: a flood of reports makes few KEEP_ALIVEs and does
// not get far.
func TestReportFlood(t *testing.T) {
	s := startedWith(t, func(c *Config) { c.KeepAlive.Interval = -1; c.Limits.BadReports = -1 })
	pe, pu := s.connect(1, "192.0.2.1:5000"), s.connect(2, "192.0.2.2:5000")
	pe.registers("pool", 1)
	for range 1000 {
		pu.sends(asap.EndpointUnreachable{Handle: "pool", ID: 1})
		pe.sends(ack("pool", 1))
		s.sleep(time.Millisecond)
	}
	if n := len(s.take()); n > 2 {
		t.Errorf("1000 reports in a second made %d KEEP_ALIVEs", n)
	}
	if n := s.r.counts.Reports; n > 130 {
		t.Errorf("%d of 1000 reports were heeded, want the burst and the rate", n)
	}
}

// COM-4-04, COM-4-05, ASAP-2.2.14-01, 02: reports go back, errors do not; a bad
// request is refused by its own answer.
func TestBadMessages(t *testing.T) {
	s := started(t)
	p := s.connect(1, "192.0.2.1:5000")
	report := []protocol.Cause{{Code: protocol.CauseUnrecognizedParameter, Info: []byte{0xc0, 0x77, 0, 4}}}
	send := func(b ...byte) {
		m, report, err := asap.Parse(b)
		s.step(ASAPReceived{Link: p.link, Message: m, Report: report, Err: err})
	}
	send(0x11, 0, 0, 4)
	send(0x05, 0, 0, 3)
	s.want()
	send(0x41, 0, 0, 4)
	s.want(p.gets(asap.Error{Causes: []protocol.Cause{{Code: protocol.CauseUnrecognizedMessage, Info: []byte{0x41, 0, 0, 4}}}}))
	s.step(ASAPReceived{Link: p.link, Message: asap.HandleResolution{Handle: "x"}, Report: report})
	s.want(p.gets(asap.Error{Causes: report}),
		p.gets(asap.HandleResolutionResponse{Handle: "x", Causes: cause(protocol.CauseUnknownPoolHandle)}))
	p.sends(asap.Error{Causes: report})
	p.sends(asap.Cookie{})
	p.sends(asap.RegistrationResponse{Handle: "x"})
	s.want()

	// A registration without policy (COM-3.10-06).
	whole, err := asap.Append(nil, p.offer("abc", 7))
	if err != nil {
		t.Fatal(err)
	}
	bad := append([]byte{}, whole[:len(whole)-8]...)
	bad[3] -= 8  // message
	bad[15] -= 8 // pool element
	send(bad...)
	out := s.take()
	if len(out) != 1 {
		t.Fatalf("effects: %v", out)
	}
	m, ok := out[0].(SendASAP).Message.(asap.RegistrationResponse)
	if !ok || !m.Rejected || m.ID != 7 || m.Causes[0].Code != protocol.CauseInvalidValues {
		t.Errorf("answer to a registration without policy: %v", out[0])
	}
	s.wantListed("abc")

	tcp := Link{ASAPOverTCP, 1} // COM-4-07
	s.step(AssocUp{Link: tcp, Peer: []netip.AddrPort{p.at}})
	_, _, err = asap.Parse([]byte{5, 0, 0, 3})
	s.step(ASAPReceived{Link: tcp, Err: err})
	s.want(Abort{Link: tcp, Reason: "message boundaries are lost"})
}
