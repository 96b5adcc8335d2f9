package registrar

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// What RSPLIB takes for a refusal, a warning in a grant, it does not get; its
// lives are milliseconds (also where they are limited), its pool handles have
// 32 bytes at most.
func TestRSPLIB(t *testing.T) {
	s := startedWith(t, func(c *Config) {
		quiet(c)
		*c = c.RSPLIB()
		c.Limits.Life = 10
	})
	pe := s.connect(1, "192.0.2.1:5000")
	long := pe.offer(protocol.PoolHandle(strings.Repeat("x", 32)), 1)
	long.Element.Life = 90_000
	pe.sends(long)
	s.want(pe.gets(asap.RegistrationResponse{Handle: long.Handle, ID: 1})) // no ASAP-2.2.3-01
	s.sleep(10*time.Second - 1)
	s.wantListed(long.Handle, 1)
	s.sleep(1)
	s.wantListed(long.Handle)
	s.take()

	tooLong := pe.offer(protocol.PoolHandle(strings.Repeat("x", 33)), 1)
	pe.sends(tooLong)
	s.want(pe.gets(asap.RegistrationResponse{
		Rejected: true, Handle: tooLong.Handle, ID: 1, Causes: []protocol.Cause{wire.InvalidHandle(tooLong.Handle)},
	}))
}

// Registrars with RSPLIB's habits agree on who takes over: the lowest.
func TestRSPLIBCluster(t *testing.T) {
	c := newCluster(t, 1)
	c.change = func(cfg *Config) { *cfg = cfg.RSPLIB() }
	a := c.add(30)
	c.run(time.Second)
	b, d := c.add(20, a), c.add(10, a)
	c.run(time.Second)
	c.kill(a)
	c.run(20 * time.Second)
	if b.r.counts.Takeovers != 0 || d.r.counts.Takeovers != 1 {
		t.Errorf("%v took over %d times, %v %d times; want the lower one once", b.r.id, b.r.counts.Takeovers, d.r.id, d.r.counts.Takeovers)
	}
}

// A registrar that hangs and one that is cut off are replaced within five
// seconds with the brisk timers; the RFC's are 61 s and 5 s (ENRP-3.4.3-02, 03).
func TestBriskTakeover(t *testing.T) {
	for seed := range uint64(20) {
		c := newCluster(t, seed)
		c.change = func(cfg *Config) { cfg.Timers = Brisk() }
		a := c.add(10)
		c.run(time.Second)
		b, d := c.add(20, a), c.add(30, a)
		c.run(time.Second)
		c.fill(60)
		c.run(time.Duration(c.rnd.IntN(2000)) * time.Millisecond)
		c.wantAgreement()
		c.cut = func(x, y netip.AddrPort) bool { return x == a.enrp || y == a.enrp || x == a.asap || y == a.asap }
		c.run(5 * time.Second)
		for _, n := range []*node{b, d} {
			if n.r.peers.byID[a.r.id] != nil || n.r.space.Owned(a.r.id) != 0 {
				t.Errorf("seed %d: %v still counts on a registrar that is silent for 5 s", seed, n.r.id)
			}
		}
		a.dead = true
		c.run(30 * time.Second)
		c.wantAgreement()
	}
}
