package endpoint

import (
	"maps"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// A registrar removes a PE that does not answer it any more: it hangs, which
// no transport need notice. Who subscribed learns of it (ASAP-2.2.5-01). A PE
// that deregisters disappears from its pool too, but says so to its PUs before
// (PELeft), for which removalGrace is left.
const removalGrace = 250 * time.Millisecond

// noteRemovals looks after an answer which sessions have a PE that was removed
// from the pool. was is what the same registrar had said before if this is its
// update, otherwise nil. Only an update shows that a PE was removed; a
// registrar that has just started does not know all of them yet.
func (u *user) noteRemovals(now time.Time, was *cachedPool, m asap.HandleResolutionResponse) {
	if u.inUse[m.Handle] == 0 {
		return
	}
	complete := was != nil && isComplete(len(m.Elements), was.asked)
	for _, id := range slices.Sorted(maps.Keys(u.sessions)) {
		s := u.sessions[id]
		if s.handle != m.Handle || !s.up || !hasControlChannel(s.pe.User) {
			continue
		}
		switch {
		case listsPE(m.Elements, s.pe.ID):
			s.removed, s.leaving = false, false
			u.timers.Stop(&s.removalTimer)
		case complete && listsPE(was.elements, s.pe.ID):
			s.removed = true
		}
		if s.removed && !s.leaving && !s.removalTimer.Armed() {
			u.timers.Set(&s.removalTimer, now.Add(removalGrace))
		}
	}
}

func listsPE(es []protocol.Element, id protocol.PEID) bool {
	return slices.ContainsFunc(es, func(e protocol.Element) bool { return e.ID == id })
}

// removalDue leaves a PE that was removed, if there is another one. Where there
// is none, the removed one is kept, and the registrar is asked again.
func (u *user) removalDue(now time.Time, s *session) {
	if !s.removed || s.leaving {
		return
	}
	u.timers.Set(&s.removalTimer, now.Add(searchPauseMax)) // the owner may have heard of the PE just now
	if e := u.fresh(now, s.handle); e != nil && u.hasOtherPE(now, s, e) {
		u.effects.add(LeavePE{Session: s.id})
	} else {
		u.refresh(now, s.handle)
	}
}

func (u *user) hasOtherPE(now time.Time, s *session, e *cachedPool) bool {
	return slices.ContainsFunc(e.remaining(), func(el protocol.Element) bool {
		return el.ID != s.pe.ID && !u.failedLately(now, s.handle, el.ID) && !u.element.isSelf(s.handle, el.ID)
	})
}

// peLeft notes that the PE of a session leaves its pool on purpose.
func (u *user) peLeft(id SessionID) {
	if s := u.sessions[id]; s != nil && s.up {
		s.leaving = true
		u.timers.Stop(&s.removalTimer)
	}
}
