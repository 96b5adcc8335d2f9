package registrar

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// ASAP-3.1-16, 23, 24, 26, 31, 09: a first registration makes the pool; the
// home is this registrar, the ASAP Transport where the registration came from,
// whatever the PE wrote there.
// UDP-R-02: address and SCTP port are those of the association, whatever carries it.
func TestRegistration(t *testing.T) {
	s := started(t)
	pe := s.connect(1, "192.0.2.1:5000")
	m := pe.offer("pool", 7)
	m.Element.Home = 99
	m.Element.ASAP = protocol.Transport{Protocol: protocol.SCTP, Port: 1, Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.66")}}
	pe.sends(m)
	s.want(pe.gets(asap.RegistrationResponse{Handle: "pool", ID: 7})) // ASAP-2.2.3-02: no error
	want := m.Element
	want.Home = myID
	want.ASAP = protocol.Transport{Protocol: protocol.SCTP, Port: 5000, Addrs: []netip.Addr{pe.at.Addr()}}
	got := s.r.Snapshot(s.now).Pools[0].Elements[0]
	if diff := cmp.Diff(ElementView{Element: want, Owned: true, Remaining: 300 * time.Second, Connected: true}, got, compare); diff != "" {
		t.Error(diff)
	}
}

// ASAP-3.1-18, 19, 20, 27: what does not fit the pool is rejected with every
// cause; ASAP-3.1-25, 30, POL-7-02: and what no pool could take; nothing
// changes then.
func TestRegistrationRejected(t *testing.T) {
	tests := []struct {
		name   string
		change func(*asap.Registration)
		want   func(pool, e protocol.Element) []protocol.Cause
	}{
		{"ASAP-3.1-18 policy", func(m *asap.Registration) { m.Element.Policy.Type = protocol.Random },
			func(pool, _ protocol.Element) []protocol.Cause {
				return []protocol.Cause{wire.InconsistentPolicy(pool.Policy)}
			}},
		{"ASAP-3.1-18 transport", func(m *asap.Registration) { m.Element.User.Protocol = protocol.TCP },
			func(pool, _ protocol.Element) []protocol.Cause {
				return []protocol.Cause{wire.InconsistentTransport(pool.User)}
			}},
		{"ASAP-3.1-18 use", func(m *asap.Registration) { m.Element.User.Use = protocol.DataAndControl },
			func(protocol.Element, protocol.Element) []protocol.Cause {
				return cause(protocol.CauseInconsistentDataControl)
			}},
		{"ASAP-3.1-20 re-registration", func(m *asap.Registration) { m.Element.ID, m.Element.Policy.Type = 1, protocol.Random },
			func(pool, _ protocol.Element) []protocol.Cause {
				return []protocol.Cause{wire.InconsistentPolicy(pool.Policy)}
			}},
		{"ASAP-3.1-30 life 0", func(m *asap.Registration) { m.Element.Life = 0 }, invalidElement},
		{"ASAP-3.1-30 life -2", func(m *asap.Registration) { m.Element.Life = -2 }, invalidElement},
		{"PE identifier 0", func(m *asap.Registration) { m.Element.ID = 0 }, invalidElement},
		{"POL-7-02 private policy", func(m *asap.Registration) { m.Element.Policy = protocol.Policy{Type: 0x80000001, Private: "x"} },
			func(_, e protocol.Element) []protocol.Cause { return []protocol.Cause{wire.InvalidPolicy(e.Policy)} }},
		{"ASAP-2.2.1-02 foreign address", func(m *asap.Registration) {
			m.Element.User.Addrs = append(m.Element.User.Addrs, netip.MustParseAddr("198.51.100.1"))
		}, invalidElement},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := started(t)
			pe := s.connect(1, "192.0.2.1:5000")
			pool := pe.registers("pool", 1).Element
			m := pe.offer("pool", 2)
			test.change(&m)
			before := s.r.Snapshot(s.now).Pools
			pe.sends(m)
			s.want(pe.gets(asap.RegistrationResponse{Rejected: true, Handle: "pool", ID: m.Element.ID, Causes: test.want(pool, m.Element)}))
			if diff := cmp.Diff(before, s.r.Snapshot(s.now).Pools, compare); diff != "" {
				t.Errorf("the handlespace changed: %s", diff)
			}
		})
	}
}

func invalidElement(_, e protocol.Element) []protocol.Cause {
	return []protocol.Cause{wire.InvalidElement(e)}
}

// ASAP-2.1-01: no registration over TCP. ASAP-3.1-26: but an answer.
func TestRegistrationOverTCP(t *testing.T) {
	s := started(t)
	tcp := &remote{s, Link{ASAPOverTCP, 1}, netip.MustParseAddrPort("192.0.2.1:5000")}
	s.step(AssocUp{Link: tcp.link, Peer: []netip.AddrPort{tcp.at}})
	tcp.sends(tcp.offer("pool", 1))
	s.want(tcp.gets(asap.RegistrationResponse{Rejected: true, Handle: "pool", ID: 1, Causes: cause(protocol.CauseRejectedForSecurity)}))
	s.wantListed("pool")
}

// ASAP-3.1-25: limits give Lack of Resources, and renewing still works; a handle
// that is too long is a value that cannot be.
func TestRegistrationLimits(t *testing.T) {
	s := startedWith(t, func(c *Config) {
		c.KeepAlive.Interval = -1
		c.Limits = Limits{Pools: 2, Elements: 3, Handle: 10}
	})
	pe := s.connect(1, "192.0.2.1:5000")
	refused := func(h protocol.PoolHandle, id protocol.PEID) {
		t.Helper()
		pe.sends(pe.offer(h, id))
		s.want(pe.gets(asap.RegistrationResponse{Rejected: true, Handle: h, ID: id, Causes: cause(protocol.CauseLackOfResources)}))
	}
	for _, n := range []int{11, 30_000, 65_000} {
		h := protocol.PoolHandle(strings.Repeat("x", n))
		pe.sends(pe.offer(h, 1))
		answer := asap.RegistrationResponse{Rejected: true, Handle: h, ID: 1, Causes: []protocol.Cause{wire.InvalidHandle(h)}}
		s.want(pe.gets(answer))
		if b, err := asap.Append(nil, answer); err != nil || n == 11 && !wire.HandleIn(answer.Causes[0]) {
			t.Errorf("%d bytes: the answer has %d bytes, %v", n, len(b), err)
		}
	}
	if msg := s.logs[len(s.logs)-1].Msg; !strings.Contains(msg, "65000 bytes, longer than 10") {
		t.Errorf("the log says %q", msg)
	}
	pe.registers("a", 1)
	pe.registers("b", 1)
	refused("c", 1)
	pe.registers("b", 2)
	refused("a", 2)
	pe.registers("a", 1)
}

// ASAP-3.1-21: a renewal replaces all attributes and starts the life anew.
// POL-5.2-01 is in the policies' tests.
func TestReregistration(t *testing.T) {
	s := started(t)
	pe := s.connect(1, "192.0.2.1:5000")
	m := pe.registers("pool", 7)
	s.sleep(200 * time.Second)
	m.Element.User.Port, m.Element.Life = 8888, 250
	pe.sends(m)
	s.want(pe.gets(asap.RegistrationResponse{Handle: "pool", ID: 7}))
	e := s.r.Snapshot(s.now).Pools[0].Elements[0]
	if e.User.Port != 8888 || e.Life != 250 || e.Remaining != 250*time.Second {
		t.Errorf("after renewal: %+v", e)
	}
	s.sleep(249 * time.Second)
	s.want()
	s.wantListed("pool", 7)
}

// ASAP-3.1-22, E-14: the identifier of a PE on another live association at
// another place is taken; from the same place, or once the old association is
// gone, it is the same PE.
func TestSameIdentifier(t *testing.T) {
	s := started(t)
	a, b := s.connect(1, "192.0.2.1:5000"), s.connect(2, "192.0.2.2:5000")
	a.registers("pool", 7)
	b.sends(b.offer("pool", 7))
	s.want(b.gets(asap.RegistrationResponse{Rejected: true, Handle: "pool", ID: 7, Causes: cause(protocol.CauseNonUniquePEID)}))
	b.registers("other pool", 7)

	again := s.connect(3, "192.0.2.1:6000")
	again.registers("pool", 7)
	if got := s.r.Snapshot(s.now).Pools[0].Elements[0].ASAP.Port; got != 6000 {
		t.Errorf("ASAP Transport has port %d, want that of the newest association", got)
	}
	a.lost() // the PE is not there any more
	s.want()

	again.lost()
	s.take()
	b.registers("pool", 7)
}

// ASAP-3.1-30, ASAP-2.2.3-01: a life that is too long is shortened, with a
// warning.
func TestLifeIsShortened(t *testing.T) {
	s := startedWith(t, func(c *Config) { c.Limits.Life = 100; c.KeepAlive.Interval = -1 })
	pe := s.connect(1, "192.0.2.1:5000")
	for _, life := range []protocol.Life{101, protocol.LifeInfinite} {
		m := pe.offer("pool", 1)
		m.Element.Life = life
		pe.sends(m)
		s.want(pe.gets(asap.RegistrationResponse{Handle: "pool", ID: 1, Causes: []protocol.Cause{wire.InvalidElement(m.Element)}}))
		if got := s.r.Snapshot(s.now).Pools[0].Elements[0].Life; got != 100 {
			t.Errorf("life %d, want 100", got)
		}
	}
}

// ENRP-3.2-16: requests that come before the registrar knows the handlespace
// are answered when it does, in order, and not wrongly before.
func TestRequestsWaitForTheStart(t *testing.T) {
	s := newScript(t, nil)
	pe := s.connect(1, "192.0.2.1:5000")
	m := pe.offer("pool", 1)
	pe.sends(m)
	pe.sends(asap.HandleResolution{Handle: "none"})
	for range 2 * maxWaiting {
		pe.sends(asap.EndpointUnreachable{Handle: "none"})
	}
	s.want()
	if n := len(s.r.asap.waiting); n != maxWaiting {
		t.Errorf("%d requests are kept, want at most %d", n, maxWaiting)
	}
	s.step(Start{})
	s.want(pe.gets(asap.RegistrationResponse{Handle: "pool", ID: 1}),
		pe.gets(asap.HandleResolutionResponse{Handle: "none", Causes: cause(protocol.CauseUnknownPoolHandle)}))
}
