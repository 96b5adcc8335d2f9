package endpoint

import (
	"errors"
	"slices"
	"time"
)

// turnDown tells those who wait in a request that there is nothing for them. A
// pool or a registrar that is not there yet may come: who has time left stays, and
// the request is made again after a pause. What a registrar refuses is final.
func (u *user) turnDown(now time.Time, r *request, err error) {
	var refused *RejectedError
	u.sortOut(now, r, func(w *waiter) bool {
		if errors.As(err, &refused) || !now.Before(w.until) {
			w.err = err
			return true
		}
		u.waitOn(r, w, err)
		return false
	})
}

// sortOut fails those waiters of a request, by their errors, for whom it is over.
// The request rests if some of the others were turned down.
func (u *user) sortOut(now time.Time, r *request, over func(*waiter) bool) {
	var gone, left []waiter
	for _, w := range r.waiters {
		if over(&w) {
			gone = append(gone, w)
		} else {
			left = append(left, w)
		}
	}
	u.waiting -= len(gone)
	if r.waiters = left; len(left) == 0 {
		u.forget(r)
	} else {
		u.rest(now, r)
	}
	for _, w := range gone {
		u.failWaiter(now, r.handle, w, w.err)
	}
}

// waitOn notes why somebody waits on, and tells it if that is news.
func (u *user) waitOn(r *request, w *waiter, err error) {
	news := w.err == nil || errors.Is(err, ErrUnknownPool) != errors.Is(w.err, ErrUnknownPool)
	if w.err = err; !news {
		return
	}
	var id SessionID
	if w.session != nil {
		id = w.session.id
	}
	u.effects.add(Waits{Session: id, Token: w.token, Handle: r.handle, Err: err})
}

// rest makes a request again after a pause, if somebody waits on who was turned
// down; at the latest when the time of one of them is over.
func (u *user) rest(now time.Time, r *request) {
	if r.began.IsZero() {
		r.began = now
	}
	at := now.Add(pauseAfter(now.Sub(r.began)))
	patient := false
	for _, w := range r.waiters {
		if w.err == nil || !now.Before(w.until) {
			continue // it waits for an answer, as who has no patience
		}
		patient = true
		if w.until.Before(at) {
			at = w.until
		}
	}
	if patient {
		r.sentTo, r.resends, r.moves = 0, 0, 0
		u.timers.Set(&r.t1, at)
	}
}

// restDue ends a pause: whose time is over is told why, for the others it is
// tried again. A registrar that is being asked has the last word.
func (u *user) restDue(now time.Time, r *request) {
	u.sortOut(now, r, func(w *waiter) bool { return w.err != nil && !now.Before(w.until) })
	if u.request(r.handle) != r {
		return
	}
	u.hunt.tryAllAgain(now)
	u.send(now, r)
}

// noHome notes that a hunt round failed. Who waited for it in full is told, or
// waits on; sessions in failover go on until their limit.
func (u *user) noHome(now time.Time, err error) {
	for _, r := range slices.Clone(u.requests) {
		u.sortOut(now, r, func(w *waiter) bool {
			switch {
			case w.session != nil && w.session.failing:
				w.session.err = err
			case u.cfg.HuntRounds < 0 || u.hunt.failedRounds-w.since < u.cfg.HuntRounds:
			case now.Before(w.until) && !noUseWaiting(err):
				u.waitOn(r, w, err)
			default:
				w.err = err
				return true
			}
			return false
		})
	}
}
