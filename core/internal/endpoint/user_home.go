package endpoint

import (
	"slices"
	"time"
)

// needsHome says whether the user wants to have a home: to ask or report
// something now, or to be quick when the PE of a session fails.
func (u *user) needsHome() bool {
	return len(u.resolutions) > 0 || len(u.sessions) > 0 || len(u.reports) > 0
}

// homeFound sends what could not be sent (ASAP-3.3-05, ASAP-3.7-06), and asks
// for updates again: subscriptions die with the association (ASAP-2.2.5-02).
func (u *user) homeFound(now time.Time) {
	for _, r := range slices.Clone(u.resolutions) {
		u.sendResolution(now, r)
	}
	u.sendReports(now)
	for _, e := range u.cache.order {
		if e.subscribed == 0 || e.subscribed == u.hunt.homeAssoc() {
			continue
		}
		e.subscribed = 0
		if u.inUse[e.handle] > 0 {
			u.refresh(now, e.handle)
		}
	}
}

// homeLost notes that the home is gone; requests wait for the next one.
func (u *user) homeLost(now time.Time) {
	for _, r := range u.resolutions {
		r.sentTo = 0
		u.timers.Stop(&r.t1)
		u.pauseResolution(now, r)
	}
	for _, e := range u.cache.order {
		if e.subscribed != 0 {
			e.subscribed = subscriptionLost
		}
	}
}

// huntRoundFailed notes that a hunt round failed. Those who waited for enough
// of them are told so, or wait on; sessions in failover go on until their
// limit.
func (u *user) huntRoundFailed(now time.Time, err error) {
	for _, r := range slices.Clone(u.resolutions) {
		u.dropWaiters(now, r, func(w *waiter) bool {
			switch {
			case w.session != nil && w.session.failing:
				w.session.err = err
			case u.cfg.HuntRounds < 0 || u.hunt.failedRounds-w.roundsBefore < u.cfg.HuntRounds:
			case now.Before(w.until) && !noUseWaiting(err):
				u.keepWaiting(r, w, err)
			default:
				w.err = err
				return true
			}
			return false
		})
	}
}
