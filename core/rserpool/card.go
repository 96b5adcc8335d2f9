package rserpool

import (
	"slices"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/protocol"
)

// introduce sends a pool user the business card, as the first that it hears
// (ASAP-3.9-01). RSPLIB cannot read cards.
func (s *Socket) introduce(id assoc.ID) {
	if s.dataOnly {
		return
	}
	if s.cfg.Compat != CompatRSPLIB {
		s.machine.Post(endpoint.SendBusinessCard{Assoc: id})
	}
	s.prefer(id)
}

// recommend tells an element that serves this one what to fail back to; the
// machine has sent the plain card.
func (s *Socket) recommend(ss *session) {
	if s.registered && !s.dataOnly && ss.at.Use == protocol.DataAndControl {
		s.prefer(ss.assoc)
	}
}

// prefer sends a card with the preferred elements (ASAP-3.9-04). They are looked
// up first: the card has their addresses.
func (s *Socket) prefer(id assoc.ID) {
	if len(s.preferred) == 0 {
		return
	}
	s.lastLookup++
	token := s.lastLookup
	s.lookups[token] = func(_ []Element, err error) {
		delete(s.lookups, token)
		if a := s.assocs[id]; err == nil && a != nil && a.session != nil {
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
	a.peer, a.card = Name{Pool: string(f.Handle), PE: s.cardHolder(f)}, f.Elements
	if a.session != nil {
		a.session.peer, a.session.card = a.peer, a.card
	}
}

// cardHolder finds the element of a card that sent it: the one at its addresses;
// zero if there is none.
func (s *Socket) cardHolder(f endpoint.BusinessCardReceived) PEID {
	_, peer, err := s.port.AssocAddrs(f.Assoc)
	if err != nil {
		return 0
	}
	for _, e := range f.Elements {
		for _, at := range e.User.AddrPorts() {
			if e.User.Protocol == protocol.SCTP && slices.Contains(peer, at) {
				return e.ID
			}
		}
	}
	return 0
}

// follows says that the session of a pool element goes on without its pool user,
// with another element of the pool that the business card names (FailBack).
func (ss *session) follows() bool {
	return ss.opts.FailBack && !ss.own && !ss.ending && ss.peer.Pool != ""
}

// followCard turns the session into one of a pool user (OVR-4.2-04).
func (s *Socket) followCard(ss *session, why error) {
	s.beginFailover(ss, why)
	ss.own, ss.state, ss.assoc = true, searching, 0
	ss.leaving = nil
	ss.toSend.prepend(&ss.returned)
	s.machine.Post(endpoint.FollowCard{
		Session: endpoint.SessionID(ss.id), Handle: protocol.PoolHandle(ss.peer.Pool),
		Lost: ss.peer.PE, Card: ss.card, Limit: ss.opts.FailoverLimit, Err: why,
	})
}
