package registrar

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// After a partition, a pause or messages that crossed, two registrars may both
// think to own a PE, or each that the other one does (OWN-10). The PE decides: a
// registrar that is in doubt and has an association with it asks it to make that
// registrar its home.

// defend keeps a PE that a peer thinks to own too. If the PE registers neither
// here nor there, an order that both know decides when the conflict is seen again:
// the lower identifier gives way.
func (cl *claims) defend(now time.Time, p *peer, el *element) {
	mon := el.State.monitor
	if !mon.disputed {
		cl.claim(now, el, p.id, disputeSpread)
		mon.disputed = true
		return
	}
	if cl.outranked(p) {
		cl.elements.disown(now, el, p.id)
	} else {
		cl.peers.announce(enrp.AddPE, el)
	}
}

// disputeSpread is the time over which the PEs of a dispute are asked.
const disputeSpread = time.Second

// confirmed: a PE acknowledges that we are its home. If we had been before, it does
// not register again, and the others hear of it only from us.
func (cl *claims) confirmed(mon *monitor) {
	if mon.claimed && mon.disputed && mon.el.Home == cl.id {
		cl.peers.announce(enrp.AddPE, mon.el)
	}
}

// adopt takes a PE that its owner does not own any more but that has an
// association with us: messages about it have crossed.
func (cl *claims) adopt(now time.Time, el *element, from protocol.ServerID) {
	cl.space.SetHome(el, cl.id)
	cl.claim(now, el, from, disputeSpread)
	el.State.monitor.disputed = true
	cl.peers.announce(enrp.AddPE, el)
}
