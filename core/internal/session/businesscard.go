package session

import (
	"slices"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/protocol"
)

// ownTokens begins the tokens of look-ups that are the Table's, not its owner's.
const ownTokens endpoint.Token = 1 << 63

// cardTokens are look-ups of elements that a business card is to name.
type cardTokens struct {
	lastToken endpoint.Token
	cards     map[endpoint.Token]assoc.ID // to whom it goes
}

// introduce sends a pool user the business card, as the first that it hears
// (ASAP-3.9-01).
func (t *Table) introduce(id assoc.ID) {
	if t.service.DataOnly {
		return
	}
	if !t.cfg.NoCards {
		t.cfg.Post(endpoint.SendBusinessCard{Assoc: id})
	}
	t.prefer(id)
}

// recommend tells an element that serves this one what to fail back to; the
// machine has sent the plain card.
func (t *Table) recommend(ss *Session) {
	if t.service.Registered && !t.service.DataOnly && ss.at.Use == protocol.DataAndControl {
		t.prefer(ss.assoc)
	}
}

// prefer sends a card with the preferred elements (ASAP-3.9-04). They are looked
// up first: the card has their addresses.
func (t *Table) prefer(id assoc.ID) {
	if len(t.service.Preferred) == 0 {
		return
	}
	if t.cards == nil {
		t.cards = map[endpoint.Token]assoc.ID{}
	}
	t.lastToken++
	token := ownTokens | t.lastToken
	t.cards[token] = id
	t.cfg.Post(endpoint.Resolve{Token: token, Handle: protocol.PoolHandle(t.service.Pool)})
}

// preferredFound ends a look-up of prefer, and says whether it is one; err is why
// there is no answer.
func (t *Table) preferredFound(token endpoint.Token, err error) bool {
	id, is := t.cards[token]
	if !is {
		return false
	}
	delete(t.cards, token)
	if a := t.assocs[id]; err == nil && a != nil && a.session != nil {
		t.cfg.Post(endpoint.SendBusinessCard{Assoc: id, Prefer: t.service.Preferred})
	}
	return true
}

// cardReceived: the pool user of a session is an element of a pool itself, in
// which its like can be found. The card comes before the first message.
func (t *Table) cardReceived(f endpoint.BusinessCardReceived) {
	a := t.assocs[f.Assoc]
	if a == nil || a.session != nil && a.session.own {
		return
	}
	a.peer, a.card = Name{Pool: string(f.Handle), PE: t.cardHolder(f)}, f.Elements
	if a.session != nil {
		a.session.peer, a.session.card = a.peer, a.card
	}
}

// cardHolder finds the element of a card that sent it: the one at its addresses;
// zero if there is none.
func (t *Table) cardHolder(f endpoint.BusinessCardReceived) protocol.PEID {
	_, peer, err := t.port.AssocAddrs(f.Assoc)
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
func (ss *Session) follows() bool {
	return ss.opts.FailBack && !ss.opts.NoFailover && !ss.own && !ss.ending && ss.peer.Pool != ""
}

// followCard turns the session into one of a pool user (OVR-4.2-04).
func (t *Table) followCard(ss *Session, why error) {
	t.beginFailover(ss, why)
	ss.own, ss.phase, ss.assoc = true, searching, 0
	ss.leaving, ss.asked = nil, false // it drains no more
	t.deadlines.Stop(&ss.parting)
	ss.toSend.prepend(&ss.returned)
	t.cfg.Post(endpoint.FollowCard{
		Session: ss.id, Handle: protocol.PoolHandle(ss.peer.Pool),
		Lost: ss.peer.PE, Card: ss.card, Limit: ss.opts.FailoverLimit, Err: why,
	})
}
