package policy

import (
	"math/rand/v2"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// weighted is Weighted Random (RFC 5356 section 4.4.2): drawn without
// repetition, each time with a probability of weight / sum of the weights
// that are left (POL-4.4-01). Randomized Least Used is the same with
// 0xffffffff - load for the weight (section 5.4.2, POL-5.4-01).
//
// The weights stand in a Fenwick tree over the slots: drawing, changing,
// adding and removing cost O(log n).
type weighted[V any] struct {
	nodes slots[V]
	tree  []uint64 // tree[i] sums the weights of the slots (i+1)&i .. i
	total uint64
	turn  int // whose turn it is while no weight is above zero
}

func (w *weighted[V]) Len() int { return len(w.nodes) }

func (w *weighted[V]) Add(n *Node[V], p protocol.Policy) {
	w.nodes.push(n)
	i, sum := len(w.tree), uint64(0)
	for j := i - 1; j >= (i+1)&i; j = (j+1)&j - 1 {
		sum += w.tree[j]
	}
	w.tree = append(w.tree, sum)
	n.weight = 0
	w.set(n, weightOf(p))
}

func (w *weighted[V]) Update(n *Node[V], p protocol.Policy) { w.set(n, weightOf(p)) }

func (w *weighted[V]) Remove(n *Node[V]) {
	last := w.nodes[len(w.nodes)-1]
	moved := last.weight
	w.set(n, 0)
	w.set(last, 0)
	w.nodes.swap(int(n.pos), int(last.pos))
	w.nodes.pop()
	w.tree = w.tree[:len(w.nodes)]
	if last != n {
		w.set(last, moved)
	}
}

func (w *weighted[V]) Select(dst []*Node[V], k int, r *rand.Rand) []*Node[V] {
	if w.total == 0 {
		return w.selectIdle(dst, k)
	}
	start := len(dst)
	for k > 0 && w.total > 0 {
		n := w.nodes[w.find(r.Uint64N(w.total))]
		dst = append(dst, n)
		w.shift(int(n.pos), -uint64(n.weight))
		k--
	}
	for _, n := range dst[start:] {
		w.shift(int(n.pos), uint64(n.weight))
	}
	return dst
}

// Use changes nothing.
func (w *weighted[V]) Use(*Node[V]) {}

// selectIdle answers while every weight is 0: the pool exists, so its elements
// are given, in turn (POL-4.4-03, POL-5.4-02).
func (w *weighted[V]) selectIdle(dst []*Node[V], k int) []*Node[V] {
	if len(w.nodes) == 0 {
		return dst
	}
	w.turn %= len(w.nodes)
	for i := range min(k, len(w.nodes)) {
		dst = append(dst, w.nodes[(w.turn+i)%len(w.nodes)])
	}
	w.turn++
	return dst
}

func weightOf(p protocol.Policy) uint32 {
	if p.Type == protocol.RandomizedLeastUsed {
		return 0xffffffff - p.Load
	}
	return p.Weight
}

func (w *weighted[V]) set(n *Node[V], weight uint32) {
	w.shift(int(n.pos), uint64(weight)-uint64(n.weight))
	n.weight = weight
}

// shift adds delta, modulo 2^64, to the weight of a slot.
func (w *weighted[V]) shift(i int, delta uint64) {
	w.total += delta
	for ; i < len(w.tree); i |= i + 1 {
		w.tree[i] += delta
	}
}

// find returns the slot in which the running sum of weights passes target.
func (w *weighted[V]) find(target uint64) int {
	i, step := 0, 1
	for step*2 <= len(w.tree) {
		step *= 2
	}
	for ; step > 0; step /= 2 {
		if i+step <= len(w.tree) && w.tree[i+step-1] <= target {
			target -= w.tree[i+step-1]
			i += step
		}
	}
	return i
}
