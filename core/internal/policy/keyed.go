package policy

// keyed is a heap of nodes by key, then by seq.
type keyed[V any] struct {
	nodes   slots[V]
	seq     uint64
	scratch []int32
}

// turn returns a seq behind all others.
func (h *keyed[V]) turn() uint64 {
	h.seq++
	return h.seq
}

func (h *keyed[V]) push(n *Node[V]) {
	n.seq = h.turn()
	h.nodes.push(n)
	h.fix(int(n.pos))
}

func (h *keyed[V]) remove(n *Node[V]) {
	i, last := int(n.pos), len(h.nodes)-1
	h.nodes.swap(i, last)
	h.nodes.pop()
	if i < last {
		h.fix(i)
	}
}

func (h *keyed[V]) less(i, j int) bool {
	a, b := h.nodes[i], h.nodes[j]
	return a.key < b.key || a.key == b.key && a.seq < b.seq
}

// fix restores the heap order after the node at index i changed.
func (h *keyed[V]) fix(i int) {
	for i > 0 && h.less(i, (i-1)/2) {
		h.nodes.swap(i, (i-1)/2)
		i = (i - 1) / 2
	}
	for {
		child := 2*i + 1
		if child >= len(h.nodes) {
			return
		}
		if child+1 < len(h.nodes) && h.less(child+1, child) {
			child++
		}
		if !h.less(child, i) {
			return
		}
		h.nodes.swap(i, child)
		i = child
	}
}

// smallest appends the k smallest nodes in order and changes nothing: a small
// heap of candidates walks down the big one, O(k log k).
func (h *keyed[V]) smallest(dst []*Node[V], k int) []*Node[V] {
	k = min(k, len(h.nodes))
	if k < 1 {
		return dst
	}
	h.scratch = append(h.scratch[:0], 0)
	for ; k > 0; k-- {
		i := h.nearest()
		dst = append(dst, h.nodes[i])
		for child := 2*i + 1; child <= 2*i+2 && child < len(h.nodes); child++ {
			h.offer(int32(child))
		}
	}
	return dst
}

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
		if child+1 < len(c) && h.less(int(c[child+1]), int(c[child])) {
			child++
		}
		if !h.less(int(c[child]), int(c[i])) {
			return int(top)
		}
		c[i], c[child] = c[child], c[i]
		i = child
	}
}

// offer adds a candidate.
func (h *keyed[V]) offer(pos int32) {
	c := append(h.scratch, pos)
	for i := len(c) - 1; i > 0 && h.less(int(c[i]), int(c[(i-1)/2])); i = (i - 1) / 2 {
		c[i], c[(i-1)/2] = c[(i-1)/2], c[i]
	}
	h.scratch = c
}
