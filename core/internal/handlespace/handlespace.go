// Package handlespace is the table of pools and pool elements that a
// registrar holds: who is in which pool, which registrar owns whom, the PE
// checksum of every owner, and the state of the pools' policies. It knows no
// messages and no time.
package handlespace

import (
	"iter"
	"math/rand/v2"

	"github.com/librserpool/librserpool/core/internal/policy"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire"
)

// Space is one handlespace. S is whatever its user keeps with each element.
type Space[S any] struct {
	pools    map[protocol.PoolHandle]*Pool[S]
	order    roster[Pool[S]]
	owners   map[protocol.ServerID]*owner
	elements int
	rand     *rand.Rand
	scratch  []*policy.Node[*Element[S]]
}

// Element is one PE in its pool. Its fields are changed by Put, SetHome and
// Remove only, except State, which is the user's.
type Element[S any] struct {
	protocol.Element
	State S

	pool   *Pool[S]
	serial uint64 // place in pool.order
	node   policy.Node[*Element[S]]
}

// Pool returns the pool the element is, or was last, in.
func (e *Element[S]) Pool() *Pool[S] { return e.pool }

// owner is what one registrar owns.
type owner struct {
	sum   wire.PEChecksum
	count int
}

// New returns an empty handlespace; r feeds the random policies.
func New[S any](r *rand.Rand) *Space[S] {
	return &Space[S]{
		pools:  map[protocol.PoolHandle]*Pool[S]{},
		owners: map[protocol.ServerID]*owner{},
		rand:   r,
	}
}

// Pool returns a pool, or nil.
func (s *Space[S]) Pool(h protocol.PoolHandle) *Pool[S] { return s.pools[h] }

// Element returns the PE of a pool, or nil.
func (s *Space[S]) Element(h protocol.PoolHandle, id protocol.PEID) *Element[S] {
	if p := s.pools[h]; p != nil {
		return p.elements[id]
	}
	return nil
}

// Len returns how many pools and how many elements there are.
func (s *Space[S]) Len() (pools, elements int) { return len(s.pools), s.elements }

// Pools goes through the pools in the order of their creation. Pools and
// elements may be removed meanwhile.
func (s *Space[S]) Pools() iter.Seq[*Pool[S]] { return s.order.after(0) }

// Elements goes through all elements, pool by pool, in the order in which they
// joined. Elements may be removed meanwhile.
func (s *Space[S]) Elements() iter.Seq[*Element[S]] { return s.After(Cursor{}) }

// Put adds an element to the pool named h, creating the pool, or replaces the
// attributes of the one with its ID (ASAP-3.1-16, ASAP-3.1-21, ENRP-3.3.1-03
// to 05). The caller has checked that it fits (Check). The handlespace keeps
// the slices in e.
func (s *Space[S]) Put(h protocol.PoolHandle, e protocol.Element) (el *Element[S], isNew bool) {
	p := s.pools[h]
	if p == nil {
		p = s.addPool(h, e)
	}
	if el = p.elements[e.ID]; el != nil {
		s.disown(el)
		el.Element = e
		s.own(el)
		p.selector.Update(&el.node, e.Policy)
		return el, false
	}
	el = &Element[S]{Element: e, pool: p}
	el.node.Value = el
	el.serial = p.order.add(el)
	p.elements[e.ID] = el
	p.selector.Add(&el.node, e.Policy)
	s.own(el)
	s.elements++
	return el, true
}

// Remove takes an element out, and its pool when it was the last
// (ASAP-3.2-08, ENRP-3.3.2-03).
func (s *Space[S]) Remove(el *Element[S]) {
	p := el.pool
	s.disown(el)
	s.elements--
	p.selector.Remove(&el.node)
	p.order.remove(el.serial)
	delete(p.elements, el.ID)
	if len(p.elements) == 0 {
		s.order.remove(p.serial)
		delete(s.pools, p.Handle)
	}
}

// SetHome moves an element to another owner, and its block between the two
// checksums (OWN-08).
func (s *Space[S]) SetHome(el *Element[S], home protocol.ServerID) {
	s.disown(el)
	el.Home = home
	s.own(el)
}
