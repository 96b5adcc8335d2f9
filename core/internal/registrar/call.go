package registrar

import (
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// call is an association being set up to another registrar: to a peer, or to
// a configured address whose registrar is not known yet.
type call struct {
	token   Token
	peer    *peer
	contact *contact
	waiting []enrp.Message
}

// maxCallWaiting bounds what waits for an association. What does not fit is
// lost; audits find that (RFC 5353 section 3.6).
const maxCallWaiting = 256

// tell sends a message to a peer, over a new association if need be.
func (r *Registrar) tell(p *peer, m enrp.Message) {
	switch {
	case r.handover.done: // it has taken its leave
	case p.link != nil:
		r.emit(SendENRP{Link: p.link.Link, Message: m})
	case p.call != nil:
		if len(p.call.waiting) < maxCallWaiting {
			p.call.waiting = append(p.call.waiting, m)
		}
	case len(p.addrs()) > 0:
		p.call = r.callOut(p.addrs(), m)
		p.call.peer = p
	}
}

func (r *Registrar) callOut(to []netip.AddrPort, m enrp.Message) *call {
	r.token++
	c := &call{token: r.token}
	r.calls[c.token] = c
	r.emit(SendENRPTo{Token: c.token, Peer: to, Message: m})
	return c
}

// groupcast sends one copy to every peer (ENRP-3.1-01, ENRP-2.1-02). A peer
// that is thought dead gets what it can get over an association it has.
func (r *Registrar) groupcast(m enrp.Message) {
	for _, p := range r.peers {
		if p.active() || p.link != nil {
			r.tell(p, m)
		}
	}
}

func (r *Registrar) endCall(t Token) *call {
	c := r.calls[t]
	if c == nil {
		return nil
	}
	delete(r.calls, t)
	if c.peer != nil {
		c.peer.call = nil
	}
	if c.contact != nil {
		c.contact.call = nil
	}
	return c
}

func (r *Registrar) completeCall(now time.Time, t Token, l *link) {
	c := r.endCall(t)
	if c == nil {
		return
	}
	if c.peer != nil && r.peersByID[c.peer.id] == c.peer {
		if l.peer == nil {
			l.peer = c.peer
		}
		// Or else somebody else is there by now, its restarted self perhaps.
		if l.peer == c.peer && c.peer.link == nil {
			c.peer.link = l
		}
	}
	if c.contact != nil {
		r.contactReached(now, c.contact, l)
	}
	for _, m := range c.waiting {
		if r.stillSo(m) {
			r.emit(SendENRP{Link: l.Link, Message: m})
		}
	}
}

// stillSo says whether a message that waited is not outdated by now.
func (r *Registrar) stillSo(m enrp.Message) bool {
	u, ok := m.(enrp.HandleUpdate)
	if !ok || u.Action != enrp.AddPE {
		return true
	}
	el := r.space.Element(u.Handle, u.Element.ID)
	return el != nil && el.Home == u.Element.Home
}

// failCall: a send failure means that the peer is dead (ENRP-3.4.3-03).
func (r *Registrar) failCall(now time.Time, t Token, err error) {
	c := r.endCall(t)
	if c == nil {
		return
	}
	if c.contact != nil {
		r.contactFailed(now, c.contact, err)
	}
	if p := c.peer; p != nil && r.peersByID[p.id] == p && p.link == nil && conclusive(err) {
		r.peerDead(now, p)
	}
}
