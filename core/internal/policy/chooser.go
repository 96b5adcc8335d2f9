package policy

import (
	"math/rand/v2"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// Chooser is a pool user's side of a policy: it picks one element at a time
// from the list a registrar gave. The zero value starts at the front; use a
// new one for each new list.
type Chooser struct{ next int }

// Choose returns the index of the element to use now, or false if none is
// usable. The overall policy t of the answer decides, not those inside the
// elements (ASAP-2.2.6-03); types it does not know use list order (POL-7-03).
// usable leaves out elements that are known to be dead; nil means all are.
func (c *Chooser) Choose(t protocol.PolicyType, list []protocol.Element, usable func(int) bool, r *rand.Rand) (int, bool) {
	ok := func(i int) bool { return usable == nil || usable(i) }
	switch t {
	case protocol.Random, protocol.WeightedRandom, protocol.RandomizedLeastUsed:
		return anyOf(len(list), ok, r) // POL-4.3-02, POL-4.4-02, POL-5.4-03
	case protocol.Priority:
		return highest(list, ok) // POL-4.5-02
	}
	// POL-4.1-03: one after the other, from the first, and round.
	for i := range list {
		if at := (c.next + i) % len(list); ok(at) {
			c.next = at + 1
			return at, true
		}
	}
	return 0, false
}

func anyOf(n int, ok func(int) bool, r *rand.Rand) (int, bool) {
	chosen, seen := 0, 0
	for i := range n {
		if !ok(i) {
			continue
		}
		seen++
		if r.IntN(seen) == 0 {
			chosen = i
		}
	}
	return chosen, seen > 0
}

func highest(list []protocol.Element, ok func(int) bool) (int, bool) {
	best := -1
	for i := range list {
		if ok(i) && (best < 0 || list[i].Policy.Priority > list[best].Policy.Priority) {
			best = i
		}
	}
	return max(best, 0), best >= 0
}
