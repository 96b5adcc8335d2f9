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

	pe    protocol.Element // in use or being tried, if hasPE
	hasPE bool
	up    bool     // the association with pe stands
	assoc assoc.ID // with pe, if up
	tried bool     // UsePE was said before

	removed      bool  // a registrar removed pe
	leaving      bool  // pe said that it leaves the pool and serves on
	removalTimer timer // when pe is left because it was removed

	until         time.Time // before this it waits for a pool that is not there yet
	failing       bool      // looks for another PE
	failoverLimit time.Duration
	limitTimer    timer         // when the failover limit is over
	searchPause   time.Duration // before the next search
	retryTimer    timer         // when that is over
	err           error         // the last failure

	cookie []byte             // the newest one (ASAP-3.8-02)
	card   []protocol.Element // failover order the PE recommends (ASAP-3.9-06)
}

// errLeft is the failure of a session whose PE took leave.
var errLeft = errors.New("the element ended the session")

// openSession begins a session (ASAP-6.5.1-01). An identifier in use is
// ignored. For a pool or registrar that is not there yet it waits until a time.
func (u *user) openSession(now time.Time, id SessionID, h protocol.PoolHandle, until time.Time) {
	if s := u.newSession(id, h); s != nil {
		s.until = until
		u.search(now, s)
	}
}

// followCard begins a session in failover: its peer is lost and left a card.
func (u *user) followCard(now time.Time, id SessionID, h protocol.PoolHandle, lost protocol.PEID, card []protocol.Element, limit time.Duration, err error) {
	s := u.newSession(id, h)
	if s == nil {
		return
	}
	s.tried, s.failoverLimit = true, limit
	s.card = slices.DeleteFunc(slices.Clone(card), func(e protocol.Element) bool { return e.ID == lost })
	if lost != 0 {
		u.passOver(now, h, lost, true)
	}
	u.becomeFailing(now, s, err)
	u.search(now, s)
}

func (u *user) newSession(id SessionID, h protocol.PoolHandle) *session {
	if u.sessions[id] != nil {
		return nil
	}
	s := &session{id: id, handle: h, failoverLimit: u.cfg.FailoverLimit}
	s.retryTimer.Value = func(now time.Time) { u.retryDue(now, s) }
	s.limitTimer.Value = func(time.Time) { u.limitDue(s) }
	s.removalTimer.Value = func(now time.Time) { u.removalDue(now, s) }
	if len(u.sessions) >= u.cfg.MaxWaiting {
		u.effects.add(SessionFailed{Session: id, Handle: h, Err: ErrTooMany})
		return nil
	}
	u.sessions[id] = s
	u.inUse.count(h, true)
	return s
}

// closeSession ends a session.
func (u *user) closeSession(id SessionID) {
	if s := u.sessions[id]; s != nil {
		u.withdrawWaiters(func(w waiter) bool { return w.session == s })
		u.removeSession(s)
	}
}

// setFailoverLimit changes the limit of later searches.
func (u *user) setFailoverLimit(id SessionID, limit time.Duration) {
	if s := u.sessions[id]; s != nil {
		s.failoverLimit = limit
	}
}

func (u *user) removeSession(s *session) {
	u.timers.Stop(&s.retryTimer)
	u.timers.Stop(&s.limitTimer)
	delete(u.sessions, s.id)
	u.inUse.count(s.handle, false)
	u.detachPE(s)
}

func (u *user) detachPE(s *session) {
	if u.byAssoc[s.assoc] == s {
		delete(u.byAssoc, s.assoc)
	}
	s.assoc, s.up, s.hasPE, s.removed, s.leaving = 0, false, false, false, false
	u.timers.Stop(&s.removalTimer)
}

// sessionUp notes that a session's PE is reached. The newest cookie is the
// first thing it hears (ASAP-3.8-03), bytewise as it came (ASAP-3.8-04).
func (u *user) sessionUp(id SessionID, at assoc.ID) {
	s := u.sessions[id]
	if s == nil || !s.hasPE || at == 0 {
		return
	}
	first := !s.up
	s.assoc, s.up, s.failing, s.err, s.searchPause = at, true, false, nil, 0
	u.byAssoc[at] = s
	u.timers.Stop(&s.limitTimer)
	if !first || !hasControlChannel(s.pe.User) {
		return // a DATA ONLY port must not get ASAP (ASAP-5-06)
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
	failed, removed := s.pe.ID, s.removed
	if err == nil {
		err = errLeft
	}
	u.detachPE(s)
	u.passOver(now, s.handle, failed, report && !removed)
	if over {
		u.removeSession(s)
		return
	}
	u.becomeFailing(now, s, err)
	u.search(now, s)
}
