package endpoint

import (
	"slices"
	"time"
)

// start begins a hunt with a first round: SH1 and SH2.
func (h *hunt) start(now time.Time) {
	h.hunting, h.tryingAll = true, true
	h.interval = h.cfg.HuntTimeout // not what the last hunt has come to (SH3)
	// The start is random so that the load spreads (ASAP-3.6-17), but those
	// that failed of late come last.
	h.cfg.Rand.Shuffle(len(h.known), func(i, j int) { h.known[i], h.known[j] = h.known[j], h.known[i] })
	slices.SortStableFunc(h.known, func(a, b *candidate) int { return min(a.refusals, 1) - min(b.refusals, 1) })
	for _, c := range h.known {
		c.failed, c.sentAway = c.sentAway, false // nobody has to tell us twice to go away
	}
	h.timers.Set(&h.t5, now.Add(h.interval))
	h.lookUp(now)
	h.connectMore(now)
	h.checkRound()
	if len(h.known) > 0 || h.home.id != 0 {
		return
	}
	if h.cfg.Discover > 0 {
		h.timers.Set(&h.retry, now.Add(h.cfg.Discover))
		return
	}
	h.endRound()
}

// stop ends the hunt and all its attempts.
func (h *hunt) stop(why string) {
	h.hunting, h.tryingAll = false, false
	h.timers.Stop(&h.t5)
	h.timers.Stop(&h.retry)
	h.timers.Stop(&h.names.again)
	h.abortAttempts(why)
}

func (h *hunt) retryDue(now time.Time) {
	if len(h.known) == 0 {
		h.endRound()
	}
	h.connectMore(now)
}

// t5Due is SH5: double T5, give up what is pending, go on with others.
func (h *hunt) t5Due(now time.Time) {
	h.interval = min(2*h.interval, h.cfg.RetransMax)
	h.timers.Set(&h.t5, now.Add(h.interval))
	for _, a := range h.attempts {
		a.to.failed, a.to.err, a.to.notBefore = true, nil, now
	}
	h.abortAttempts("no answer within T5")
	if len(h.known) == 0 {
		h.endRound()
	}
	h.checkRound()
	h.connectMore(now)
}

// checkRound ends a round in which every known registrar failed.
func (h *hunt) checkRound() {
	if len(h.known) == 0 || slices.ContainsFunc(h.known, func(c *candidate) bool { return !c.failed }) {
		return
	}
	h.endRound()
}

func (h *hunt) endRound() {
	if h.home.id != 0 || h.unresolved() {
		return // the home is still there, or names may stand for more registrars
	}
	var tried []Tried
	for _, c := range h.known {
		tried = append(tried, Tried{Addrs: c.addrs, Err: c.err})
		c.failed = false
	}
	tried = append(tried, h.names.failed...)
	h.failedRounds++
	h.tryingAll = false
	h.news = append(h.news, homeNews{kind: failedRound, err: &NoRegistrarError{Tried: tried}})
}
