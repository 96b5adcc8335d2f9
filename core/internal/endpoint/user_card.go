package endpoint

import (
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// maxCardRequests bounds how many pools are asked for at a time because cards
// name them: forged cards must not keep the endpoint busy.
const maxCardRequests = 16

// handleBusinessCard takes the card of a session's PE: a newer one replaces the
// older (ASAP-3.9-04). A card for another pool than the session's cannot guide
// its failover. If the endpoint is a PE with a control channel, one of its PUs
// may have sent the card. The pool of the card gets into the cache if it is not
// there; if it is, what the card says of the session's PE counts (BC1,
// ASAP-3.9-05).
func (u *user) handleBusinessCard(now time.Time, from assoc.ID, m asap.BusinessCard) {
	u.effects.add(BusinessCardReceived{Assoc: from, Handle: m.Handle, Elements: m.Elements})
	s := u.byAssoc[from]
	if s == nil && !u.element.offersControl() || s != nil && !hasControlChannel(s.pe.User) {
		return
	}
	if s != nil && m.Handle == s.handle {
		s.card = slices.DeleteFunc(slices.Clone(m.Elements), func(e protocol.Element) bool {
			return e.ID == s.pe.ID
		})
		if i := slices.IndexFunc(m.Elements, func(e protocol.Element) bool { return e.ID == s.pe.ID }); i >= 0 {
			u.cache.renew(m.Handle, m.Elements[i])
		}
	}
	if u.cache.get(m.Handle) == nil && u.cfg.StaleCache >= 0 && len(u.resolutions) < maxCardRequests {
		u.refresh(now, m.Handle)
	}
}

// takeCard follows the failover order of the failed PE's card, before any
// policy (ASAP-3.9-06).
func (u *user) takeCard(now time.Time, s *session) bool {
	for len(s.card) > 0 {
		e := s.card[0]
		s.card = s.card[1:]
		if !u.failedLately(now, s.handle, e.ID) && !u.element.isSelf(s.handle, e.ID) {
			u.usePE(s, e)
			return true
		}
	}
	return false
}

// maxCard bounds the PEs on a business card.
const maxCard = 16

// sendBusinessCard tells a peer on a control channel the own pool and the PEs
// to fail over to (ASAP-3.9-01). An endpoint that is no PE has no
// card (ASAP-3.9-02).
func (u *user) sendBusinessCard(to assoc.ID, prefer []protocol.PEID) {
	handle, self, ok := u.element.self()
	if !ok {
		return
	}
	var elements []protocol.Element
	for _, e := range preferred(u.known(handle), prefer) {
		if e.ID != self.ID && len(elements) < maxCard-1 {
			elements = append(elements, e)
		}
	}
	u.effects.add(Send{Assoc: to, Message: asap.BusinessCard{Handle: handle, Elements: append(elements, self)}})
}

// preferred returns the elements with the given identifiers, in that order.
func preferred(known []protocol.Element, ids []protocol.PEID) []protocol.Element {
	var out []protocol.Element
	for _, id := range ids {
		if i := slices.IndexFunc(known, func(e protocol.Element) bool { return e.ID == id }); i >= 0 {
			out = append(out, known[i])
		}
	}
	return out
}
