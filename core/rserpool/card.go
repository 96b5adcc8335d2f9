package rserpool

import (
	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/protocol"
)

// introduce sends a pool user the business card with the preferred elements
// (ASAP-3.9-01). They are looked up first: the card has their addresses.
func (s *Socket) introduce(id assoc.ID) {
	if len(s.preferred) == 0 || s.dataOnly {
		return
	}
	s.lastLookup++
	token := s.lastLookup
	s.lookups[token] = func([]Element, error) {
		delete(s.lookups, token)
		if a := s.assocs[id]; a != nil && a.session != nil { // without an answer it names only this element
			s.machine.Post(endpoint.SendBusinessCard{Assoc: id, Prefer: s.preferred})
		}
	}
	s.machine.Post(endpoint.Resolve{Token: token, Handle: protocol.PoolHandle(s.pool)})
}

// cardReceived: the pool user of a session is an element of a pool itself, in
// which its like can be found. The card comes before the first message.
func (s *Socket) cardReceived(f endpoint.BusinessCardReceived) {
	a := s.assocs[f.Assoc]
	if a == nil || a.session != nil && a.session.own {
		return
	}
	a.pool = string(f.Handle)
	if a.session != nil {
		a.session.peer.Pool = a.pool
	}
}
