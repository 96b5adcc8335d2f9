package registrar

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// claims are the PEs that did not register with us and that we want to own: those
// of a dead registrar, those that another one thinks to own too, and those from
// before a restart.
type claims struct {
	*core
	elements *elements
	monitors *monitors
	peers    *peers
	handover *handover
}

// claimRate is how many PEs a second are asked to change their home: they would
// all answer at once.
const claimRate = 5000

// claim begins the supervision of a PE that did not register with us, and asks it
// within the time spread to make us its home (ENRP-3.5-16). A PE that does not
// answer is removed (ENRP-3.5-18).
func (cl *claims) claim(now time.Time, el *element, from protocol.ServerID, spread time.Duration) {
	cl.handover.closeOffer(el)
	mon := cl.monitors.of(el)
	mon.claimed, mon.claimedFrom, mon.reports = true, from, 0
	cl.monitors.setLife(now, mon)
	cl.monitors.askWithin(now, mon, spread)
}

// claimAll claims the PEs of a registrar.
func (cl *claims) claimAll(now time.Time, from protocol.ServerID) {
	n := cl.space.Owned(from)
	if n == 0 {
		return
	}
	spread := time.Duration(n) * time.Second / claimRate
	for el := range cl.space.Elements() {
		if el.Home == from {
			cl.space.SetHome(el, cl.id)
			cl.claim(now, el, from, spread)
		}
	}
}

// yields says whether a PE that we claimed is another registrar's, because both
// took over the same one without knowing of each other. The one with the higher
// identifier keeps it (ENRP-3.5-22).
func (cl *claims) yields(el *element, to *peer, target protocol.ServerID) bool {
	mon := el.State.monitor
	return el.Home == cl.id && mon != nil && mon.claimed && mon.claimedFrom == target && cl.outranked(to)
}
