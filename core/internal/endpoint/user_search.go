package endpoint

import (
	"errors"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// A session that finds no PE asks again after searchPauseFirst, doubling up to
// searchPauseMax.
const (
	searchPauseFirst = 100 * time.Millisecond
	searchPauseMax   = time.Second
)

// errAllFailed is the failure of a session that found only PEs that have just
// failed for others.
var errAllFailed = errors.New("all its elements have just failed")

// becomeFailing starts the time within which another PE has to be found.
func (u *user) becomeFailing(now time.Time, s *session, err error) {
	s.failing, s.err = true, err
	if !s.limitTimer.Armed() && s.failoverLimit >= 0 {
		u.timers.Set(&s.limitTimer, now.Add(s.failoverLimit))
	}
}

// search finds the next PE of a session: by the failed one's card, from the
// cache, or by asking.
func (u *user) search(now time.Time, s *session) {
	if u.takeCard(now, s) {
		return
	}
	if e := u.fresh(now, s.handle); e != nil && u.pickPE(now, s, e) {
		return
	}
	w := waiter{session: s}
	if !s.failing {
		w.until = s.until
	}
	u.ask(now, s.handle, w)
}

// useAnswer uses a registrar's answer. If it lists nobody but those that have
// just failed, the session waits a moment.
func (u *user) useAnswer(now time.Time, s *session, e *cachedPool) {
	if u.takeCard(now, s) || u.pickPE(now, s, e) {
		return
	}
	if !u.pickFailedPE(now, s, e) {
		if !s.failing { // it looks for its first PE, and others have met the failure
			u.becomeFailing(now, s, errAllFailed)
		}
		u.pauseSearch(now, s)
	}
}

func (u *user) usePE(s *session, e protocol.Element) {
	u.forgetFailure(s.handle, e.ID)
	u.timers.Stop(&s.retryTimer)
	failover := s.tried
	s.pe, s.hasPE, s.tried = e, true, true
	u.effects.add(UsePE{Session: s.id, Handle: s.handle, Element: e, Failover: failover})
}

// searchFailed ends a session that never had a PE; one in failover tries again
// until its limit.
func (u *user) searchFailed(now time.Time, s *session, err error) {
	if s.failing {
		// A pool whose elements do not answer loses them, and is then unknown:
		// what is wrong is still that they do not answer.
		if s.err == nil || !errors.Is(err, ErrUnknownPool) {
			s.err = err
		}
		u.pauseSearch(now, s)
		return
	}
	u.removeSession(s)
	u.effects.add(SessionFailed{Session: s.id, Handle: s.handle, Err: err})
}

func (u *user) pauseSearch(now time.Time, s *session) {
	s.searchPause = min(max(2*s.searchPause, searchPauseFirst), searchPauseMax)
	u.timers.Set(&s.retryTimer, now.Add(s.searchPause))
}

func (u *user) retryDue(now time.Time, s *session) {
	u.addWaiter(now, s.handle, waiter{session: s})
}

// limitDue ends a failover that took too long.
func (u *user) limitDue(s *session) {
	u.withdrawWaiters(func(w waiter) bool { return w.session == s })
	u.removeSession(s)
	err := &NoElementError{Handle: s.handle, Err: s.err}
	u.effects.add(SessionFailed{Session: s.id, Handle: s.handle, Err: err})
}
