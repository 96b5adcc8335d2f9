package endpoint

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// handleResolutionResponse takes an answer, a late duplicate of one, or an
// update (ASAP-3.3-06, ASAP-3.3-17). Only registrars are listened to.
func (u *user) handleResolutionResponse(now time.Time, from assoc.ID, m asap.HandleResolutionResponse) {
	r := u.resolutionOf(m.Handle)
	if r != nil && r.sentTo != from {
		r = nil
	}
	if from != u.hunt.homeAssoc() && r == nil || r == nil && u.cache.get(m.Handle) == nil {
		return
	}
	var waiters []waiter
	was := u.cache.get(m.Handle)
	asked := u.cfg.Items
	switch {
	case r != nil:
		asked = r.items
	case was != nil:
		asked = was.asked
	}
	if r != nil || was != nil && was.subscribed != from {
		was = nil
	}
	if err := negativeAnswer(m); err != nil {
		u.cache.remove(m.Handle)
		u.noteRemovals(now, was, m)
		if r != nil {
			u.resolutionFailed(now, r, err)
		} else {
			u.tellWatchers(m.Handle)
		}
		return
	}
	if r != nil {
		waiters = r.waiters
		u.forgetResolution(r)
	}
	e := u.cacheAnswer(now, from, m, asked)
	u.noteRemovals(now, was, m)
	if r == nil {
		u.tellWatchers(m.Handle)
	}
	for _, w := range waiters {
		switch {
		case w.session != nil:
			u.useAnswer(now, w.session, e)
		case e.hasEnough(w.items):
			u.answer(now, w.token, e, w.items)
		default: // it joined a request that asked for fewer
			u.ask(now, m.Handle, w)
		}
	}
}

// negativeAnswer returns why an answer is negative. Any cause makes it so,
// whatever its code (ASAP-2.2.6-06).
func negativeAnswer(m asap.HandleResolutionResponse) error {
	rejected := &RejectedError{Handle: m.Handle, Causes: m.Causes}
	switch {
	case rejected.Has(protocol.CauseUnknownPoolHandle):
		return ErrUnknownPool
	case len(m.Causes) > 0:
		return rejected
	case len(m.Elements) == 0:
		return ErrUnknownPool
	}
	return nil
}

func (u *user) cacheAnswer(now time.Time, from assoc.ID, m asap.HandleResolutionResponse, asked uint32) *cachedPool {
	e := &cachedPool{handle: m.Handle, policy: protocol.RoundRobin, elements: m.Elements, asked: asked, at: now}
	if m.HasPolicy { // without one it is Round Robin (ASAP-2.2.6-02)
		e.policy = m.Policy.Type
	}
	if m.UpdatesAccepted && u.cfg.Subscribe {
		e.subscribed = from
	}
	u.cache.put(e)
	return e
}
