package registrar

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// fill registers n PEs, ten to a pool, with the registrars in turn.
func (c *cluster) fill(n int) {
	for i := range n {
		c.addPE(protocol.PoolHandle(fmt.Sprint("pool", i/10)), c.nodes[i%len(c.nodes)])
	}
}

// three registrars that know of each other by one configured peer each.
func three(t *testing.T, pes int) (c *cluster, a, b, d *node) {
	c = newCluster(t, 1)
	a = c.add(10)
	c.run(time.Second)
	b = c.add(20, a)
	c.run(time.Second)
	d = c.add(30, a)
	c.run(time.Second)
	c.fill(pes)
	c.run(time.Second)
	return c, a, b, d
}

// ENRP-3.2-02 to 16, ENRP-3.4.1, ENRP-3.3.1: newcomers get the list, then the
// table in parts, and everybody knows everybody and everything.
func TestClusterJoin(t *testing.T) {
	c := newCluster(t, 1)
	a := c.add(10)
	c.run(time.Second)
	c.fill(1200)
	c.run(time.Second)
	b := c.add(20, a)
	c.run(time.Second)
	if c.sent["ENRP_HANDLE_TABLE_RESPONSE"] < 2 {
		t.Errorf("1200 PEs came in %d parts", c.sent["ENRP_HANDLE_TABLE_RESPONSE"])
	}
	c.add(30, b)
	c.run(time.Second)
	c.fill(9)
	c.run(time.Second)
	c.wantAgreement()
	c.run(65 * time.Second) // two heartbeats
	c.wantAgreement()
	if n := c.sent["ENRP_HANDLE_TABLE_REQUEST"]; n > 10 {
		t.Errorf("%d table requests: registrars resynchronize without need", n)
	}
}

// ENRP-3.3.1, ENRP-3.3.2, OWN-04, OWN-05: updates reach everybody; a PE moves
// by registering elsewhere, and stays when the old association closes.
// OVR-1-01: one handle space, whichever registrar is asked.
func TestClusterUpdates(t *testing.T) {
	c, _, b, d := three(t, 30)
	c.killPE(c.pes[0])
	mover := c.pes[1]
	mover.home = d
	mover.register()
	c.run(time.Second)
	c.wantAgreement()
	c.loseAll(func(x netip.AddrPort) bool { return x == mover.at })
	c.run(3 * time.Second)
	c.wantAgreement()
	if b.table()[elementKey{mover.handle, mover.id}] != d.r.id {
		t.Error("the PE's home is not where it registered last")
	}
	if n := c.sent["ENRP_HANDLE_TABLE_REQUEST"]; n != 2 {
		t.Errorf("%d table requests, want one for each newcomer", n)
	}
}

// ENRP-3.5: the PEs of a registrar that dies are taken over by one of the
// others, and told; nobody resolves less meanwhile.
func TestClusterTakeover(t *testing.T) {
	for _, victim := range []int{0, 1, 2} {
		c, _, _, _ := three(t, 60)
		c.kill(c.nodes[victim])
		c.run(5 * time.Second)
		c.wantAgreement()
		takeovers := uint64(0)
		for _, n := range c.nodes {
			if !n.dead {
				takeovers += n.r.counts.Takeovers
			}
		}
		if takeovers != 1 {
			t.Errorf("victim %d: %d takeovers, want one", victim, takeovers)
		}
		c.run(3 * time.Minute)
		c.wantAgreement()
	}
}

// ENRP-3.5-21: many rivals, who all notice at once: the highest wins, alone.
func TestClusterManyRivals(t *testing.T) {
	for seed := range uint64(10) {
		c := newCluster(t, seed)
		first := c.add(50)
		c.run(time.Second)
		for _, id := range []protocol.ServerID{10, 20, 60, 30, 40} {
			c.add(id, first)
			c.run(time.Duration(c.rnd.IntN(1000)) * time.Millisecond)
		}
		c.run(time.Second)
		c.fill(30)
		c.run(time.Second)
		c.kill(first)
		c.run(time.Second)
		c.wantAgreement()
		for _, n := range c.nodes {
			if want := n.r.id == 60; !n.dead && n.r.counts.Takeovers > 0 != want {
				t.Errorf("seed %d: registrar %v did %d takeovers", seed, n.r.id, n.r.counts.Takeovers)
			}
		}
	}
}

// ENRP-3.5-09: the last one takes over at once. ENRP-3.5-18: PEs that died
// with their registrar are found and removed.
func TestClusterLastOneTakesOver(t *testing.T) {
	c, a, b, d := three(t, 30)
	c.kill(a)
	c.kill(b)
	for _, p := range c.pes[:15] {
		if p.home == a {
			c.killPE(p)
		}
	}
	c.run(15 * time.Second)
	c.wantAgreement()
	if got := d.r.space.Owned(d.r.id); got != 25 {
		t.Errorf("the last registrar owns %d PEs, want 25", got)
	}
}

// ENRP-3.4.3-02, 03: a peer that is silent over an association that stands is
// asked after 61 s, dead 5 s later. It hangs, and its PEs with it do not.
func TestClusterSilentPeer(t *testing.T) {
	c, a, b, _ := three(t, 30)
	c.cut = func(x, y netip.AddrPort) bool { return x == a.enrp || y == a.enrp || x == a.asap || y == a.asap }
	c.run(60 * time.Second)
	if b.r.peers.byID[a.r.id] == nil {
		t.Error("given up too early")
	}
	c.run(40 * time.Second)
	if b.r.peers.byID[a.r.id] != nil {
		t.Error("a registrar that is silent for 100 s is still counted on")
	}
	a.dead = true
	c.run(3 * time.Minute)
	c.wantAgreement()
}

// ENRP-2.1-01: a registrar that restarts under a new identifier replaces its
// former self; its PEs were taken over or come back to it.
func TestClusterRestart(t *testing.T) {
	c, a, _, d := three(t, 30)
	c.kill(d)
	c.run(10 * time.Millisecond)
	c.start(d, 31, a)
	c.run(10 * time.Second)
	c.wantAgreement()
	c.kill(a)
	c.run(10 * time.Second)
	c.start(a, 11, d)
	c.run(time.Minute)
	c.wantAgreement()
}

// OWN-10, ENRP-3.6, ENRP-3.5-12: two halves that could not see each other agree
// again within two heartbeats.
func TestClusterPartitionHeals(t *testing.T) {
	for _, side := range []int{0, 1, 2} {
		c, _, _, _ := three(t, 30)
		c.partition(c.nodes[side])
		c.run(2 * time.Minute)
		c.addPE("new inside", c.nodes[side])
		c.addPE("new outside", c.nodes[(side+1)%3])
		c.run(10 * time.Second)
		c.partition()
		c.run(4 * time.Minute)
		c.wantAgreement()
	}
}

// Everybody starts at once: nobody waits for ever, and all meet.
func TestClusterColdStart(t *testing.T) {
	for seed := range uint64(10) {
		c := newCluster(t, seed)
		ghosts := []*node{c.ghost(1), c.ghost(2), c.ghost(3)}
		for i := range 3 {
			c.add(protocol.ServerID(c.rnd.Uint32()), ghosts...)
			c.run(time.Duration(c.rnd.IntN(3)*i) * time.Millisecond)
		}
		c.run(15 * time.Second)
		for _, n := range c.nodes {
			if !n.r.serving {
				t.Errorf("seed %d: registrar %v does not serve after 15 s", seed, n.r.id)
			}
		}
		c.fill(9)
		c.run(time.Minute)
		c.wantAgreement()
	}
}

// Each knows the address of the one before it only, and all start at once:
// nobody can name the others at first, and still all meet.
func TestClusterChainColdStart(t *testing.T) {
	c := newCluster(t, 1)
	var before []*node
	for range 5 {
		before = []*node{c.add(protocol.ServerID(c.rnd.Uint32()), before...)}
	}
	c.run(2 * time.Minute)
	c.fill(10)
	c.run(time.Second)
	c.wantAgreement()
}

// A registrar whose configured peers do not exist serves soon.
func TestClusterNobodyThere(t *testing.T) {
	c := newCluster(t, 1)
	n := c.add(10, c.ghost(5), c.ghost(6))
	c.run(100 * time.Millisecond)
	if !n.r.serving {
		t.Error("does not serve though nobody is there to wait for")
	}
}

// TestClusterChaos kills, restarts, stops and cuts at random, then lets everything
// settle.
func TestClusterChaos(t *testing.T) {
	for seed := range uint64(20) {
		c := newCluster(t, seed)
		id := protocol.ServerID(100)
		var all []*node
		for i := range 5 {
			all = append(all, c.ghost(i+1))
		}
		for range 5 {
			id += protocol.ServerID(1 + c.rnd.IntN(50))
			c.add(id, all...)
		}
		c.run(20 * time.Second)
		c.fill(40)
		for range 15 {
			n := c.nodes[c.rnd.IntN(len(c.nodes))]
			switch c.rnd.IntN(8) {
			case 0:
				alive := 0
				for _, m := range c.nodes {
					if !m.dead {
						alive++
					}
				}
				if alive > 2 {
					c.kill(n)
				}
			case 1:
				if n.dead {
					c.start(n, protocol.ServerID(c.rnd.Uint32()|1), all...)
				}
			case 2:
				c.partition(n)
			case 3:
				c.partition()
			case 4:
				c.addPE("late", n)
			case 5:
				c.killPE(c.pes[c.rnd.IntN(len(c.pes))])
			case 6:
				c.pause(n)
			case 7:
				c.resume(n)
			}
			c.run(time.Duration(c.rnd.Int64N(int64(40 * time.Second))))
		}
		c.partition()
		for _, n := range c.nodes {
			c.resume(n)
		}
		c.run(2 * time.Minute)
		c.wantAgreement()
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}
