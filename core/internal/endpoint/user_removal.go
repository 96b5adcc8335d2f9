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
// (PELeft), for which leaveGrace is left.
const leaveGrace = 250 * time.Millisecond

// review looks at the sessions of a pool after an answer: was is what the same
// registrar had said before if this is its update, otherwise nil. Only an
// update shows that a PE was removed; a registrar that has just started does
// not know all of them yet.
func (u *user) review(now time.Time, was *cachedPool, m asap.HandleResolutionResponse) {
	if u.inUse[m.Handle] == 0 {
		return
	}
	complete := was != nil && isComplete(len(m.Elements), was.asked)
	for _, id := range slices.Sorted(maps.Keys(u.sessions)) {
		s := u.sessions[id]
		if s.handle != m.Handle || !s.up || !control(s.pe) {
			continue
		}
		switch {
		case lists(m.Elements, s.pe.ID):
			s.removed, s.left = false, false
			u.timers.Stop(&s.leave)
		case complete && lists(was.elements, s.pe.ID):
			s.removed = true
		}
		if s.removed && !s.left && !s.leave.Armed() {
			u.timers.Set(&s.leave, now.Add(leaveGrace))
		}
	}
}

func lists(es []protocol.Element, id protocol.PEID) bool {
	return slices.ContainsFunc(es, func(e protocol.Element) bool { return e.ID == id })
}

// leaveDue leaves a PE that was removed, if there is another one. Where there
// is none it is better than nothing, and the registrar is asked again.
func (u *user) leaveDue(now time.Time, s *session) {
	if !s.removed || s.left {
		return
	}
	u.timers.Set(&s.leave, now.Add(pauseMax)) // the owner may know better
	if e := u.fresh(now, s.handle); e != nil && u.alternative(now, s, e) {
		u.effects.add(LeavePE{Session: s.id})
	} else {
		u.refresh(now, s.handle)
	}
}

func (u *user) alternative(now time.Time, s *session, e *cachedPool) bool {
	return slices.ContainsFunc(e.left(), func(el protocol.Element) bool {
		return el.ID != s.pe.ID && !u.isDown(now, s.handle, el.ID) && !u.element.isSelf(s.handle, el.ID)
	})
}

// peLeft notes that the PE of a session leaves its pool on purpose.
func (u *user) peLeft(id SessionID) {
	if s := u.sessions[id]; s != nil && s.up {
		s.left = true
		u.timers.Stop(&s.leave)
	}
}
