package endpoint

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// ordered lists up to items elements of an answer (0: all), the one to use now
// first and then those to fall back on, as the pool's policy orders them
// (ASAP-6.5.2-01). What failed of late is a last resort: the registrar may
// still list it. Each call is one selection; the fallbacks do not count as
// used.
func (u *user) ordered(now time.Time, e *cachedPool, items uint32) []protocol.Element {
	left := make([]bool, len(e.elements)) // neither dropped nor in the list yet
	down := make([]bool, len(e.elements))
	n := 0
	for i, el := range e.elements {
		left[i], down[i] = !e.dropped[i], u.failedLately(now, e.handle, el.ID)
		if left[i] {
			n++
		}
	}
	if items > 0 {
		n = min(n, int(items))
	}
	out, first := make([]protocol.Element, 0, n), -1
	usable := func(i int) bool { return left[i] && !down[i] }
	for len(out) < n {
		i, ok := e.chooser.Choose(usable, u.cfg.Rand)
		if !ok {
			break
		}
		if out, left[i] = append(out, e.elements[i]), false; len(out) == 1 {
			first = i
		}
	}
	for i := range e.elements {
		if left[i] && down[i] && len(out) < n {
			out = append(out, e.elements[i])
		}
	}
	if first >= 0 {
		e.chooser.Used(first)
	}
	return out
}

// pickPE selects by the pool's policy among those that are not known to be down
// (ASAP-6.5.2-01, ASAP-6.5.2-02). An endpoint does not connect to itself.
func (u *user) pickPE(now time.Time, s *session, e *cachedPool) bool {
	usable := func(i int) bool {
		id := e.elements[i].ID
		return !e.dropped[i] && !u.failedLately(now, s.handle, id) && !u.element.isSelf(s.handle, id)
	}
	i, ok := e.chooser.Choose(usable, u.cfg.Rand)
	if ok {
		e.chooser.Used(i)
		u.usePE(s, e.elements[i])
	}
	return ok
}

// pickFailedPE returns to a PE that failed some time ago, the longest ago
// first, when the registrar lists nobody else.
func (u *user) pickFailedPE(now time.Time, s *session, e *cachedPool) bool {
	best := -1
	var bestAt time.Time
	for i, el := range e.elements {
		at, ok := u.failedSince(s.handle, el.ID)
		if ok && now.Sub(at) >= retryFailedAfter && (best < 0 || at.Before(bestAt)) {
			best, bestAt = i, at
		}
	}
	if best >= 0 {
		e.chooser.Used(best)
		u.usePE(s, e.elements[best])
	}
	return best >= 0
}
