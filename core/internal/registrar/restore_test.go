package registrar

import (
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// snapshot is what a registrar knew: two PEs in two pools.
func snapshot() []enrp.PoolEntry {
	second := owned(2, 77)
	second.ASAP = serverAt("198.51.100.2:5000")
	return []enrp.PoolEntry{
		{Handle: "p", Elements: []protocol.Element{owned(1, 66)}},
		{Handle: "q", Elements: []protocol.Element{second}},
	}
}

// After a restart every resolution has an answer at once. The PEs are asked to
// make us their home: those that do stay, those that are not there are removed.
func TestRestore(t *testing.T) {
	s := newScript(t, func(c *Config) { c.KeepAlive.Interval = -1; c.Restored = snapshot() })
	pu := s.connect(1, "192.0.2.1:4000")
	pu.sends(asap.HandleResolution{Handle: "q"}) // before it serves
	s.step(Start{})
	want := owned(2, myID)
	want.ASAP = protocol.Transport{}
	s.want(
		SendASAPTo{Token: 1, Peer: serverAt("198.51.100.1:5000").AddrPorts(), Message: claimed("p", 1)},
		SendASAPTo{Token: 2, Peer: serverAt("198.51.100.2:5000").AddrPorts(), Message: claimed("q", 2)},
		pu.gets(asap.HandleResolutionResponse{Handle: "q", HasPolicy: true, Policy: want.Policy, Elements: []protocol.Element{want}}),
	)
	pe := &remote{s, Link{ASAPOverSCTP, 9}, serverAt("198.51.100.1:5000").AddrPorts()[0]}
	s.step(AssocUp{Link: pe.link, Token: 1, Peer: pe.addrPorts()})
	pe.sends(ack("p", 1))
	s.step(ConnectFailed{Token: 2, Err: errRefused})
	s.want()
	s.wantListed("p", 1)
	s.wantListed("q")
	s.sleep(300 * time.Second) // COM-3.10-03: an acknowledgement is no registration
	s.wantListed("p")
}

// What a mentor has is newer than what we knew before. With nobody to ask, the
// registrar that starts serves what it knew.
func TestRestoreInCluster(t *testing.T) {
	c, a, b, d := three(t, 20)
	var old []enrp.PoolEntry
	for p := range a.r.space.Pools() {
		entry := enrp.PoolEntry{Handle: p.Handle}
		for el := range p.Elements() {
			entry.Elements = append(entry.Elements, el.Element)
		}
		old = append(old, entry)
	}
	c.killPE(c.pes[0])
	c.run(10 * time.Second)
	c.kill(a)
	c.run(10 * time.Second)
	c.change = func(cfg *Config) { cfg.Restored = old }
	c.start(a, 11, b)
	c.run(5 * time.Second)
	c.wantAgreement() // the dead PE did not come back

	for _, n := range []*node{a, b, d} {
		c.kill(n)
	}
	c.start(a, 12, b)
	if a.r.serving {
		t.Error("it serves before it has asked")
	}
	c.run(100 * time.Millisecond)
	if _, n := a.r.space.Len(); !a.r.serving || n < 19 {
		t.Errorf("serves: %v, %d PEs", a.r.serving, n)
	}
	c.run(2 * time.Minute)
	c.start(b, 21, a)
	c.start(d, 31, a)
	c.run(2 * time.Minute)
	c.wantAgreement()
}
