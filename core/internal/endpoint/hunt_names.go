package endpoint

import (
	"net/netip"
	"slices"
	"time"
)

// lookUpPeriod is how long after an answer names are looked up again, as long
// as the hunt goes on: as often as a registrar that refuses is tried.
const lookUpPeriod = retryMax

// lookUpPause is the least time between two look-ups while somebody waits.
const lookUpPause = 500 * time.Millisecond

// registrarNames are the registrars that are configured by name. A look-up
// takes time and the network, so the owner of the endpoint does it. It is asked
// when a hunt begins, and then again and again until there is a home: a
// registrar may move with its name, and a name may be given an address later.
type registrarNames struct {
	asked    bool    // an answer is due
	fresh    bool    // answered since the hunt began, or somebody began to wait
	failed   []Tried // names without address
	answered time.Time
	again    timer
}

// lookUp asks for the addresses behind the names, if there are any.
func (h *hunt) lookUp(now time.Time) {
	if !h.cfg.LookUp {
		return
	}
	h.names.fresh = false
	h.lookUpAgain(now)
}

func (h *hunt) lookUpAgain(time.Time) {
	h.timers.Stop(&h.names.again)
	if !h.names.asked {
		h.names.asked = true
		h.effects.add(LookUp{})
	}
}

// unresolved says whether names may stand for registrars that are not known
// yet: then no round is over.
func (h *hunt) unresolved() bool { return h.names.asked && !h.names.fresh }

// lookedUp notes the addresses behind the names, each of which is a registrar,
// and the names that have none. Those that the names had before and have no
// more are forgotten.
func (h *hunt) lookedUp(now time.Time, found [][]netip.AddrPort, failed []Tried) {
	h.names.asked, h.names.fresh, h.names.failed, h.names.answered = false, true, failed, now
	before := slices.DeleteFunc(slices.Clone(h.known), func(c *candidate) bool { return !c.named })
	for _, c := range before {
		c.static, c.named, c.expired = false, false, true
	}
	for _, addrs := range found {
		h.addConfigured(addrs, true)
	}
	h.forgetExpired()
	if !h.hunting {
		return
	}
	if h.cfg.LookUp {
		h.timers.Set(&h.names.again, now.Add(lookUpPeriod))
	}
	h.connectMore(now)
	if len(h.known) == 0 && (h.cfg.Discover == 0 || !h.retry.Armed()) {
		h.endRound()
	}
	h.checkRound()
}
