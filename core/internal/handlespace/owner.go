package handlespace

import "github.com/librserpool/librserpool/core/internal/protocol"

// Checksum returns the PE checksum of a registrar: over all elements whose
// home it is, as of now (RFC 5353 section 3.6.2, ENRP-3.6-07).
func (s *Space[S]) Checksum(id protocol.ServerID) uint16 {
	if o := s.owners[id]; o != nil {
		return o.sum.Sum()
	}
	return (&owner{}).sum.Sum()
}

// Owned returns how many elements a registrar owns.
func (s *Space[S]) Owned(id protocol.ServerID) int {
	if o := s.owners[id]; o != nil {
		return o.count
	}
	return 0
}

func (s *Space[S]) own(el *Element[S]) {
	o := s.owners[el.Home]
	if o == nil {
		o = &owner{}
		s.owners[el.Home] = o
	}
	o.sum.Add(el.pool.Handle, el.ID)
	o.count++
}

func (s *Space[S]) disown(el *Element[S]) {
	o := s.owners[el.Home]
	o.sum.Remove(el.pool.Handle, el.ID)
	o.count--
	if o.count == 0 {
		delete(s.owners, el.Home)
	}
}
