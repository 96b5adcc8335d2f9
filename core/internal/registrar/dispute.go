package registrar

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// After a partition, a pause or messages that crossed, two registrars may both
// think to own a PE, or each that the other one does (OWN-10). Who is right is
// for the PE to say: who is in doubt and has an association with it asks it to
// make him its home.

// defend keeps a PE that a peer thinks to own too. If the PE registers
// neither here nor there, an order that both know decides when the conflict is
// seen again: the lower identifier gives way.
func (r *Registrar) defend(now time.Time, p *peer, el *element) {
	mon := el.State.monitor
	if !mon.disputed {
		r.claim(now, el, p.id, disputeSpread)
		mon.disputed = true
		return
	}
	if r.outranked(p) {
		r.disown(now, el, p.id)
	} else {
		r.announce(enrp.AddPE, el)
	}
}

// disputeSpread is the time over which the PEs of a dispute are asked.
const disputeSpread = time.Second

// confirmed: a PE acknowledges that we are its home. It may have been so
// before, then no registration follows that would tell the others.
func (r *Registrar) confirmed(mon *monitor) {
	if mon.claimed && mon.disputed && mon.el.Home == r.id {
		r.announce(enrp.AddPE, mon.el)
	}
}

// adopt takes a PE that its owner does not own any more but that has an
// association with us: messages about it have crossed.
func (r *Registrar) adopt(now time.Time, el *element, from protocol.ServerID) {
	r.space.SetHome(el, r.id)
	r.claim(now, el, from, disputeSpread)
	el.State.monitor.disputed = true
	r.announce(enrp.AddPE, el)
}

// atHand returns an association with the PE's endpoint, or nil.
func (r *Registrar) atHand(el *element) *link {
	for _, a := range el.ASAP.AddrPorts() {
		if l := r.byAddr[a]; l != nil {
			return l
		}
	}
	return nil
}

// tellRemoved tells a PE that somebody else removed that it is not registered
// any more (ASAP-2.2.4-01). One that knows better registers again.
func (r *Registrar) tellRemoved(el *element) {
	if l := r.atHand(el); l != nil {
		r.emit(SendASAP{Link: l.Link, Message: asap.DeregistrationResponse{Handle: el.Pool().Handle, ID: el.ID}})
	}
}
