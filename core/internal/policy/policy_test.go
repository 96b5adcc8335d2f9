package policy

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

func ids(from, to int) []int {
	var out []int
	for i := from; i <= to; i++ {
		out = append(out, i)
	}
	return out
}

// picks returns what a pool of three answers to k, n times.
func picks(p *pool, k, n int) string {
	out := ""
	for i := range n {
		if i > 0 {
			out += " "
		}
		for _, id := range p.pick(k, nil) {
			out += fmt.Sprint(id)
		}
	}
	return out
}

// POL-4.1-01, POL-4.1-02: the head advances by one with each resolution. POL-4.2-01: WRR
// with equal weights is the same; POL-5.1-03, POL-5.3-01: so are equals of the
// sorted policies.
func TestRoundRobin(t *testing.T) {
	for _, kind := range []protocol.PolicyType{
		protocol.RoundRobin, protocol.WeightedRoundRobin, protocol.Priority,
		protocol.LeastUsed, protocol.LeastUsedWithDegradation, protocol.PriorityLeastUsed, 0x80000001,
	} {
		for _, weight := range []uint32{1, 3, 1000, math.MaxUint32} {
			p := newPool(t, kind)
			for _, id := range ids(1, 3) {
				p.add(id, protocol.Policy{Type: kind, Weight: weight, Degradation: weight})
			}
			if got := picks(p, 9, 4); got != "123 231 312 123" {
				t.Errorf("%v weight %d: %s", kind, weight, got)
			}
			if kind == protocol.LeastUsedWithDegradation {
				continue // who was not listed is less loaded then
			}
			if got := picks(p, 2, 3); got != "23 31 12" {
				t.Errorf("%v weight %d, two at a time: %s", kind, weight, got)
			}
		}
	}
}

// A newcomer comes after everybody else, and a leaver is skipped.
func TestRoundRobinMembership(t *testing.T) {
	for _, kind := range []protocol.PolicyType{protocol.RoundRobin, protocol.WeightedRoundRobin} {
		p := newPool(t, kind)
		v := protocol.Policy{Type: kind, Weight: 1}
		for _, id := range ids(1, 3) {
			p.add(id, v)
		}
		picks(p, 1, 1)
		p.add(4, v)
		if got := picks(p, 9, 1); got != "2314" {
			t.Errorf("%v: after joining: %s", kind, got)
		}
		p.remove(3)
		p.update(1, v)
		if got := picks(p, 9, 2); got != "142 421" {
			t.Errorf("%v: after leaving: %s", kind, got)
		}
	}
}

// POL-4.2-02: weights 3 and 1 give A A B A, not bursts.
func TestWeightedRoundRobinSpreads(t *testing.T) {
	p := newPool(t, protocol.WeightedRoundRobin)
	p.add(1, protocol.Policy{Weight: 3})
	p.add(2, protocol.Policy{Weight: 1})
	if got := picks(p, 1, 8); got != "1 1 2 1 1 1 2 1" {
		t.Errorf("weights 3, 1: %s", got)
	}
}

// POL-4.2-02: the share of occurrences is weight / sum; no window holds
// noticeably more of one element than its share. The line is moved back in
// between.
func TestWeightedRoundRobinShares(t *testing.T) {
	p := newPool(t, protocol.WeightedRoundRobin)
	weights := map[int]uint32{1: 1, 2: 2, 3: 5, 4: 12}
	for _, id := range ids(1, 4) {
		p.add(id, protocol.Policy{Weight: weights[id]})
	}
	q := p.sel.(*proportional[int])
	q.now += rebase - unit
	for i := range q.heap.places {
		q.heap.places[i].key += rebase - unit
	}
	for round := range 50 {
		count := map[int]uint32{}
		for range 20 {
			count[p.pick(1, nil)[0]]++
		}
		for id, w := range weights {
			if count[id] < w-1 || count[id] > w+1 {
				t.Fatalf("round %d: element %d came %d times in 20, weight %d", round, id, count[id], w)
			}
		}
	}
	if q.now >= rebase || q.heap.places[0].key >= rebase {
		t.Error("the line was never moved back")
	}
}

// TestLineMovedBackWhole: who joins just after the line was moved back stands where
// the others are.
func TestLineMovedBackWhole(t *testing.T) {
	p := newPool(t, protocol.WeightedRoundRobin)
	p.add(1, protocol.Policy{Weight: 1})
	q := p.sel.(*proportional[int])
	q.heap.places[0].key = rebase
	p.pick(1, nil)
	p.add(2, protocol.Policy{Weight: 1})
	if got := picks(p, 1, 4); got != "1 2 1 2" {
		t.Errorf("equals have turns %s", got)
	}
}

// TestDrawnInEveryOrder (POL-4.3-01, POL-4.4-01, POL-5.4-01): what is drawn is drawn
// anew each time, and not in turn.
func TestDrawnInEveryOrder(t *testing.T) {
	for _, kind := range []protocol.PolicyType{protocol.Random, protocol.WeightedRandom, protocol.RandomizedLeastUsed} {
		p, r := newPool(t, kind), seeded(2)
		for i := range 3 {
			p.add(i, protocol.Policy{Type: kind, Weight: 2})
		}
		count := map[string]int{}
		for range 6000 {
			count[fmt.Sprint(p.pick(3, r))]++
		}
		for order, n := range count {
			if n < 850 || n > 1150 {
				t.Errorf("%v: %s came %d times in 6000", kind, order, n)
			}
		}
		if len(count) != 6 {
			t.Errorf("%v: three elements came in %d orders", kind, len(count))
		}
	}
}

// TestNodeChangesPools: an element may leave one pool for another with another
// policy, and takes nothing along.
func TestNodeChangesPools(t *testing.T) {
	from, to, r := New[int](protocol.WeightedRoundRobin), newPool(t, protocol.WeightedRandom), seeded(3)
	n := &Node[int]{}
	from.Add(n, protocol.Policy{Weight: 100})
	from.Remove(n)
	to.add(1, protocol.Policy{Weight: 1})
	to.by[0], to.val[0] = n, protocol.Policy{Weight: 1}
	to.sel.Add(n, to.val[0])
	to.checkShares(protocol.WeightedRandom, 2000, r)
}

// A change of weight takes effect from where the element stands.
func TestWeightedRoundRobinUpdate(t *testing.T) {
	p := newPool(t, protocol.WeightedRoundRobin)
	p.add(1, protocol.Policy{Weight: 1})
	p.add(2, protocol.Policy{Weight: 1})
	p.update(2, protocol.Policy{Weight: 4})
	if got := picks(p, 1, 5); got != "2 2 2 1 2" && got != "2 2 2 2 1" {
		t.Errorf("weight raised from 1 to 4: %s", got)
	}
	p.update(2, protocol.Policy{Weight: 0})
	if got := picks(p, 9, 2); got != "1 1" {
		t.Errorf("POL-3.2-01: weight 0 was selected: %s", got)
	}
	p.update(1, protocol.Policy{Weight: 0})
	if got := picks(p, 9, 2); got != "21 12" {
		t.Errorf("POL-4.4-03: nobody has a weight: %s", got)
	}
}

// POL-4.4-01: weights 1, 2, 7 come first in 10, 20, 70 % of the answers.
// POL-5.4-01: RLU is the same with the unused part of the load. POL-4.4-03, POL-5.4-02:
// where nothing is left of any, each has its share.
func TestWeightedRandomShares(t *testing.T) {
	tests := []struct {
		name   string
		kind   protocol.PolicyType
		values []protocol.Policy
		want   []float64
	}{
		{"WRAND", protocol.WeightedRandom, []protocol.Policy{{Weight: 1}, {Weight: 2}, {Weight: 7}}, []float64{.1, .2, .7}},
		{"WRAND with 0", protocol.WeightedRandom, []protocol.Policy{{Weight: 0}, {Weight: 1}}, []float64{0, 1}},
		{"WRAND with 0 only", protocol.WeightedRandom, make([]protocol.Policy, 4), []float64{.25, .25, .25, .25}},
		{"RLU", protocol.RandomizedLeastUsed, []protocol.Policy{{Load: 0}, {Load: 0x80000000}}, []float64{2. / 3, 1. / 3}},
		{"RLU all at 100 %", protocol.RandomizedLeastUsed, []protocol.Policy{{Load: math.MaxUint32}, {Load: math.MaxUint32}}, []float64{.5, .5}},
		{"RAND", protocol.Random, make([]protocol.Policy, 4), []float64{.25, .25, .25, .25}},
	}
	for _, test := range tests {
		r := seeded(11)
		p := newPool(t, test.kind)
		for i, v := range test.values {
			v.Type = test.kind
			p.add(i, v)
		}
		const draws = 20_000
		count := make([]float64, len(test.want))
		for range draws {
			count[p.pick(len(test.want), r)[0]]++
		}
		for i, want := range test.want {
			if got := count[i] / draws; math.Abs(got-want) > .015 {
				t.Errorf("%s: element %d first in %.3f, want %.3f", test.name, i, got, want)
			}
		}
	}
}

// POL-4.5-01: decreasing priority. POL-5.1-02: increasing load. POL-5.3-01: A
// (50 % + 10 %) before B (50 % + 50 %), without wrapping at 32 bits.
func TestSorted(t *testing.T) {
	tests := []struct {
		kind   protocol.PolicyType
		values []protocol.Policy
		want   []int
	}{
		{protocol.Priority, []protocol.Policy{{Priority: 1}, {Priority: math.MaxUint32}, {Priority: 7}}, []int{1, 2, 0}},
		{protocol.LeastUsed, []protocol.Policy{{Load: 9}, {Load: math.MaxUint32}, {Load: 0}}, []int{2, 0, 1}},
		{protocol.PriorityLeastUsed, []protocol.Policy{
			{Load: 1 << 31, Degradation: 1 << 31}, {Load: 1 << 31, Degradation: 1 << 28}, {Load: math.MaxUint32, Degradation: math.MaxUint32},
		}, []int{1, 0, 2}},
	}
	for _, test := range tests {
		p := newPool(t, test.kind)
		for i, v := range test.values {
			v.Type = test.kind
			p.add(i, v)
		}
		for range 3 {
			if got := p.pick(9, nil); !slices.Equal(got, test.want) {
				t.Errorf("%v: %v, want %v", test.kind, got, test.want)
			}
		}
	}
}

// POL-5.1-03: equals take turns wherever they stand in the list; an element that
// registers with another value goes to where it belongs.
func TestEqualsTakeTurns(t *testing.T) {
	p := newPool(t, protocol.LeastUsed)
	for id, load := range []uint32{7, 7, 9, 9} {
		p.add(id, protocol.Policy{Type: protocol.LeastUsed, Load: load})
	}
	if got := picks(p, 4, 3); got != "0123 1032 0123" {
		t.Errorf("loads 7, 7, 9 and 9: %s", got)
	}
	p.update(0, protocol.Policy{Type: protocol.LeastUsed, Load: 10})
	if got := picks(p, 4, 2); got != "1320 1230" {
		t.Errorf("loads 10, 7, 9 and 9: %s", got)
	}
}

// TestDegradationCountsTheUsed (POL-5.2-02): of a list only the first is used, so
// that loads of 10, 50 and 50 % fill up alike though every answer lists all. Who is
// only told uses nothing.
func TestDegradationCountsTheUsed(t *testing.T) {
	const percent = math.MaxUint32 / 100
	p := newPool(t, protocol.LeastUsedWithDegradation)
	for i, load := range []uint32{10, 50, 50} {
		p.add(i, protocol.Policy{Type: protocol.LeastUsedWithDegradation, Load: load * percent, Degradation: percent})
	}
	count := [3]int{}
	for range 120 {
		count[p.pick(32, nil)[0]]++
		p.sel.Select(nil, 32, nil) // who is only told uses nobody
	}
	if count[0] < 66 || count[1] < 26 || count[2] < 26 {
		t.Errorf("shares of 120 answers: %v, want 67, 27 and 26", count)
	}
}

// POL-5.2-02, POL-5.2-03: every element given to a PU counts as that much more
// loaded, in 64 bits; POL-5.2-01: until it registers again.
func TestDegradation(t *testing.T) {
	v := protocol.Policy{Type: protocol.LeastUsedWithDegradation, Degradation: 0x80000000}
	p := newPool(t, v.Type)
	heavy := v
	heavy.Load = 0x90000000
	p.add(1, v)
	p.add(2, heavy)
	if got := picks(p, 1, 6); got != "1 1 2 1 2 1" {
		t.Errorf("loads 0 and 0.56, degradation 0.5: %s", got)
	}
	p.update(2, heavy)
	if got := picks(p, 2, 1); got != "21" {
		t.Errorf("after registering again: %s", got)
	}
	if n := p.by[2]; n.count != 1 {
		t.Errorf("after registering again and one selection the counter is %d (POL-5.2-01)", n.count)
	}
	n := p.by[1]
	if key := p.sel.(*ordered[int]).heap.key(n); n.count != 4 || key != 4*0x80000000 {
		t.Errorf("element 1 was selected 4 times: count %d, key %#x", n.count, key)
	}
}

// TestUseOfAnother: where sessions are not counted nobody loses a turn by being used.
func TestUseOfAnother(t *testing.T) {
	for _, kind := range []protocol.PolicyType{protocol.RoundRobin, protocol.LeastUsed, protocol.Priority, protocol.LeastUsedWithDegradation} {
		p := newPool(t, kind)
		for _, id := range ids(1, 3) {
			p.add(id, protocol.Policy{Type: kind})
		}
		p.sel.Select(nil, 3, nil)
		p.sel.Use(p.by[2])
		if got := picks(p, 3, 1); got != "231" {
			t.Errorf("%v: %s", kind, got)
		}
	}
}

// TestWhoIsOutHoldsNobody: what keeps an element that has left keeps none of the others in memory.
func TestWhoIsOutHoldsNobody(t *testing.T) {
	p := newPool(t, protocol.RoundRobin)
	for _, id := range ids(1, 3) {
		p.add(id, protocol.Policy{})
	}
	out := p.by[2]
	if p.remove(2); out.next != nil || out.prev != nil {
		t.Error("it leads to the others")
	}
}

// TestDegradationCounter: it counts where there is something to count, and does not
// begin anew at its largest value.
func TestDegradationCounter(t *testing.T) {
	for _, test := range []struct{ degrade, before, after, more uint32 }{
		{0, 7, 7, 0}, {1, 7, 8, 1}, {5, math.MaxUint32 - 1, math.MaxUint32, 5}, {5, math.MaxUint32, math.MaxUint32, 0},
	} {
		n := Node[int]{degrade: test.degrade, count: test.before}
		if more := n.degradation(); more != uint64(test.more) || n.count != test.after {
			t.Errorf("%+v: degraded by %d, count %#x", test, more, n.count)
		}
	}
}

// The sorted policies agree with sorting everything.
func TestHeapAgreesWithSorting(t *testing.T) {
	r := seeded(5)
	p := newPool(t, protocol.LeastUsed)
	heap := &p.sel.(*ordered[int]).heap
	for i := range 300 {
		p.add(i, protocol.Policy{Load: r.Uint32N(1000)})
	}
	for range 200 {
		id, k := r.IntN(300), r.IntN(300)
		p.update(id, protocol.Policy{Load: r.Uint32N(1000)})
		want := ids(0, 299)
		slices.SortFunc(want, func(a, b int) int {
			x, y := heap.places[p.by[a].pos], heap.places[p.by[b].pos]
			if x.before(&y) {
				return -1
			}
			return 1
		})
		if got := p.pick(k, nil); !slices.Equal(got, want[:k]) {
			t.Fatalf("k = %d: %v, want %v", k, got, want[:k])
		}
	}
}
