package endpoint

import "time"

// want says whether anything needs a home. The hunt starts and stops with it
// (ASAP-3.6-09); a home that was found stays.
func (h *hunt) want(now time.Time, wanted bool) {
	switch {
	case wanted && h.home.id == 0 && !h.hunting:
		h.start(now)
	case !wanted && h.hunting:
		h.stop("no longer needed")
	}
}

// tryAllNow makes a hunt that has slowed down try everybody at once, because
// somebody begins to wait for it. It changes nothing if the present round began
// for others who wait.
func (h *hunt) tryAllNow(now time.Time) { h.tryAll(now, true) }

// tryAllAgain is tryAllNow for somebody who has waited for some time, and asks
// often: names are not looked up each time.
func (h *hunt) tryAllAgain(now time.Time) { h.tryAll(now, now.Sub(h.names.answered) >= lookUpPause) }

func (h *hunt) tryAll(now time.Time, lookUp bool) {
	if h.home.id != 0 || !h.hunting || h.tryingAll || !lookUp && len(h.known) == 0 {
		return
	}
	h.tryingAll = true
	if lookUp {
		h.lookUp(now)
	}
	for _, c := range h.known {
		c.failed, c.notBefore = false, now
	}
	h.interval = h.cfg.HuntTimeout
	h.timers.Set(&h.t5, now.Add(h.interval))
	h.connectMore(now)
}

// registrarStarted notes that a known registrar has just been started: whoever
// refused of late may be tried at once.
func (h *hunt) registrarStarted(now time.Time) {
	for _, c := range h.known {
		if c.refusals > 0 && !c.busy {
			c.failed, c.refusals, c.notBefore = false, 0, now
		}
	}
	h.connectMore(now)
}

// Whoever waits for a pool or a registrar that is not there yet asks again
// after one waitPausePart-th of the time waited so far: what comes soon is
// noticed soon, and a long wait is no burden.
const (
	waitPauseMin  = 50 * time.Millisecond
	waitPauseMax  = time.Second
	waitPausePart = 16
)

// pauseAfter is how long to wait until the next attempt when everything was in
// vain for the time waited.
func pauseAfter(waited time.Duration) time.Duration {
	return min(max(waited/waitPausePart, waitPauseMin), waitPauseMax)
}
