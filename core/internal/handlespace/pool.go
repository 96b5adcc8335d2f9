package handlespace

import (
	"iter"

	"github.com/librserpool/librserpool/core/internal/policy"
	"github.com/librserpool/librserpool/core/internal/protocol"
)

// Pool is a set of elements that serve the same thing. It exists as long as it
// has elements (OVR-2.1-01).
type Pool[S any] struct {
	Handle protocol.PoolHandle
	// Policy is the type its first element chose. With Protocol and Use it is
	// what every other element must match (ASAP-3.1-17).
	Policy   protocol.PolicyType
	Protocol protocol.TransportProtocol
	Use      protocol.TransportUse

	serial   uint64 // place in Space.order
	elements map[protocol.PEID]*Element[S]
	order    roster[Element[S]]
	selector policy.Selector[*Element[S]]
}

func (s *Space[S]) addPool(h protocol.PoolHandle, first protocol.Element) *Pool[S] {
	p := &Pool[S]{
		Handle:   h,
		Policy:   first.Policy.Type,
		Protocol: first.User.Protocol,
		Use:      first.User.Use,
		elements: map[protocol.PEID]*Element[S]{},
		selector: policy.New[*Element[S]](first.Policy.Type),
	}
	p.serial = s.order.add(p)
	s.pools[h] = p
	return p
}

// Len is the number of elements.
func (p *Pool[S]) Len() int { return len(p.elements) }

// Elements goes through the pool in the order in which its elements joined.
// Elements may be removed meanwhile.
func (p *Pool[S]) Elements() iter.Seq[*Element[S]] { return p.order.after(0) }

// Select appends to dst up to k different elements of the pool, in the order
// its policy gives, and moves the policy's turn on.
func (s *Space[S]) Select(p *Pool[S], dst []*Element[S], k int) []*Element[S] {
	s.scratch = p.selector.Select(s.scratch[:0], k, s.rand)
	for _, n := range s.scratch {
		dst = append(dst, n.Value)
	}
	clear(s.scratch)
	return dst
}

// Use tells the policy that a session begins with an element.
func (s *Space[S]) Use(e *Element[S]) { e.pool.selector.Use(&e.node) }
