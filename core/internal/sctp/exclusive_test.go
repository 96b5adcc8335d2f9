package sctp

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// TestExclusiveOpen: however two connections cross, and whatever is lost, both
// ends agree whose the association is.
func TestExclusiveOpen(t *testing.T) {
	crossed, first := 0, 0
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 1))
		p := newPair(t, Config{}, Config{})
		for i := range p.ends { // other tags with each seed
			for range int(seed) % 97 * (1 + i) {
				p.ends[i].newTag()
			}
		}
		p.delay = time.Duration(1+r.IntN(40)) * time.Millisecond
		bad := p.now.Add(500 * time.Millisecond)
		loss := r.IntN(60)
		p.drop = func(int, []byte) bool { return p.now.Before(bad) && r.IntN(100) < loss }
		starter := r.IntN(2)
		existed := p.open(starter)
		p.run(time.Duration(r.IntN(int(5 * p.delay))))
		existed = p.open(1-starter) || existed
		p.run(5 * time.Second)
		up := [2]*received{p.find(0, assoc.CommUp), p.find(1, assoc.CommUp)}
		if up[0] == nil || up[1] == nil {
			t.Fatalf("seed %d: %v, %v", seed, p.kinds(0), p.kinds(1))
		}
		if up[0].info.Incoming == up[1].info.Incoming {
			t.Fatalf("seed %d: both ends say that incoming is %v", seed, up[0].info.Incoming)
		}
		if !existed {
			crossed++
			if up[starter].info.Incoming {
				first++
			}
		}
		p.send(0, up[0].info.Assoc, 0, []byte("x"))
		p.send(1, up[1].info.Assoc, 0, []byte("y"))
		p.run(time.Second)
		if len(p.messages(0)) != 1 || len(p.messages(1)) != 1 {
			t.Fatalf("seed %d: messages do not arrive", seed)
		}
	}
	if crossed < 200 || first < crossed/10 {
		t.Errorf("connections crossed in %d runs, and %d times the first gave way: too few to show anything", crossed, first)
	}
}

// open connects one end to the other; existed says that it has an association.
func (p *pair) open(from int) (existed bool) {
	_, err := p.ends[from].Connect(p.now, []netip.AddrPort{p.addrs[1-from]}, &assoc.Params{Exclusive: true, MaxInitRetransmits: 10})
	if err != nil && !errors.Is(err, assoc.ErrAlreadyExists) {
		p.t.Fatal(err)
	}
	return err != nil
}
