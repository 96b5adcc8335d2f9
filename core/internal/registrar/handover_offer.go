package registrar

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// newHomes are the peers that can take PEs: they are there, and for long enough
// to know them, and have not refused any of late. A registrar that leaves cannot
// choose, and offers its PEs to any that is there.
func (h *handover) newHomes(now time.Time) []*peer {
	var out []*peer
	for _, p := range h.peers.list {
		settled := p.download == nil && p.session == nil && !p.probing && now.Sub(p.since) >= 2*h.cfg.Timers.Heartbeat
		settled = settled && !now.Before(p.refusedUntil)
		if p.active() && p.link != nil && (settled || h.leaving) {
			out = append(out, p)
		}
	}
	return out
}

// leastLoaded returns the peer that owns the fewest PEs, with those it is offered.
func (h *handover) leastLoaded(peers []*peer) *peer {
	best := peers[0]
	for _, p := range peers[1:] {
		if h.space.Owned(p.id)+p.offered < h.space.Owned(best.id)+best.offered {
			best = p
		}
	}
	return best
}

// offer asks a peer to become the home of a PE of ours.
func (h *handover) offer(el *element, to *peer) {
	h.closeOffer(el)
	el.State.newHome = to.id
	to.offered++
	h.open++
	h.counts.Offered++
	e := el.Element
	e.Home = to.id
	h.peers.tell(to, enrp.HandleUpdate{
		Route:   enrp.Route{Sender: h.id, Receiver: to.id},
		Action:  enrp.AddPE,
		Handle:  el.Pool().Handle,
		Element: e,
	})
}

// closeOffer: the new home has the PE, or will not have it. It is one PE less to
// wait for.
func (h *handover) closeOffer(el *element) {
	if el.State.newHome == 0 {
		return
	}
	if p := h.peers.byID[el.State.newHome]; p != nil {
		p.offered--
	}
	el.State.newHome = 0
	h.open--
}

// offerEnded: an offer ends for good, also because the PE is gone.
func (h *handover) offerEnded(el *element) {
	if el.State.newHome == 0 {
		return
	}
	if h.closeOffer(el); h.open == 0 {
		h.endLeave()
	}
}

// offerTime is how long a new home has to ask a PE, and the PE to answer.
const offerTime = 15 * time.Second

// refusedFor is how long a peer gets no PEs after it did not take one.
const refusedFor = 10 * time.Minute

// endOffers ends what is open: a peer that knows no handover, or cannot reach the
// PEs, is left alone for a while.
func (h *handover) endOffers(now time.Time) {
	for el := range h.space.Elements() {
		if p := h.peers.byID[el.State.newHome]; p != nil {
			p.refusedUntil = now.Add(refusedFor)
		}
		h.closeOffer(el)
	}
}

// takeOffer asks a PE that its owner offers whether it makes us its home. If it
// does, we take it (takeOffered).
func (h *handover) takeOffer(now time.Time, p *peer, m enrp.HandleUpdate) {
	el := h.space.Element(m.Handle, m.Element.ID)
	if el == nil || el.Home != p.id || h.leaving || !h.cfg.Handover {
		return // only the owner gives its PEs away (ENRP-3.3.1-06)
	}
	mon := h.monitors.of(el)
	mon.claimed, mon.claimedFrom = true, p.id
	h.monitors.askWithin(now, mon, time.Duration(h.space.Owned(p.id))*time.Second/claimRate)
}

// takeOffered: a PE that was offered acknowledges that we are its home, and
// everybody hears of it.
func (h *handover) takeOffered(now time.Time, mon *monitor) {
	h.space.SetHome(mon.el, h.id)
	h.monitors.setLife(now, mon)
	h.peers.announce(enrp.AddPE, mon.el)
	h.offerWhileLeaving(now, mon.el)
}
