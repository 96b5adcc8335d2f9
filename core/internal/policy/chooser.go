package policy

import (
	"math"
	"math/rand/v2"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// Chooser is a pool user's side of a policy: it chooses one element at a time
// from the list a registrar gave; use a new one for each new list. On the one
// list it does what the registrar does on the pool, so that many sessions from
// one answer are shared like sessions from as many answers.
type Chooser struct {
	kind       protocol.PolicyType
	candidates []candidate
	next       int    // index after the last one used: from there on equals have their turns
	now        uint64 // weighted round robin: as far as the line has been read
}

// candidate is what the policy makes of one element of the list.
type candidate struct {
	weight uint32 // of a random choice
	key    uint64 // the smallest is chosen otherwise
	step   uint64 // and is that much larger when it was used
}

// NewChooser returns the choice from a list in the registrar's order by the
// overall policy t of the answer, not by those inside the elements
// (ASAP-2.2.6-03). complete says that the list is the whole pool; a registrar
// that gives a part draws it by the weights, so weights then do not count again.
func NewChooser(t protocol.PolicyType, list []protocol.Element, complete bool) *Chooser {
	c := &Chooser{kind: t, candidates: make([]candidate, len(list))}
	if !complete && t == protocol.WeightedRoundRobin {
		c.kind = protocol.RoundRobin // PUs take turns, as with Round Robin (POL-4.2-04)
	}
	if !complete && (t == protocol.WeightedRandom || t == protocol.RandomizedLeastUsed) {
		c.kind = protocol.Random // POL-4.4-02, POL-5.4-03
	}
	for i := range list {
		c.candidates[i].set(c.kind, list[i].Policy)
	}
	c.trustOrder()
	return c
}

// Update takes over new values of an element, as from a re-registration.
func (c *Chooser) Update(i int, p protocol.Policy) {
	x := &c.candidates[i]
	before := *x
	x.set(c.kind, p)
	if c.kind != protocol.WeightedRoundRobin || x.step == 0 {
		return
	}
	left := 1.0 // the part of its way that is before it
	if before.step > 0 {
		left = float64(before.key-c.now) / float64(before.step)
	}
	x.key = c.now + uint64(left*float64(x.step))
}

func (x *candidate) set(t protocol.PolicyType, p protocol.Policy) {
	x.key, x.step, x.weight = 0, 0, 1
	switch t {
	case protocol.WeightedRoundRobin:
		if x.key = math.MaxUint64; p.Weight > 0 { // POL-3.2-01: only if there is nobody else
			x.key, x.step = 0, stride(p.Weight)
		}
	case protocol.WeightedRandom:
		x.weight = p.Weight
	case protocol.RandomizedLeastUsed:
		x.weight = math.MaxUint32 - p.Load
	case protocol.Priority:
		x.key = uint64(math.MaxUint32 - p.Priority) // larger is better (POL-4.5-02)
	case protocol.LeastUsed:
		x.key = uint64(p.Load)
	case protocol.PriorityLeastUsed:
		x.key = uint64(p.Load) + uint64(p.Degradation)
	case protocol.LeastUsedWithDegradation:
		x.key, x.step = uint64(p.Load), uint64(p.Degradation)
	}
}

// trustOrder holds the keys to the registrar's order, which knows more than the
// values say: what has been degraded there stands behind what is loaded as much
// (POL-5.1-04), and who has just had its turn behind those that wait for theirs.
func (c *Chooser) trustOrder() {
	switch c.kind {
	case protocol.LeastUsed, protocol.LeastUsedWithDegradation, protocol.PriorityLeastUsed:
		for i := 1; i < len(c.candidates); i++ {
			c.candidates[i].key = max(c.candidates[i].key, c.candidates[i-1].key)
		}
	case protocol.WeightedRoundRobin:
		c.putOnLine()
	}
}

// putOnLine gives the elements their first places on the line of proportional.
// Each stands somewhere within the first of its strides; that it follows those
// before it in the list says where to expect it.
func (c *Chooser) putOnLine() {
	at := 0.0
	for i := range c.candidates {
		if i > 0 {
			at += expectedGap(c.candidates[i:], at)
		}
		if x := &c.candidates[i]; x.step > 0 {
			x.key = min(uint64(at), x.step)
		}
	}
}

// expectedGap is how far behind a place the first of some elements is, if each
// may be anywhere from there to the end of its stride.
func expectedGap(ahead []candidate, at float64) float64 {
	count, rate := 0.0, 0.0
	for _, x := range ahead {
		if step := float64(x.step); step > 0 {
			count++
			rate += 1 / max(step-at, step/1000)
		}
	}
	if count == 0 {
		return 0
	}
	return count / (count + 1) / rate
}

// Choose returns the index of the element to use now, or false if none is
// usable. It changes nothing: only what is then used counts (see Used). usable
// leaves out elements that are known to be dead; nil means all are. Policies
// that are not known go round in list order (POL-4.1-03, POL-7-03).
func (c *Chooser) Choose(usable func(int) bool, r *rand.Rand) (int, bool) {
	switch c.kind {
	case protocol.Random, protocol.WeightedRandom, protocol.RandomizedLeastUsed:
		return c.draw(usable, r)
	}
	best := -1
	for n := range c.candidates {
		i := (c.next + n) % len(c.candidates)
		if (usable == nil || usable(i)) && (best < 0 || c.candidates[i].key < c.candidates[best].key) {
			best = i
		}
	}
	return max(best, 0), best >= 0
}

// draw chooses with a probability of weight / sum of the weights; if all are 0
// each is as probable (POL-4.3-02, POL-4.4-03, POL-5.4-02).
func (c *Chooser) draw(usable func(int) bool, r *rand.Rand) (int, bool) {
	var total, count uint64
	weighed, any := 0, 0
	for i, x := range c.candidates {
		if usable != nil && !usable(i) {
			continue
		}
		count++
		if r.Uint64N(count) == 0 {
			any = i
		}
		if total += uint64(x.weight); x.weight > 0 && r.Uint64N(total) < uint64(x.weight) {
			weighed = i
		}
	}
	if total == 0 {
		return any, count > 0
	}
	return weighed, true
}

// Used says that an element is used: the next has its turn (POL-4.1-03), and it
// counts as loaded that much more (POL-5.2-02).
func (c *Chooser) Used(i int) {
	c.next = (i + 1) % len(c.candidates)
	x := &c.candidates[i]
	at := x.key
	if x.key <= math.MaxUint64-x.step {
		x.key += x.step
	}
	if c.kind == protocol.WeightedRoundRobin {
		c.readOn(at)
	}
}

// readOn moves the line on to a place. Who could not be used meanwhile has no
// turns to make up for.
func (c *Chooser) readOn(at uint64) {
	if at == math.MaxUint64 {
		return
	}
	back := uint64(0)
	if at >= rebase {
		back = at
	}
	c.now = at - back
	for i := range c.candidates {
		if x := &c.candidates[i]; x.key < math.MaxUint64 {
			x.key = max(x.key, at) - back
		}
	}
}
