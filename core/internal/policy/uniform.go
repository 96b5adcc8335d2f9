package policy

import (
	"math/rand/v2"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// uniform is Random (RFC 5356 section 4.3.2): a sample without repetition
// (POL-4.3-01), drawn by shuffling as much of the slice as is asked for.
type uniform[V any] struct{ nodes slots[V] }

func (u *uniform[V]) Len() int                             { return len(u.nodes) }
func (u *uniform[V]) Add(n *Node[V], _ protocol.Policy)    { u.nodes.push(n) }
func (u *uniform[V]) Update(_ *Node[V], _ protocol.Policy) {}
func (u *uniform[V]) Remove(n *Node[V]) {
	u.nodes.swap(int(n.pos), len(u.nodes)-1)
	u.nodes.pop()
}

func (u *uniform[V]) Select(dst []*Node[V], k int, r *rand.Rand) []*Node[V] {
	return u.nodes.sample(dst, k, r)
}

// Use changes nothing.
func (u *uniform[V]) Use(*Node[V]) {}

// slots is a slice of nodes that know their index.
type slots[V any] []*Node[V]

func (s *slots[V]) push(n *Node[V]) {
	n.pos = int32(len(*s))
	*s = append(*s, n)
}

func (s *slots[V]) pop() {
	last := len(*s) - 1
	(*s)[last] = nil
	*s = (*s)[:last]
}

func (s slots[V]) swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].pos, s[j].pos = int32(i), int32(j)
}

// sample appends k nodes drawn with equal probability.
func (s slots[V]) sample(dst []*Node[V], k int, r *rand.Rand) []*Node[V] {
	for i := range min(k, len(s)) {
		s.swap(i, i+r.IntN(len(s)-i))
		dst = append(dst, s[i])
	}
	return dst
}
