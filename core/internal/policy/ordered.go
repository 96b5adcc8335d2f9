package policy

import (
	"math/rand/v2"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// ordered is the family that lists elements by a value: Priority, Least Used,
// Least Used with Degradation, Priority Least Used (RFC 5356 sections 4.5 and
// 5.1 to 5.3). Among equals it goes round (POL-5.1-03).
type ordered[V any] struct{ heap keyed[V] }

func (o *ordered[V]) Len() int { return len(o.heap.nodes) }

func (o *ordered[V]) Add(n *Node[V], p protocol.Policy) {
	o.value(n, p)
	o.heap.push(n)
}

func (o *ordered[V]) Update(n *Node[V], p protocol.Policy) {
	o.value(n, p)
	o.heap.fix(int(n.pos))
}

func (o *ordered[V]) Remove(n *Node[V]) { o.heap.remove(n) }

// value derives what the element is sorted by. Sums are of 64 bits and cannot
// wrap (POL-5.2-03, POL-5.3-01); a (re-)registration sets the degradation
// counter to 0 (POL-5.2-01).
func (o *ordered[V]) value(n *Node[V], p protocol.Policy) {
	n.count, n.degrade = 0, 0
	switch p.Type {
	case protocol.Priority:
		n.key = uint64(0xffffffff - p.Priority) // the highest first (POL-4.5-01)
	case protocol.PriorityLeastUsed:
		n.key = uint64(p.Load) + uint64(p.Degradation)
	case protocol.LeastUsedWithDegradation:
		n.key, n.degrade = uint64(p.Load), p.Degradation
	default:
		n.key = uint64(p.Load)
	}
}

func (o *ordered[V]) Select(dst []*Node[V], k int, _ *rand.Rand) []*Node[V] {
	start := len(dst)
	dst = o.heap.smallest(dst, k)
	listed := dst[start:]
	before := uint64(0)
	for i, n := range listed {
		key := n.key
		if i == 0 || key != before {
			n.seq = o.heap.turn() // the first of its equals goes behind them
		}
		before = key
		o.degrade(n)
		o.heap.fix(int(n.pos))
	}
	return dst
}

// degrade counts that the element was given to a PU (POL-5.2-02).
func (o *ordered[V]) degrade(n *Node[V]) {
	if n.degrade > 0 && n.count < 0xffffffff {
		n.count++
		n.key += uint64(n.degrade)
	}
}
