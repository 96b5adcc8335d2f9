package handlespace

import (
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire"
)

// Check compares a new or renewed element with the pool named h and returns a
// cause for each thing in which it differs; none if it fits or there is no
// such pool (ASAP-3.1-18, ASAP-3.1-20). Only the policy's type counts, and the
// transport use only with SCTP, which alone has one (ASAP-3.1-19).
func (s *Space[S]) Check(h protocol.PoolHandle, e protocol.Element) []protocol.Cause {
	p := s.pools[h]
	if p == nil {
		return nil
	}
	var causes []protocol.Cause
	if e.Policy.Type != p.Policy {
		causes = append(causes, wire.InconsistentPolicy(p.example().Policy))
	}
	switch {
	case e.User.Protocol != p.Protocol:
		causes = append(causes, wire.InconsistentTransport(p.example().User))
	case p.Protocol == protocol.SCTP && e.User.Use != p.Use:
		causes = append(causes, protocol.Cause{Code: protocol.CauseInconsistentDataControl})
	}
	return causes
}

// example is the oldest element, whose values show what the pool is like.
func (p *Pool[S]) example() *Element[S] {
	for el := range p.Elements() {
		return el
	}
	return nil // not reached: a pool has elements
}
