// Package policy selects pool elements: RFC 5356's pool member selection
// policies, once as a registrar applies them to a pool and once as a pool
// user applies them to the list it was given. Selection state is local to
// whoever selects and never exchanged.
package policy

import (
	"math/rand/v2"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// Node is one pool element's place in a Selector. It is a field of whatever
// the element is kept in; Value leads back there and is set by its owner. A
// node is in one selector at a time and does not move in memory meanwhile.
type Node[V any] struct {
	Value V

	next, prev *Node[V] // ring
	pos        int32    // index in the selector's slice
	weight     uint32   // WRR, WRAND, RLU; LUD: load
	degrade    uint32   // LUD
	count      uint32   // LUD: degradation counter (POL-5.2-01)
}

// Selector orders the elements of one pool. All operations cost O(1) or
// O(log n) per element they handle.
type Selector[V any] interface {
	// Add puts a new element into the pool.
	Add(n *Node[V], p protocol.Policy)
	// Update tells that the element registered again, with these values.
	Update(n *Node[V], p protocol.Policy)
	// Remove takes the element out.
	Remove(n *Node[V])
	// Select appends to dst at most k different elements, the one to be used
	// first in front, and moves the selection state on by one resolution. The
	// list is empty only if the pool is or k < 1.
	Select(dst []*Node[V], k int, r *rand.Rand) []*Node[V]
	// Use tells that a session begins with an element that was selected.
	Use(n *Node[V])
	// Len is the number of elements.
	Len() int
}

// New returns an empty selector for a policy type. A type that is not one of
// RFC 5356's is served round robin, the default policy (POL-4.1-01, POL-7-02).
func New[V any](t protocol.PolicyType) Selector[V] {
	switch t {
	case protocol.Random:
		return &uniform[V]{}
	case protocol.WeightedRandom, protocol.RandomizedLeastUsed:
		return &weighted[V]{}
	case protocol.WeightedRoundRobin:
		return &proportional[V]{}
	case protocol.Priority, protocol.LeastUsed, protocol.LeastUsedWithDegradation, protocol.PriorityLeastUsed:
		return &ordered[V]{}
	}
	return &ring[V]{}
}
