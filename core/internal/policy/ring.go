package policy

import (
	"math/rand/v2"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// ring is Round Robin (RFC 5356 section 4.1.2): a circular list whose head
// advances by one with every resolution (POL-4.1-02).
type ring[V any] struct {
	head *Node[V]
	len  int
}

func (q *ring[V]) Len() int { return q.len }

// Add inserts before the head: a newcomer's turn comes after everybody's.
func (q *ring[V]) Add(n *Node[V], _ protocol.Policy) {
	q.len++
	if q.head == nil {
		n.next, n.prev = n, n
		q.head = n
		return
	}
	n.next, n.prev = q.head, q.head.prev
	n.prev.next, n.next.prev = n, n
}

func (q *ring[V]) Update(*Node[V], protocol.Policy) {}

func (q *ring[V]) Remove(n *Node[V]) {
	q.len--
	switch {
	case q.len == 0:
		q.head = nil
	case q.head == n:
		q.head = n.next
	}
	n.prev.next, n.next.prev = n.next, n.prev
	n.next, n.prev = nil, nil
}

func (q *ring[V]) Select(dst []*Node[V], k int, _ *rand.Rand) []*Node[V] {
	k = min(k, q.len)
	if k < 1 {
		return dst
	}
	for n := q.head; k > 0; n, k = n.next, k-1 {
		dst = append(dst, n)
	}
	q.head = q.head.next
	return dst
}

// Use changes nothing.
func (q *ring[V]) Use(*Node[V]) {}
