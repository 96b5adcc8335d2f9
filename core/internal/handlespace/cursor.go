package handlespace

import "iter"

// Cursor is a place in the order of all elements. It stays valid whatever is
// added and removed; the zero value is before everything.
type Cursor struct{ pool, element uint64 }

// Cursor returns the place of an element.
func (e *Element[S]) Cursor() Cursor { return Cursor{e.pool.serial, e.serial} }

// After goes through the elements behind a cursor. An element is met once
// however many cursors the way is cut into (ENRP-3.2-11); one that joins a
// pool which was passed already is not met.
func (s *Space[S]) After(c Cursor) iter.Seq[*Element[S]] {
	return func(yield func(*Element[S]) bool) {
		if p := s.order.at(c.pool); p != nil {
			for el := range p.order.after(c.element) {
				if !yield(el) {
					return
				}
			}
		}
		for p := range s.order.after(c.pool) {
			for el := range p.Elements() {
				if !yield(el) {
					return
				}
			}
		}
	}
}
