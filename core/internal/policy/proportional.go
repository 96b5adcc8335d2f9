package policy

import (
	"math/bits"
	"math/rand/v2"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// proportional is Weighted Round Robin (RFC 5356 section 4.2.2). The circular
// list in which an element stands once per unit of weight, spread evenly, is
// not built: an element of weight w stands at every multiple of 1/w on a line,
// and each keeps only its next place. Reading the line from left to right and
// taking each element once gives the list (POL-4.2-03); the head advances by
// moving the first element to its next place. Equal weights give plain round
// robin (POL-4.2-01).
type proportional[V any] struct {
	heap keyed[V]
	idle ring[V] // weight 0: cannot serve (POL-3.2-01)
	now  uint64  // place of the head
}

// A place is a multiple of 1/unit; the line is moved back before it overflows.
const (
	unit   = 1 << 48
	rebase = 1 << 62
)

func stride(weight uint32) uint64 { return (unit + uint64(weight) - 1) / uint64(weight) }

func (q *proportional[V]) Len() int { return q.heap.len() + q.idle.len }

func (q *proportional[V]) Add(n *Node[V], p protocol.Policy) {
	n.weight = p.Weight
	if n.weight == 0 {
		q.idle.Add(n, p)
		return
	}
	q.heap.push(n, q.now+stride(n.weight))
}

// Update keeps the element's share of the way to its next place, so that
// registering often neither gains nor loses turns.
func (q *proportional[V]) Update(n *Node[V], p protocol.Policy) {
	switch {
	case n.weight == p.Weight:
	case n.weight == 0 || p.Weight == 0:
		q.Remove(n)
		q.Add(n, p)
	default:
		hi, lo := bits.Mul64(q.heap.key(n)-q.now, uint64(n.weight))
		left, _ := bits.Div64(hi, lo, uint64(p.Weight))
		n.weight = p.Weight
		q.heap.move(n, q.now+min(left, stride(p.Weight)))
	}
}

func (q *proportional[V]) Remove(n *Node[V]) {
	if n.weight == 0 {
		q.idle.Remove(n)
		return
	}
	q.heap.remove(n)
}

func (q *proportional[V]) Select(dst []*Node[V], k int, r *rand.Rand) []*Node[V] {
	if q.heap.len() == 0 {
		return q.idle.Select(dst, k, r)
	}
	start := len(dst)
	dst = q.heap.smallest(dst, k)
	if len(dst) > start {
		head := dst[start]
		q.now = q.heap.key(head)
		q.heap.requeue(head, q.now+stride(head.weight))
		q.moveBack()
	}
	return dst
}

// Use changes nothing.
func (q *proportional[V]) Use(*Node[V]) {}

// moveBack keeps places small; it runs once in thousands of rounds.
func (q *proportional[V]) moveBack() {
	if q.now < rebase {
		return
	}
	for i := range q.heap.places {
		q.heap.places[i].key -= q.now
	}
	q.now = 0
}
