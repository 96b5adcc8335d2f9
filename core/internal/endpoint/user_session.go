package endpoint

import (
	"errors"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// session is one application session with a pool. At any time it waits in a
// request, has its retry timer set, or has a PE.
type session struct {
	id     SessionID
	handle protocol.PoolHandle

	pe    protocol.Element // in use or being tried
	hasPE bool
	up    bool

	removed bool // a registrar removed pe
	left    bool // pe said that it leaves the pool and serves on
	leave   timer
	assoc   assoc.ID
	tried   bool // UsePE was said before

	until   time.Time     // before this it waits for a pool that is not there yet
	failing bool          // looks for another PE
	within  time.Duration // the failover limit
	err     error         // the last failure
	pause   time.Duration
	retry   timer
	limit   timer

	cookie []byte             // the newest one (ASAP-3.8-02)
	card   []protocol.Element // failover order the PE recommends (ASAP-3.9-06)
}

// A session that finds no PE asks again after pauseFirst, doubling up to
// pauseMax.
const (
	pauseFirst = 100 * time.Millisecond
	pauseMax   = time.Second
)

// errAllDown is the failure of a session that found only PEs that have just
// failed for others.
var errAllDown = errors.New("all its elements have just failed")

// errLeft is the failure of a session whose PE took leave.
var errLeft = errors.New("the element ended the session")

// open begins a session (ASAP-6.5.1-01). An identifier in use is ignored. For a
// pool or registrar that is not there yet it waits until a time.
func (u *user) open(now time.Time, id SessionID, h protocol.PoolHandle, until time.Time) {
	if s := u.begin(id, h); s != nil {
		s.until = until
		u.search(now, s)
	}
}

// follow begins a session in failover: with a peer that is lost, and left a card.
func (u *user) follow(now time.Time, id SessionID, h protocol.PoolHandle, lost protocol.PEID, card []protocol.Element, within time.Duration, err error) {
	s := u.begin(id, h)
	if s == nil {
		return
	}
	s.tried, s.within = true, within
	s.card = slices.DeleteFunc(slices.Clone(card), func(e protocol.Element) bool { return e.ID == lost })
	if lost != 0 {
		u.failed(now, h, lost, true)
	}
	u.becomeFailing(now, s, err)
	u.search(now, s)
}

func (u *user) begin(id SessionID, h protocol.PoolHandle) *session {
	if u.sessions[id] != nil {
		return nil
	}
	s := &session{id: id, handle: h, within: u.cfg.FailoverLimit}
	s.retry.Value = func(now time.Time) { u.retryDue(now, s) }
	s.limit.Value = func(time.Time) { u.limitDue(s) }
	s.leave.Value = func(now time.Time) { u.leaveDue(now, s) }
	if len(u.sessions) >= u.cfg.MaxWaiting {
		u.effects.add(SessionFailed{Session: id, Handle: h, Err: ErrTooMany})
		return nil
	}
	u.sessions[id] = s
	u.inUse[h]++
	return s
}

// close ends a session.
func (u *user) close(id SessionID) {
	if s := u.sessions[id]; s != nil {
		u.withdraw(func(w waiter) bool { return w.session == s })
		u.remove(s)
	}
}

// setFailoverLimit changes the limit of later searches.
func (u *user) setFailoverLimit(id SessionID, limit time.Duration) {
	if s := u.sessions[id]; s != nil {
		s.within = limit
	}
}

func (u *user) remove(s *session) {
	u.timers.Stop(&s.retry)
	u.timers.Stop(&s.limit)
	delete(u.sessions, s.id)
	if u.inUse[s.handle]--; u.inUse[s.handle] == 0 {
		delete(u.inUse, s.handle)
	}
	u.detach(s)
}

func (u *user) detach(s *session) {
	if u.byAssoc[s.assoc] == s {
		delete(u.byAssoc, s.assoc)
	}
	s.assoc, s.up, s.hasPE, s.removed, s.left = 0, false, false, false, false
	u.timers.Stop(&s.leave)
}

// sessionUp notes that a session's PE is reached. The newest cookie is the
// first thing it hears (ASAP-3.8-03), bytewise as it came (ASAP-3.8-04).
func (u *user) sessionUp(id SessionID, at assoc.ID) {
	s := u.sessions[id]
	if s == nil || !s.hasPE || at == 0 {
		return
	}
	first := !s.up
	s.assoc, s.up, s.failing, s.err, s.pause = at, true, false, nil, 0
	u.byAssoc[at] = s
	u.timers.Stop(&s.limit)
	if !first || !control(s.pe) {
		return // ASAP-5-06: no ASAP to a DATA ONLY port
	}
	if s.cookie != nil { // else there is nothing to echo (ASAP-3.8-06)
		u.effects.add(Send{Assoc: at, Message: asap.CookieEcho{Data: s.cookie}})
	}
	u.sendBusinessCard(at, nil)
}

// sessionLost begins a failover (ASAP-6.5.5-01), or with over ends the session
// (ASAP-6.5.5-02). report says whether the failure may be reported.
func (u *user) sessionLost(now time.Time, id SessionID, err error, report, over bool) {
	s := u.sessions[id]
	if s == nil || !s.hasPE {
		return
	}
	failed, known := s.pe.ID, s.removed
	if err == nil {
		err = errLeft
	}
	u.detach(s)
	u.failed(now, s.handle, failed, report && !known)
	if over {
		u.remove(s)
		return
	}
	u.becomeFailing(now, s, err)
	u.search(now, s)
}

// becomeFailing starts the time within which another PE has to be found.
func (u *user) becomeFailing(now time.Time, s *session, err error) {
	s.failing, s.err = true, err
	if !s.limit.Armed() && s.within >= 0 {
		u.timers.Set(&s.limit, now.Add(s.within))
	}
}

// search finds the next PE of a session: by the failed one's card, from the
// cache, or by asking.
func (u *user) search(now time.Time, s *session) {
	if u.takeCard(now, s) {
		return
	}
	if e := u.fresh(now, s.handle); e != nil && u.pick(now, s, e) {
		return
	}
	w := waiter{session: s}
	if !s.failing {
		w.until = s.until
	}
	u.ask(now, s.handle, w)
}

// choose uses a registrar's answer. If it lists nobody but those that have
// just failed, the session waits a moment.
func (u *user) choose(now time.Time, s *session, e *cachedPool) {
	if u.takeCard(now, s) || u.pick(now, s, e) {
		return
	}
	if !u.pickAgain(now, s, e) {
		if !s.failing { // its first PE; others have just met the failure
			u.becomeFailing(now, s, errAllDown)
		}
		u.pauseSearch(now, s)
	}
}

func (u *user) use(s *session, e protocol.Element) {
	u.markUp(s.handle, e.ID)
	u.timers.Stop(&s.retry)
	failover := s.tried
	s.pe, s.hasPE, s.tried = e, true, true
	u.effects.add(UsePE{Session: s.id, Handle: s.handle, Element: e, Failover: failover})
}

// searchFailed: a session that never had a PE fails at once; one in failover
// tries again until its limit.
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
	u.remove(s)
	u.effects.add(SessionFailed{Session: s.id, Handle: s.handle, Err: err})
}

func (u *user) pauseSearch(now time.Time, s *session) {
	s.pause = min(max(2*s.pause, pauseFirst), pauseMax)
	u.timers.Set(&s.retry, now.Add(s.pause))
}

func (u *user) retryDue(now time.Time, s *session) {
	u.wait(now, s.handle, waiter{session: s})
}

// limitDue ends a failover that took too long.
func (u *user) limitDue(s *session) {
	u.withdraw(func(w waiter) bool { return w.session == s })
	u.remove(s)
	err := &NoElementError{Handle: s.handle, Err: s.err}
	u.effects.add(SessionFailed{Session: s.id, Handle: s.handle, Err: err})
}
