package policy

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// share is the part of the first places that the values of an element earn.
func share(kind protocol.PolicyType, v protocol.Policy) float64 {
	switch kind {
	case protocol.WeightedRoundRobin, protocol.WeightedRandom:
		return float64(v.Weight)
	case protocol.RandomizedLeastUsed:
		return math.MaxUint32 - float64(v.Load)
	}
	return 1
}

// checkShares selects one element so many times and compares how often each came
// with what its values earn among those that are there: five standard deviations
// where it is drawn, a turn of each where it goes round.
func (p *pool) checkShares(kind protocol.PolicyType, times int, r *rand.Rand) {
	p.t.Helper()
	sum := 0.0
	for id := range p.by {
		sum += share(kind, p.val[id])
	}
	count := map[int]float64{}
	for range times {
		count[p.pick(1, r)[0]]++
	}
	for id := range p.by {
		part := share(kind, p.val[id]) / sum
		want, bound := part*float64(times), float64(len(p.by))
		if kind != protocol.RoundRobin && kind != protocol.WeightedRoundRobin {
			bound = 5 * math.Sqrt(float64(times)*part*(1-part))
		}
		if math.Abs(count[id]-want) > bound+1 {
			p.t.Errorf("%v: element %d came %v times in %d, want %.0f +- %.0f; values %+v", kind, id, count[id], times, want, bound, p.val[id])
		}
	}
}

// TestSharesFollowThePool (POL-4.1-02, POL-4.2-02, POL-4.3-01, POL-4.4-01,
// POL-5.4-01): the shares are those of the elements that are there, also after some
// have left, come or changed.
func TestSharesFollowThePool(t *testing.T) {
	for _, kind := range []protocol.PolicyType{
		protocol.RoundRobin, protocol.WeightedRoundRobin, protocol.Random, protocol.WeightedRandom, protocol.RandomizedLeastUsed,
	} {
		for seed := range uint64(10) {
			r := seeded(seed)
			p := newPool(t, kind)
			draw := func() protocol.Policy {
				return protocol.Policy{Type: kind, Weight: 1 + r.Uint32N(40), Load: r.Uint32()}
			}
			for i := range 12 {
				p.add(i, draw())
			}
			p.checkShares(kind, 4000, r)
			for _, i := range r.Perm(12)[:6] {
				p.remove(i)
			}
			p.checkShares(kind, 4000, r)
			p.add(20, draw())
			for i := range p.by {
				p.update(i, draw())
			}
			p.pick(1, r) // what was on its way keeps its place
			p.checkShares(kind, 4000, r)
		}
	}
}

// TestOrderIsStable: while others come and go, equals that stay keep the order in which
// they take turns, and nobody of them is passed over.
func TestOrderIsStable(t *testing.T) {
	for _, kind := range []protocol.PolicyType{
		protocol.RoundRobin, protocol.WeightedRoundRobin, protocol.Priority, protocol.LeastUsed, protocol.PriorityLeastUsed,
	} {
		r := seeded(9)
		p := newPool(t, kind)
		same := protocol.Policy{Type: kind, Weight: 3, Priority: 3, Load: 3, Degradation: 3}
		const stay = 6
		for i := range stay {
			p.add(i, same)
		}
		next, passing := 0, []int{}
		for step := range 3000 {
			switch op := r.IntN(4); {
			case op == 0:
				p.add(100+step, same)
				passing = append(passing, 100+step)
			case op == 1 && len(passing) > 0:
				i := r.IntN(len(passing))
				p.remove(passing[i])
				passing = slices.Delete(passing, i, i+1)
			case op == 2:
				p.update(r.IntN(stay), same) // a re-registration changes nothing
			default:
				id := p.pick(1, r)[0]
				if id >= 100 {
					continue
				}
				if id != next {
					t.Fatalf("%v, step %d: element %d has its turn, want %d", kind, step, id, next)
				}
				next = (next + 1) % stay
			}
		}
	}
}

// TestExtremes: the largest values neither wrap nor take everything (POL-5.2-03,
// POL-5.3-01).
func TestExtremes(t *testing.T) {
	const most = math.MaxUint32
	r := seeded(4)

	wrr := newPool(t, protocol.WeightedRoundRobin)
	for i := range 4 {
		wrr.add(i, protocol.Policy{Weight: most})
	}
	wrr.add(4, protocol.Policy{Weight: 1})
	count := map[int]int{}
	for range 40_000 {
		count[wrr.pick(1, r)[0]]++
	}
	for i := range 4 {
		if count[i] < 9_999 || count[i] > 10_001 {
			t.Errorf("WRR: one of four of the largest weight came %d times in 40,000", count[i])
		}
	}
	wrr.update(4, protocol.Policy{Weight: most}) // from the far end of the line
	seen := map[int]bool{}
	for range 6 {
		seen[wrr.pick(1, r)[0]] = true
	}
	if !seen[4] {
		t.Error("WRR: an element whose weight became the largest still waits")
	}

	for _, kind := range []protocol.PolicyType{protocol.WeightedRandom, protocol.RandomizedLeastUsed} {
		p := newPool(t, kind)
		for i := range 50 {
			p.add(i, protocol.Policy{Type: kind, Weight: most})
		}
		p.add(50, protocol.Policy{Type: kind, Weight: 1, Load: most - 1})
		clear(count)
		for range 20_000 {
			count[p.pick(1, r)[0]]++
		}
		for i := range 50 {
			if count[i] < 300 || count[i] > 500 {
				t.Errorf("%v: one of fifty of the largest weight came %d times in 20,000", kind, count[i])
			}
		}
		if got := p.pick(51, r); len(got) != 51 || got[50] != 50 {
			t.Errorf("%v: the list of all has %d, and %d for its last", kind, len(got), got[len(got)-1])
		}
	}

	lud := newPool(t, protocol.LeastUsedWithDegradation)
	for i := range 3 {
		lud.add(i, protocol.Policy{Type: protocol.LeastUsedWithDegradation, Load: most, Degradation: most})
	}
	for i := range 30_000 {
		if got := lud.pick(1, r)[0]; got != i%3 {
			t.Fatalf("LUD: after %d selections element %d has its turn, want %d", i, got, i%3)
		}
	}
}

// TestSmallWeightsDoNotStarve: however often the others register again with other
// weights, an element gets what it would have got with all of them at their largest.
func TestSmallWeightsDoNotStarve(t *testing.T) {
	r := seeded(6)
	p := newPool(t, protocol.WeightedRoundRobin)
	p.add(0, protocol.Policy{Weight: 1})
	const others, heavy = 5, 20
	for i := range others {
		p.add(1+i, protocol.Policy{Weight: heavy})
	}
	waited := 0
	for range 20_000 {
		p.update(1+r.IntN(others), protocol.Policy{Weight: 1 + r.Uint32N(heavy)})
		if waited++; p.pick(1, r)[0] == 0 {
			waited = 0
		}
		if waited > others*heavy+others+1 {
			t.Fatalf("it waits for %d selections", waited)
		}
	}
}
