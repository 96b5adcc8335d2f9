package policy

import (
	"math/rand/v2"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// ordered is the family that lists elements by a value: Priority, Least Used,
// Least Used with Degradation, Priority Least Used (RFC 5356 sections 4.5 and
// 5.1 to 5.3). Among equals it goes round (POL-5.1-03).
type ordered[V any] struct{ heap keyed[V] }

func (o *ordered[V]) Len() int { return o.heap.len() }

func (o *ordered[V]) Add(n *Node[V], p protocol.Policy) { o.heap.push(n, o.value(n, p)) }

func (o *ordered[V]) Update(n *Node[V], p protocol.Policy) { o.heap.move(n, o.value(n, p)) }

func (o *ordered[V]) Remove(n *Node[V]) { o.heap.remove(n) }

// value returns what the element is sorted by. Sums are of 64 bits and cannot
// wrap (POL-5.2-03, POL-5.3-01); a (re-)registration sets the degradation
// counter to 0 (POL-5.2-01).
func (o *ordered[V]) value(n *Node[V], p protocol.Policy) uint64 {
	n.count, n.degrade = 0, 0
	switch p.Type {
	case protocol.Priority:
		return uint64(0xffffffff - p.Priority) // the highest first (POL-4.5-01)
	case protocol.PriorityLeastUsed:
		return uint64(p.Load) + uint64(p.Degradation)
	case protocol.LeastUsedWithDegradation:
		n.degrade = p.Degradation
	}
	return uint64(p.Load)
}

// Select lets the first of all equals go behind them, and leaves the loads alone.
// Where loads degrade, equals become so by being used: only that turns them.
func (o *ordered[V]) Select(dst []*Node[V], k int, _ *rand.Rand) []*Node[V] {
	start := len(dst)
	dst = o.heap.smallest(dst, k)
	for i := len(dst) - 1; i >= start; i-- { // the very first has the last turn
		key := o.heap.key(dst[i])
		if i == start || dst[i].degrade == 0 && key != o.heap.key(dst[i-1]) {
			o.heap.requeue(dst[i], key)
		}
	}
	return dst
}

// Use counts one new session. Of a list a PU uses only one element, the others
// are there in case that it fails (RFC 5356 section 5.1.3): to count all would make
// a small pool's loads grow alike, and its order stay.
func (o *ordered[V]) Use(n *Node[V]) {
	if more := n.degradation(); more > 0 {
		o.heap.requeue(n, o.heap.key(n)+more)
	}
}

// degradation counts that the element was selected (POL-5.2-02), and returns by
// how much that makes its load larger.
func (n *Node[V]) degradation() uint64 {
	if n.degrade == 0 || n.count == 0xffffffff {
		return 0
	}
	n.count++
	return uint64(n.degrade)
}
