package registrar

import "time"

// rebalanceStep is how many PEs are handed over in a heartbeat at most. It is half
// of the surplus otherwise.
const rebalanceStep = 100

// rebalance offers PEs to the peer that owns the fewest, if we own more than our
// share. Every PE knows one registrar more afterwards.
func (h *handover) rebalance(now time.Time) {
	if !h.cfg.Handover || !h.serving || h.leaving || h.open > 0 {
		return
	}
	newHomes := h.newHomes(now)
	if len(newHomes) == 0 {
		return
	}
	to := h.leastLoaded(newHomes)
	surplus := h.surplus(newHomes, to)
	if surplus == 0 {
		return
	}
	n := min((surplus+1)/2, rebalanceStep)
	h.timer.Value = offersOver{}
	h.timers.Set(&h.timer, now.Add(offerTime))
	for el := range h.space.Elements() {
		if n == 0 {
			return
		}
		if mon := el.State.monitor; el.Home == h.id && h.elements.holds(el) && !mon.claimed && !mon.probing {
			h.offer(el, to)
			n--
		}
	}
}

// surplus is how many PEs more than our share we own, but not more than a peer
// lacks; 0 if that is little.
func (h *handover) surplus(newHomes []*peer, to *peer) int {
	mine, theirs := h.space.Owned(h.id), h.space.Owned(to.id)
	all := mine
	for _, p := range newHomes {
		all += h.space.Owned(p.id)
	}
	share := all / (len(newHomes) + 1)
	surplus := min(mine-share, share-theirs)
	if surplus < max(2, share/10) {
		return 0
	}
	return surplus
}
