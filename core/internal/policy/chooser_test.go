package policy

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

func list(values ...protocol.Policy) []protocol.Element {
	out := make([]protocol.Element, len(values))
	for i, v := range values {
		out[i].Policy = v
	}
	return out
}

// uses is whom a PU uses one after the other.
func uses(c *Chooser, times int, usable func(int) bool, r *rand.Rand) string {
	out := ""
	for range times {
		i, ok := c.Choose(usable, r)
		if !ok {
			return out + "-"
		}
		c.Used(i)
		out += fmt.Sprint(i)
	}
	return out
}

// POL-4.1-03, POL-4.2-04, POL-5.1-04, POL-7-03: in list order, and round, where
// the values do not differ, and where the list is what a registrar drew by them.
func TestChooseInOrder(t *testing.T) {
	for _, kind := range []protocol.PolicyType{protocol.RoundRobin, protocol.WeightedRoundRobin, protocol.LeastUsed,
		protocol.LeastUsedWithDegradation, protocol.PriorityLeastUsed, protocol.Priority, 0x80000001} {
		same := protocol.Policy{Weight: 7, Priority: 7, Load: 7, Degradation: 7}
		for _, complete := range []bool{false, true} {
			c := NewChooser(kind, list(same, same, same), complete)
			if got := uses(c, 7, nil, nil); got != "0120120" {
				t.Errorf("%v, complete %v: %s", kind, complete, got)
			}
			if got := uses(c, 2, func(i int) bool { return i == 1 }, nil); got != "11" {
				t.Errorf("%v: only 1 is alive, got %s", kind, got)
			}
		}
	}
	c := NewChooser(protocol.WeightedRoundRobin, list(protocol.Policy{Weight: 9}, protocol.Policy{Weight: 1}), false)
	if got := uses(c, 4, nil, nil); got != "0101" {
		t.Errorf("a part of a weighted pool: %s", got)
	}
}

// TestChooseChangesNothing: to look for whom to fall back on is no selection.
func TestChooseChangesNothing(t *testing.T) {
	for _, kind := range allTypes {
		c := NewChooser(kind, list(protocol.Policy{Weight: 1}, protocol.Policy{Weight: 2}, protocol.Policy{Weight: 3}), true)
		before := fmt.Sprint(c.candidates, c.next, c.now)
		for range 10 {
			c.Choose(nil, seeded(1))
		}
		if after := fmt.Sprint(c.candidates, c.next, c.now); after != before {
			t.Errorf("%v: %s became %s", kind, before, after)
		}
	}
}

// The first element of a fresh list is the registrar's choice, but for policies
// that draw: users who have one session each follow the registrar.
func TestChooseFirstFirst(t *testing.T) {
	for _, kind := range allTypes {
		if kind == protocol.Random || kind == protocol.WeightedRandom || kind == protocol.RandomizedLeastUsed {
			continue
		}
		r := seeded(3)
		for range 100 {
			p := newPool(t, kind)
			for i := range 5 {
				v := someValues(kind, r)
				v.Weight++
				p.add(i, v)
			}
			p.pick(5, r) // what it has degraded, the values do not tell
			var answer []protocol.Element
			for _, id := range p.pick(5, r) {
				answer = append(answer, list(p.val[id])...)
			}
			for _, complete := range []bool{false, true} {
				if got := uses(NewChooser(kind, answer, complete), 1, nil, r); got != "0" {
					t.Fatalf("%v: the registrar says %+v, the user takes %s", kind, answer, got)
				}
			}
		}
	}
}

// TestChooseByPolicy: many sessions from one list have the shares that the
// policy gives (POL-4.2-02, POL-4.4-01, POL-5.1-01, POL-5.2-03, POL-5.3-01,
// POL-5.4-01), and POL-4.3-02, POL-4.4-02, POL-5.4-03: a part of a pool is
// drawn from uniformly.
func TestChooseByPolicy(t *testing.T) {
	percent := func(load, degradation float64) protocol.Policy {
		return protocol.Policy{Load: uint32(load / 100 * math.MaxUint32), Degradation: uint32(degradation / 100 * math.MaxUint32)}
	}
	weights := list(protocol.Policy{Weight: 1}, protocol.Policy{Weight: 2}, protocol.Policy{Weight: 7}, protocol.Policy{})
	loads := list(percent(10, 1), percent(50, 1), percent(50, 1))
	for _, test := range []struct {
		kind     protocol.PolicyType
		list     []protocol.Element
		complete bool
		want     []float64
	}{
		{protocol.WeightedRoundRobin, weights, true, []float64{.1, .2, .7, 0}},
		{protocol.WeightedRandom, weights, true, []float64{.1, .2, .7, 0}},
		{protocol.WeightedRandom, weights, false, []float64{.25, .25, .25, .25}},
		{protocol.WeightedRoundRobin, list(protocol.Policy{}, protocol.Policy{}), true, []float64{.5, .5}},
		{protocol.WeightedRandom, list(protocol.Policy{}, protocol.Policy{}), true, []float64{.5, .5}},
		{protocol.Random, weights, true, []float64{.25, .25, .25, .25}},
		{protocol.RandomizedLeastUsed, list(percent(0, 0), percent(75, 0)), true, []float64{.8, .2}},
		{protocol.RandomizedLeastUsed, list(percent(0, 0), percent(50, 0)), false, []float64{.5, .5}},
		{protocol.RandomizedLeastUsed, list(percent(100, 0), percent(100, 0)), true, []float64{.5, .5}},
		{protocol.LeastUsed, loads, true, []float64{1, 0, 0}},
		{protocol.LeastUsed, list(percent(10, 0), percent(10, 0), percent(50, 0)), true, []float64{.5, .5, 0}},
		{protocol.PriorityLeastUsed, list(percent(50, 10), percent(50, 50)), true, []float64{1, 0}},
	} {
		c, r := NewChooser(test.kind, test.list, test.complete), seeded(4)
		const times = 10_000
		count := make([]float64, len(test.want))
		for range times {
			i, _ := c.Choose(nil, r)
			c.Used(i)
			count[i]++
		}
		for i, want := range test.want {
			if got := count[i] / times; math.Abs(got-want) > .015 {
				t.Errorf("%v (complete %v): element %d has %.3f, want %.3f", test.kind, test.complete, i, got, want)
			}
		}
	}
}

// POL-5.2-02: 10, 50 and 50 % fill up alike: 40 sessions for the first, and of
// the other 80 a third for each. A new value begins anew (POL-5.2-01).
func TestChooseDegrades(t *testing.T) {
	const percent = math.MaxUint32 / 100
	v := protocol.Policy{Load: 10 * percent, Degradation: percent}
	busy := protocol.Policy{Load: 50 * percent, Degradation: percent}
	c := NewChooser(protocol.LeastUsedWithDegradation, list(v, busy, busy), true)
	count := map[rune]int{}
	for _, i := range uses(c, 120, nil, nil) {
		count[i]++
	}
	if count['0'] < 66 || count['1'] < 26 || count['2'] < 26 {
		t.Errorf("shares of 120: %v, want 67, 27 and 26", count)
	}
	c.Update(1, protocol.Policy{Load: 90 * percent, Degradation: percent})
	if got := uses(c, 7, nil, nil); strings.Contains(got, "1") {
		t.Errorf("after 1 has said that it is at 90 %%: %s", got)
	}
	c.Update(2, protocol.Policy{Load: 0, Degradation: percent})
	if got := uses(c, 7, nil, nil); got != "2222222" {
		t.Errorf("after 2 has said that it is at 0 %%: %s", got)
	}
	// The registrar says 1 first: it has degraded 0 to 50 %.
	c = NewChooser(protocol.LeastUsedWithDegradation, list(busy, v), true)
	if got := uses(c, 6, nil, nil); got != "010101" {
		t.Errorf("a list in the registrar's order: %s", got)
	}
}

// TestChooseWeightedLong: the line of Weighted Round Robin is moved back before it
// overflows, who was away has nothing to make up for, and a new weight counts at
// once.
func TestChooseWeightedLong(t *testing.T) {
	c := NewChooser(protocol.WeightedRoundRobin, list(protocol.Policy{Weight: 1}, protocol.Policy{Weight: 3}, protocol.Policy{}), true)
	count := [3]int{}
	const times = 1 << 18
	for range times {
		i, _ := c.Choose(nil, nil)
		c.Used(i)
		count[i]++
	}
	if count[0] < times/4-1 || count[0] > times/4+1 {
		t.Errorf("weights 1 and 3: %v", count)
	}
	uses(c, 100, func(i int) bool { return i == 0 }, nil)
	if got := uses(c, 8, nil, nil); got != "11101110" && got != "01110111" && got != "10111011" && got != "11011101" {
		t.Errorf("1 is back: %s", got)
	}
	c.Update(0, protocol.Policy{Weight: 3})
	if got := uses(c, 8, nil, nil); got != "01010101" && got != "10101010" {
		t.Errorf("weights 3 and 3: %s", got)
	}
	c.Update(0, protocol.Policy{Weight: 0})
	if got := uses(c, 4, nil, nil); got != "1111" {
		t.Errorf("weights 0 and 3: %s", got)
	}
}

// TestChooseWeightedFirst: who takes few sessions from each of many answers shares
// them by the weights too, for the order of an answer says whose turn is how near.
func TestChooseWeightedFirst(t *testing.T) {
	weights := []float64{1, 2, 7}
	for sessions := 1; sessions <= 4; sessions++ {
		p, r := newPool(t, protocol.WeightedRoundRobin), seeded(8)
		for i, w := range weights {
			p.add(i, protocol.Policy{Weight: uint32(w)})
		}
		count := make([]float64, len(weights))
		const times = 2000
		for range times {
			ids := p.pick(len(weights), r)
			var answer []protocol.Element
			for _, id := range ids {
				answer = append(answer, list(p.val[id])...)
			}
			c := NewChooser(protocol.WeightedRoundRobin, answer, true)
			for range sessions {
				i, _ := c.Choose(nil, r)
				c.Used(i)
				count[ids[i]]++
			}
		}
		for i, w := range weights {
			if got := count[i] / times / float64(sessions); math.Abs(got-w/10) > .11 {
				t.Errorf("%d sessions from each answer: weight %v has %.3f of them", sessions, w, got)
			}
		}
	}
}

// TestExpectedGap: the first of n that stand anywhere in a stretch is expected
// after 1/(n+1) of it.
func TestExpectedGap(t *testing.T) {
	const s = 1200
	never := candidate{}
	for _, test := range []struct {
		ahead []candidate
		at    float64
		want  float64
	}{
		{nil, 0, 0},
		{[]candidate{never}, 0, 0},
		{[]candidate{{step: s}}, 0, s / 2},
		{[]candidate{{step: s}, never}, 0, s / 2},
		{[]candidate{{step: s}, {step: s}}, 0, s / 3},
		{[]candidate{{step: s}, {step: s}, {step: s}}, s / 2, s / 8},
		{[]candidate{{step: s}, {step: 3 * s}}, 0, s / 2},
		{[]candidate{{step: s}}, 2 * s, s / 1000 / 2.}, // late: any time now
	} {
		if got := expectedGap(test.ahead, test.at); math.Abs(got-test.want) > .11 {
			t.Errorf("%v from %v on: %v, want %v", test.ahead, test.at, got, test.want)
		}
	}
}

// TestChooseWeightedUpdate: who has gone half of the way to the next turn has half
// of it left with another weight, and who had no turns gets one after a whole way.
func TestChooseWeightedUpdate(t *testing.T) {
	c := NewChooser(protocol.WeightedRoundRobin, list(protocol.Policy{Weight: 1}, protocol.Policy{Weight: 1}, protocol.Policy{}), true)
	if at := c.candidates[0].key; at != 0 {
		t.Errorf("the first of the list stands at %d, not where the line begins", at)
	}
	c.now = 5 * unit
	c.candidates[0].key, c.candidates[1].key = c.now+unit/2, c.now+unit
	for i, want := range []uint64{unit / 8, unit / 4, unit / 4} {
		c.Update(i, protocol.Policy{Weight: 4})
		if got := c.candidates[i].key - c.now; got != want {
			t.Errorf("element %d has %d before it, want %d", i, got, want)
		}
	}
}

// POL-4.5-02: the highest priority that is not known dead.
func TestChoosePriority(t *testing.T) {
	c := NewChooser(protocol.Priority, list(protocol.Policy{Priority: 3}, protocol.Policy{Priority: 9}, protocol.Policy{Priority: 7}), true)
	if got := uses(c, 3, nil, nil); got != "111" {
		t.Errorf("got %s, want 1 always", got)
	}
	if got := uses(c, 2, func(i int) bool { return i != 1 }, nil); got != "22" {
		t.Errorf("1 is dead: got %s, want 2", got)
	}
}

func TestChooseNothing(t *testing.T) {
	for _, kind := range allTypes {
		if _, ok := NewChooser(kind, nil, true).Choose(nil, seeded(1)); ok {
			t.Errorf("%v: chose from an empty list", kind)
		}
		c := NewChooser(kind, list(protocol.Policy{}, protocol.Policy{}), true)
		if _, ok := c.Choose(func(int) bool { return false }, seeded(1)); ok {
			t.Errorf("%v: chose a dead element", kind)
		}
		only := func(i int) bool { return i == 1 }
		if got := uses(c, 4, only, seeded(1)); got != "1111" {
			t.Errorf("%v: chose %s where only 1 is alive", kind, got)
		}
	}
}
