package registrar

import (
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

func sharing(cfg *Config) { cfg.Handover, cfg.Timers = true, Brisk() }

// sharers are three registrars that hand PEs over.
func sharers(t *testing.T, seed uint64, pes int) (c *cluster, a, b, d *node) {
	c = newCluster(t, seed)
	c.change = sharing
	a = c.add(10)
	c.run(time.Second)
	b, d = c.add(20, a), c.add(30, a)
	c.run(time.Second)
	for range pes {
		c.addPE("pool", a)
	}
	c.run(time.Second)
	return c, a, b, d
}

func (n *node) owns() int { return n.r.space.Owned(n.r.id) }

// PEs spread evenly over registrars, also over one that comes later, and then
// stay where they are. Nobody misses any at any time.
func TestClusterBalances(t *testing.T) {
	const pes = 90
	c, a, b, d := sharers(t, 1, pes)
	e := (*node)(nil)
	for second := range 60 {
		c.run(time.Second)
		for _, n := range c.nodes {
			if _, have := n.r.space.Len(); have != pes && n.r.serving {
				t.Fatalf("registrar %v knows %d PEs of %d", n.r.id, have, pes)
			}
		}
		if second == 30 {
			c.wantAgreement()
			for _, n := range c.nodes {
				if n.owns() < 25 || n.owns() > 35 {
					t.Errorf("registrar %v owns %d of %d PEs", n.r.id, n.owns(), pes)
				}
			}
			e = c.add(15, b)
		}
	}
	c.wantAgreement()
	if e.owns() < 18 {
		t.Errorf("the newcomer owns %d of %d PEs", e.owns(), pes)
	}
	given := a.r.counts.Offered + b.r.counts.Offered + d.r.counts.Offered + e.r.counts.Offered
	c.run(2 * time.Minute)
	if now := a.r.counts.Offered + b.r.counts.Offered + d.r.counts.Offered + e.r.counts.Offered; now != given {
		t.Errorf("%d PEs more were handed over while all was even", now-given)
	}
	c.wantAgreement()
}

// OWN-11: a registrar that leaves hands its PEs to the others, evenly, and is
// done within moments; there is nothing left to be taken over.
func TestClusterLeave(t *testing.T) {
	for seed := range uint64(10) {
		c, a, b, d := sharers(t, seed, 60)
		a.step(Leave{})
		left := false
		for range 30 {
			c.run(100 * time.Millisecond)
			if left = a.r.handover.done; left {
				break
			}
		}
		if !left || a.owns() != 0 || b.owns()+d.owns() != 60 || b.owns() < 25 || d.owns() < 25 {
			t.Fatalf("seed %d: left %v; they own %d, %d, %d", seed, left, a.owns(), b.owns(), d.owns())
		}
		c.wantAgreement()
		c.kill(a)
		c.run(10 * time.Second)
		c.wantAgreement()
	}
}

// A registrar that leaves alone, or among others that know no handover, does not
// wait for long. Its PEs are then taken over as if it had died.
func TestClusterLeaveUnheard(t *testing.T) {
	c := newCluster(t, 1)
	a := c.add(10)
	c.run(time.Second)
	c.fill(5)
	c.run(time.Second)
	a.step(Leave{})
	if !a.r.handover.done {
		t.Error("it waits for nobody")
	}

	c = newCluster(t, 1)
	b := c.add(20)
	c.run(time.Second)
	c.change = sharing
	a = c.add(10, b)
	c.run(time.Second)
	for range 5 {
		c.addPE("pool", a)
	}
	c.run(time.Second)
	a.step(Leave{})
	c.run(4 * time.Second)
	if !a.r.handover.done {
		t.Error("still waiting after four seconds")
	}
	c.kill(a)
	c.run(2 * time.Minute)
	c.wantAgreement()
}

// The owner alone can offer a PE (ENRP-3.3.1-06): it is asked to make us its
// home, and is ours when it acknowledges that.
func TestTakeOffer(t *testing.T) {
	s := startedWith(t, func(c *Config) { quiet(c); c.Handover = true })
	v, w := s.meets(1, 20, "192.0.2.20:9901"), s.meets(2, 30, "192.0.2.30:9901")
	v.updates(enrp.AddPE, "p", owned(1, 20))
	w.updates(enrp.AddPE, "p", owned(1, myID)) // forged
	w.updates(enrp.AddPE, "p", owned(2, myID))
	s.want()
	s.wantHomes("p", homes{1: 20})
	v.updates(enrp.AddPE, "p", owned(1, myID))
	s.want(SendASAPTo{Token: 1, Peer: owned(1, 20).ASAP.AddrPorts(), Message: claimed("p", 1)})
	s.wantHomes("p", homes{1: 20})

	pe := &remote{s, Link{ASAPOverSCTP, 9}, owned(1, 20).ASAP.AddrPorts()[0]}
	s.step(AssocUp{Link: pe.link, Token: 1, Peer: pe.addrPorts()})
	pe.sends(ack("p", 1))
	if out := s.take(); len(out) != 2 {
		t.Errorf("its acknowledgement made %v, want two announcements", out)
	}
	s.wantHomes("p", homes{1: myID})
	pe.sends(pe.offer("p", 1))
	if out := s.take(); len(out) != 3 {
		t.Errorf("its registration made %v, want the answer and two announcements", out)
	}
}

// A PE that is offered but does not answer stays with its owner.
func TestOfferedPEUnreachable(t *testing.T) {
	s := startedWith(t, func(c *Config) { quiet(c); c.Handover = true })
	v := s.meets(1, 20, "192.0.2.20:9901")
	v.updates(enrp.AddPE, "p", owned(1, 20))
	v.updates(enrp.AddPE, "p", owned(1, myID))
	s.want(SendASAPTo{Token: 1, Peer: owned(1, 20).ASAP.AddrPorts(), Message: claimed("p", 1)})
	s.step(ConnectFailed{Token: 1, Err: assoc.ErrRefused})
	s.want()
	s.wantHomes("p", homes{1: 20})
}

// A peer that does not take what it was offered, because it does not know the
// custom or cannot reach the PE, changes nothing: all stay where they are, and
// that peer is offered none for a while.
func TestOfferedInVain(t *testing.T) {
	s := startedWith(t, func(c *Config) { quiet(c); c.Handover = true; c.Timers.Heartbeat = time.Second })
	s.meets(1, 20, "192.0.2.20:9901")
	pe := s.connect(2, "198.51.100.1:5000")
	for id := range protocol.PEID(6) {
		pe.sends(pe.offer("p", id+1))
	}
	s.take()
	s.sleep(3 * time.Second)
	offered := s.r.counts.Offered
	if offered == 0 || s.r.handover.open != int(offered) {
		t.Fatalf("%d PEs were offered, %d are on offer", offered, s.r.handover.open)
	}
	s.sleep(time.Minute)
	if s.r.space.Owned(myID) != 6 || s.r.handover.open != 0 || s.r.counts.Offered != offered || s.r.peers.byID[20].offered != 0 {
		t.Errorf("%d PEs left of 6, %d on offer, %d offers after %d", s.r.space.Owned(myID), s.r.handover.open, s.r.counts.Offered, offered)
	}
}
