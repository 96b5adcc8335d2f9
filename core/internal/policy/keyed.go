package policy

import "math/bits"

// keyed is a heap of nodes by key, then by whose turn it is. What it compares
// lies in the heap itself and four children side by side, so that a big pool
// costs few cache misses.
type keyed[V any] struct {
	places  []place[V]
	turn    uint64 // last given
	scratch []int32
}

const children = 4

type place[V any] struct {
	key, turn uint64
	node      *Node[V]
}

func (a *place[V]) before(b *place[V]) bool {
	return a.key < b.key || a.key == b.key && a.turn < b.turn
}

// less is before as a number, without a branch: which of several children comes
// first cannot be predicted.
func (a *place[V]) less(b *place[V]) uint64 {
	_, borrow := bits.Sub64(a.turn, b.turn, 0)
	_, borrow = bits.Sub64(a.key, b.key, borrow)
	return borrow
}

func (h *keyed[V]) len() int { return len(h.places) }

func (h *keyed[V]) key(n *Node[V]) uint64 { return h.places[n.pos].key }

// push adds a node, behind its equals.
func (h *keyed[V]) push(n *Node[V], key uint64) {
	h.turn++
	h.places = append(h.places, place[V]{})
	h.settle(len(h.places)-1, place[V]{key, h.turn, n})
}

// move changes a node's key. Its turn among equals stays.
func (h *keyed[V]) move(n *Node[V], key uint64) {
	p := h.places[n.pos]
	p.key = key
	h.settle(int(n.pos), p)
}

// requeue changes a node's key and puts it behind its equals.
func (h *keyed[V]) requeue(n *Node[V], key uint64) {
	h.turn++
	h.settle(int(n.pos), place[V]{key, h.turn, n})
}

func (h *keyed[V]) remove(n *Node[V]) {
	last := len(h.places) - 1
	p := h.places[last]
	h.places[last] = place[V]{}
	h.places = h.places[:last]
	if p.node != n {
		h.settle(int(n.pos), p)
	}
}

// settle finds where p belongs, from the place i on, which it may overwrite.
func (h *keyed[V]) settle(i int, p place[V]) {
	for i > 0 {
		parent := (i - 1) / children
		if !p.before(&h.places[parent]) {
			break
		}
		h.put(i, h.places[parent])
		i = parent
	}
	for {
		child := h.firstChild(i)
		if child < 0 || !h.places[child].before(&p) {
			break
		}
		h.put(i, h.places[child])
		i = child
	}
	h.put(i, p)
}

func (h *keyed[V]) put(i int, p place[V]) {
	h.places[i] = p
	p.node.pos = int32(i)
}

// firstChild returns the child of a place that comes before the others, or -1.
func (h *keyed[V]) firstChild(i int) int {
	first := children*i + 1
	if first+children <= len(h.places) {
		c := h.places[first : first+children : first+children]
		left, right := c[1].less(&c[0]), 2+c[3].less(&c[2])
		return first + int(left+(right-left)*c[right&3].less(&c[left&3]))
	}
	if first >= len(h.places) {
		return -1
	}
	for c := first + 1; c < len(h.places); c++ {
		if h.places[c].before(&h.places[first]) {
			first = c
		}
	}
	return first
}

// smallest appends the k smallest nodes in order and changes nothing: a small
// heap of candidates walks down the big one, O(k log k).
func (h *keyed[V]) smallest(dst []*Node[V], k int) []*Node[V] {
	k = min(k, len(h.places))
	if k < 1 {
		return dst
	}
	if k == 1 {
		return append(dst, h.places[0].node)
	}
	h.scratch = append(h.scratch[:0], 0)
	for ; k > 1; k-- {
		i := h.nearest()
		dst = append(dst, h.places[i].node)
		for c := children*i + 1; c < min(children*(i+1)+1, len(h.places)); c++ {
			h.offer(int32(c))
		}
	}
	return append(dst, h.places[h.scratch[0]].node)
}

func (h *keyed[V]) candidateBefore(i, j int32) bool { return h.places[i].before(&h.places[j]) }

// nearest takes the smallest candidate.
func (h *keyed[V]) nearest() int {
	c := h.scratch
	top, last := c[0], len(c)-1
	c[0] = c[last]
	c = c[:last]
	h.scratch = c
	for i := 0; ; {
		child := 2*i + 1
		if child >= len(c) {
			return int(top)
		}
		if child+1 < len(c) && h.candidateBefore(c[child+1], c[child]) {
			child++
		}
		if !h.candidateBefore(c[child], c[i]) {
			return int(top)
		}
		c[i], c[child] = c[child], c[i]
		i = child
	}
}

// offer adds a candidate.
func (h *keyed[V]) offer(pos int32) {
	c := append(h.scratch, pos)
	for i := len(c) - 1; i > 0 && h.candidateBefore(c[i], c[(i-1)/2]); i = (i - 1) / 2 {
		c[i], c[(i-1)/2] = c[(i-1)/2], c[i]
	}
	h.scratch = c
}
