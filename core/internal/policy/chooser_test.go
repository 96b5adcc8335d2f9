package policy

import (
	"testing"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

func elements(priorities ...uint32) []protocol.Element {
	out := make([]protocol.Element, len(priorities))
	for i, p := range priorities {
		out[i].Policy.Priority = p
	}
	return out
}

// POL-4.1-03, POL-4.2-04, POL-5.1-04, POL-7-03: in list order, and round.
func TestChooseInOrder(t *testing.T) {
	for _, kind := range []protocol.PolicyType{protocol.RoundRobin, protocol.WeightedRoundRobin, protocol.LeastUsed,
		protocol.LeastUsedWithDegradation, protocol.PriorityLeastUsed, 0x80000001} {
		var c Chooser
		list := elements(1, 2, 3)
		for step, want := range []int{0, 1, 2, 0, 1} {
			if got, ok := c.Choose(kind, list, nil, nil); got != want || !ok {
				t.Errorf("%v, step %d: %d %v, want %d", kind, step, got, ok, want)
			}
		}
		alive := func(i int) bool { return i == 1 }
		for range 2 {
			if got, ok := c.Choose(kind, list, alive, nil); got != 1 || !ok {
				t.Errorf("%v: only 1 is alive, got %d %v", kind, got, ok)
			}
		}
	}
}

// POL-4.3-02, POL-4.4-02, POL-5.4-03: every usable element alike.
func TestChooseUniformly(t *testing.T) {
	for _, kind := range []protocol.PolicyType{protocol.Random, protocol.WeightedRandom, protocol.RandomizedLeastUsed} {
		var c Chooser
		r := seeded(2)
		count := map[int]int{}
		for range 9000 {
			i, ok := c.Choose(kind, elements(0, 0, 0, 0), func(i int) bool { return i != 2 }, r)
			if !ok {
				t.Fatal("nothing chosen")
			}
			count[i]++
		}
		for _, i := range []int{0, 1, 3} {
			if count[i] < 2800 || count[i] > 3200 {
				t.Errorf("%v: element %d chosen %d times of 9000, want about 3000", kind, i, count[i])
			}
		}
		if count[2] != 0 {
			t.Errorf("%v: chose a dead element", kind)
		}
	}
}

// POL-4.5-02: the highest priority that is not known dead.
func TestChoosePriority(t *testing.T) {
	var c Chooser
	list := elements(3, 9, 7)
	if got, _ := c.Choose(protocol.Priority, list, nil, nil); got != 1 {
		t.Errorf("got %d, want 1", got)
	}
	if got, _ := c.Choose(protocol.Priority, list, func(i int) bool { return i != 1 }, nil); got != 2 {
		t.Errorf("1 is dead: got %d, want 2", got)
	}
}

func TestChooseNothing(t *testing.T) {
	for _, kind := range allTypes {
		var c Chooser
		if _, ok := c.Choose(kind, nil, nil, seeded(1)); ok {
			t.Errorf("%v: chose from an empty list", kind)
		}
		if _, ok := c.Choose(kind, elements(1, 2), func(int) bool { return false }, seeded(1)); ok {
			t.Errorf("%v: chose a dead element", kind)
		}
	}
}
