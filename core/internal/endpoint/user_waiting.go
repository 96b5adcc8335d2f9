package endpoint

import (
	"errors"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// waiter is who gets the answer: a Resolve event or a session.
type waiter struct {
	token        Token
	items        uint32 // PEs that a Resolve wants; 0: what there is
	session      *session
	roundsBefore int       // failed hunt rounds when it began to wait
	until        time.Time // before this it waits for what is not there yet
	err          error     // why it still does
}

func (u *user) addWaiter(now time.Time, h protocol.PoolHandle, w waiter) {
	if u.waiting >= u.cfg.MaxWaiting {
		u.failWaiter(now, h, w, ErrTooMany)
		return
	}
	w.roundsBefore = u.hunt.failedRounds
	u.waiting++
	r := u.resolutionOf(h)
	if r != nil {
		r.waiters = append(r.waiters, w)
		u.sendResolution(now, r) // it may be in a pause
		return
	}
	r = u.newResolution(h, w.items)
	r.waiters = []waiter{w}
	u.sendResolution(now, r)
}

// withdrawWaiters removes waiters, and requests that were only for them.
func (u *user) withdrawWaiters(gone func(waiter) bool) {
	for _, r := range slices.Clone(u.resolutions) {
		before := len(r.waiters)
		r.waiters = slices.DeleteFunc(r.waiters, gone)
		u.waiting -= before - len(r.waiters)
		if before > 0 && len(r.waiters) == 0 {
			u.forgetResolution(r)
		}
	}
}

// resolutionFailed tells those who wait for a request that it was in vain. But
// a pool or a registrar may only not be there yet: those who have time left
// wait on, and the request is made again after a pause. What a registrar
// refuses is final.
func (u *user) resolutionFailed(now time.Time, r *resolution, err error) {
	var refused *RejectedError
	u.dropWaiters(now, r, func(w *waiter) bool {
		if errors.As(err, &refused) || !now.Before(w.until) {
			w.err = err
			return true
		}
		u.keepWaiting(r, w, err)
		return false
	})
}

// dropWaiters fails those waiters of a request for whom it is over, each with
// its own error. If others wait on, the request is made again after a pause.
func (u *user) dropWaiters(now time.Time, r *resolution, over func(*waiter) bool) {
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
		u.forgetResolution(r)
	} else {
		u.pauseResolution(now, r)
	}
	for _, w := range gone {
		u.failWaiter(now, r.handle, w, w.err)
	}
}

func (u *user) failWaiter(now time.Time, h protocol.PoolHandle, w waiter, err error) {
	if w.session != nil {
		u.searchFailed(now, w.session, err)
		return
	}
	u.effects.add(ResolveFailed{Token: w.token, Handle: h, Err: err})
}

// keepWaiting notes why somebody waits on, and tells so if that is news.
func (u *user) keepWaiting(r *resolution, w *waiter, err error) {
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

// pauseResolution makes a request again after a pause if it was in vain for
// somebody who waits on; at the latest when the time of one of them is over.
func (u *user) pauseResolution(now time.Time, r *resolution) {
	if r.nothingSince.IsZero() {
		r.nothingSince = now
	}
	at := now.Add(pauseAfter(now.Sub(r.nothingSince)))
	patient := false
	for _, w := range r.waiters {
		if w.err == nil || !now.Before(w.until) {
			continue // it waits for the first answer, or has no time left
		}
		patient = true
		if w.until.Before(at) {
			at = w.until
		}
	}
	if patient {
		r.sentTo, r.resends, r.homesAsked = 0, 0, 0
		u.timers.Set(&r.t1, at)
	}
}

// pauseDue ends a pause: the request fails for those whose time is over, and is
// made again for the others.
func (u *user) pauseDue(now time.Time, r *resolution) {
	u.dropWaiters(now, r, func(w *waiter) bool { return w.err != nil && !now.Before(w.until) })
	if u.resolutionOf(r.handle) != r {
		return
	}
	u.hunt.tryAllAgain(now)
	u.sendResolution(now, r)
}
