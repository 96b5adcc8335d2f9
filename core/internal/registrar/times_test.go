package registrar

import (
	"net/netip"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// exactly lets a time pass, at the end of which something happens, and nothing before.
func (s *script) exactly(d time.Duration, effects ...Effect) {
	s.Helper()
	s.sleep(d - 1)
	s.want()
	s.sleep(1)
	s.want(effects...)
}

// TestDeadlinesAreExact: what is due is done then, neither sooner nor later.
func TestDeadlinesAreExact(t *testing.T) {
	t.Run("ENRP-3.5-11 acknowledgements of a takeover", func(t *testing.T) {
		s, _, o := dying(t, 30)
		s.take()
		for range 3 {
			s.exactly(15*time.Second, initTakeover(o[0]))
		}
	})
	t.Run("ENRP-3.2-02 presences of one that joins", func(t *testing.T) {
		s := seeking(t, nil)
		s.want(toGroup(true))
		for range 3 {
			s.exactly(500*time.Millisecond, toGroup(true))
		}
	})
	t.Run("ENRP-3.2-04 the list of a mentor", func(t *testing.T) {
		s := joining(t, "192.0.2.20:9901", "192.0.2.30:9901")
		s.take()
		s.reaches(1, Link{ENRPOverSCTP, 1}, 20, "192.0.2.20:9901")
		s.exactly(5*time.Second, s.knocks(2, "192.0.2.30:9901"))
	})
	t.Run("ENRP-3.2-19 a part of its table", func(t *testing.T) {
		s := joining(t, "192.0.2.20:9901", "192.0.2.30:9901")
		s.take()
		v := s.reaches(1, Link{ENRPOverSCTP, 1}, 20, "192.0.2.20:9901")
		v.says(enrp.ListResponse{Route: v.route()})
		for range 3 { // each has its own time
			s.want(v.hears(enrp.HandleTableRequest{Route: from(20)}))
			s.sleep(5*time.Second - 1)
			v.says(enrp.HandleTableResponse{Route: v.route(), More: true})
		}
		s.take()
		s.exactly(5*time.Second, s.knocks(2, "192.0.2.30:9901"))
	})
	t.Run("ENRP-3.2-20 a table that is not fetched on", func(t *testing.T) {
		s := startedWith(t, func(c *Config) { quiet(c); c.Limits.TablePart = 100 })
		v := s.meets(1, 20, "192.0.2.20:9901")
		for id := range protocol.PEID(5) {
			v.updates(enrp.AddPE, "p", owned(id+1, 20))
		}
		v.says(enrp.HandleTableRequest{Route: v.route()})
		s.take()
		s.sleep(30*time.Second - 1)
		if s.r.peers.byID[20].session == nil {
			t.Error("it is forgotten too early")
		}
		if s.sleep(1); s.r.peers.byID[20].session != nil {
			t.Error("it is not forgotten")
		}
	})
	t.Run("E-25 acknowledgements of KEEP_ALIVEs", func(t *testing.T) {
		s := started(t)
		pe, pu := s.connect(1, "192.0.2.1:5000"), s.connect(2, "192.0.2.2:5000")
		pe.registers("p", 1)
		pu.sends(asap.EndpointUnreachable{Handle: "p", ID: 1})
		s.want(pe.gets(ask("p", 1)))
		s.exactly(5*time.Second, pe.gets(ask("p", 1)))
		s.exactly(5*time.Second, pe.gets(asap.DeregistrationResponse{Handle: "p", ID: 1}))
	})
	t.Run("idle associations", func(t *testing.T) {
		s := started(t)
		pe := s.connect(1, "192.0.2.1:5000")
		pe.registers("p", 1)
		s.sleep(time.Minute)
		pe.lost()
		s.take()
		again := &remote{s, Link{ASAPOverSCTP, 2}, pe.at}
		s.step(AssocUp{Link: again.link, Token: 1, Peer: pe.addrPorts()})
		again.sends(asap.Deregistration{Handle: "p", ID: 1})
		s.take()
		s.exactly(time.Minute, Shutdown{Link: again.link})
	})
}

// SEC-2.12-02: forged presences make fifty knocks at once, and ten a second later on.
func TestKnockRate(t *testing.T) {
	s := seeking(t, nil)
	s.sleep(2 * time.Second)
	next := 0
	knocks := func() (n int) {
		for range 100 {
			next++
			at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(next >> 8), byte(next)}), 9901)
			s.step(heard(protocol.ServerID(next+1000), at.String()))
		}
		for _, e := range s.groupless().take() {
			s.step(ConnectFailed{Token: e.(SendENRPTo).Token, Err: errRefused})
			n++
		}
		s.groupless().take()
		return n
	}
	if n := knocks(); n != 50 {
		t.Errorf("%d knocks at once", n)
	}
	for range 5 {
		s.sleep(time.Second)
		s.groupless().take()
		if n := knocks(); n != 10 {
			t.Errorf("%d knocks a second later", n)
		}
	}
}

// TestClaimForgetsReports: who is asked to make us its home begins without reports against it (ASAP-3.5-10).
func TestClaimForgetsReports(t *testing.T) {
	s := enrpScript(t)
	v := s.meets(1, 20, "192.0.2.20:9901")
	pe, pu := s.connect(1, "192.0.2.1:5000"), s.connect(2, "192.0.2.2:5000")
	pe.sends(pe.offer("p", 1))
	for range 3 {
		pu.sends(asap.EndpointUnreachable{Handle: "p", ID: 1})
		pe.sends(ack("p", 1))
		s.sleep(2 * time.Second)
	}
	s.take()
	reports := func() int { return s.r.Snapshot(s.now).Pools[0].Elements[0].BadReports }
	if reports() != 3 {
		t.Errorf("%d reports", reports())
	}
	v.conflicts(s)
	if reports() != 0 {
		t.Errorf("%d reports", reports())
	}
}
