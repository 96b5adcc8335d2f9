package policy

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

var allTypes = []protocol.PolicyType{
	protocol.RoundRobin, protocol.WeightedRoundRobin, protocol.Random, protocol.WeightedRandom, protocol.Priority,
	protocol.LeastUsed, protocol.LeastUsedWithDegradation, protocol.PriorityLeastUsed, protocol.RandomizedLeastUsed,
	0x80000001, // private: served round robin (POL-7-02)
}

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

// someValues draws values of every kind; small ones, so that equals occur.
func someValues(t protocol.PolicyType, r *rand.Rand) protocol.Policy {
	return protocol.Policy{Type: t, Weight: r.Uint32N(4), Priority: r.Uint32N(4), Load: r.Uint32N(4) * 0x55555555, Degradation: r.Uint32N(3) << 30}
}

type pool struct {
	t   testing.TB
	sel Selector[int]
	by  map[int]*Node[int]
	val map[int]protocol.Policy
}

func newPool(t testing.TB, kind protocol.PolicyType) *pool {
	return &pool{t: t, sel: New[int](kind), by: map[int]*Node[int]{}, val: map[int]protocol.Policy{}}
}

func (p *pool) add(id int, v protocol.Policy) {
	n := &Node[int]{Value: id}
	p.by[id], p.val[id] = n, v
	p.sel.Add(n, v)
}

func (p *pool) update(id int, v protocol.Policy) {
	p.val[id] = v
	p.sel.Update(p.by[id], v)
}

func (p *pool) remove(id int) {
	p.sel.Remove(p.by[id])
	delete(p.by, id)
	delete(p.val, id)
}

func (p *pool) pick(k int, r *rand.Rand) []int {
	var ids []int
	for i, n := range p.sel.Select(nil, k, r) {
		if i == 0 {
			p.sel.Use(n)
		}
		ids = append(ids, n.Value)
	}
	return ids
}

// servable counts the elements a resolution may list.
func (p *pool) servable(kind protocol.PolicyType) int {
	n := 0
	for _, v := range p.val {
		switch kind {
		case protocol.WeightedRoundRobin, protocol.WeightedRandom, protocol.RandomizedLeastUsed:
			if weightOf(v) > 0 {
				n++
			}
		default:
			n++
		}
	}
	if n == 0 {
		return len(p.val) // POL-4.4-03, POL-5.4-02
	}
	return n
}

// TestEveryPolicy runs random histories of a pool. POL-4.3-01, POL-4.2-03,
// POL-4.4-01, POL-5.1-01: at most what was asked for, nobody twice, nobody who
// left, and never an empty answer from a pool that is not empty.
func TestEveryPolicy(t *testing.T) {
	for _, kind := range allTypes {
		t.Run(kind.String(), func(t *testing.T) {
			for seed := range uint64(20) {
				randomHistory(t, kind, seed)
			}
		})
	}
}

func randomHistory(t *testing.T, kind protocol.PolicyType, seed uint64) {
	r, draw := seeded(seed), seeded(seed+1000)
	p := newPool(t, kind)
	var members []int
	for step := range 400 {
		switch op := r.IntN(10); {
		case op < 3 || len(members) == 0:
			p.add(step, someValues(kind, r))
			members = append(members, step)
		case op < 5:
			i := r.IntN(len(members))
			p.remove(members[i])
			members = slices.Delete(members, i, i+1)
		case op < 7:
			p.update(members[r.IntN(len(members))], someValues(kind, r))
		default:
			k := r.IntN(len(members) + 3)
			checkAnswer(t, p, kind, p.pick(k, draw), k)
		}
		if p.sel.Len() != len(members) {
			t.Fatalf("seed %d: Len() = %d, members %d", seed, p.sel.Len(), len(members))
		}
	}
}

func checkAnswer(t *testing.T, p *pool, kind protocol.PolicyType, got []int, k int) {
	t.Helper()
	if want := min(k, p.servable(kind)); len(got) != want {
		t.Fatalf("%d elements for %d asked, want %d", len(got), k, want)
	}
	seen := map[int]bool{}
	for _, id := range got {
		if p.by[id] == nil || seen[id] {
			t.Fatalf("element %d is gone or listed twice in %v", id, got)
		}
		seen[id] = true
	}
}

// TestNothingIsAsked: an answer of nobody, from a pool of nobody too, moves nothing on.
func TestNothingIsAsked(t *testing.T) {
	for _, kind := range allTypes {
		p, r := newPool(t, kind), seeded(2)
		for _, k := range []int{-1, 0, 1, 9} {
			if got := p.pick(k, r); len(got) != 0 {
				t.Errorf("%v: an empty pool has %v", kind, got)
			}
		}
		if kind == protocol.Random || kind == protocol.WeightedRandom || kind == protocol.RandomizedLeastUsed {
			continue
		}
		p.add(1, protocol.Policy{Type: kind, Weight: 1})
		p.add(2, protocol.Policy{Type: kind, Weight: 1})
		for _, k := range []int{-1, 0} {
			if got := p.pick(k, r); len(got) != 0 {
				t.Errorf("%v: %d elements are %v", kind, k, got)
			}
		}
		if got := picks(p, 2, 1); got != "12" {
			t.Errorf("%v: after answers of nobody it is the turn of %s", kind, got)
		}
	}
}

// TestSameSeedSameAnswers: a simulation replays exactly.
func TestSameSeedSameAnswers(t *testing.T) {
	for _, kind := range allTypes {
		run := func() string {
			r := seeded(7)
			p := newPool(t, kind)
			out := ""
			for i := range 30 {
				p.add(i, someValues(kind, r))
				out += fmt.Sprint(p.pick(5, r))
			}
			return out
		}
		if first, second := run(), run(); first != second {
			t.Errorf("%v: two runs differ", kind)
		}
	}
}

// TestNobodyStarves: with equal values every policy gives everyone a turn.
func TestNobodyStarves(t *testing.T) {
	for _, kind := range allTypes {
		r := seeded(3)
		p := newPool(t, kind)
		for i := range 10 {
			p.add(i, protocol.Policy{Type: kind, Weight: 5, Priority: 5, Load: 5, Degradation: 5})
		}
		first := map[int]int{}
		for range 1000 {
			first[p.pick(1, r)[0]]++
		}
		for i := range 10 {
			if first[i] < 50 {
				t.Errorf("%v: element %d was first in %d of 1000 answers, want about 100", kind, i, first[i])
			}
		}
	}
}

func BenchmarkSelect(b *testing.B) {
	for _, kind := range allTypes {
		for _, n := range []int{10, 1_000, 100_000} {
			b.Run(fmt.Sprintf("%v/%d", kind, n), func(b *testing.B) {
				r := seeded(1)
				p := newPool(b, kind)
				for i := range n {
					p.add(i, protocol.Policy{Type: kind, Weight: 1 + r.Uint32N(100), Priority: r.Uint32N(100), Load: r.Uint32(), Degradation: 1 << 20})
				}
				var dst []*Node[int]
				b.ReportAllocs()
				for b.Loop() {
					dst = p.sel.Select(dst[:0], 10, r)
				}
			})
		}
	}
}
