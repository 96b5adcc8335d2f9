package registrar

import (
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/timerq"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// subscription is one peer's wish to hear of changes of a pool. It is local,
// never told to other registrars, and lives as long as the association
// (ASAP-2.2.5-01, ASAP-2.2.5-03).
type subscription struct {
	link     *link
	linkSlot int32
	pool     *poolSubscribers
	poolSlot int32
	items    uint32
}

// poolSubscribers is who subscribed to one pool. Updates are coalesced: no two within
// Timers.Update (ASAP-2.2.5-06).
type poolSubscribers struct {
	handle protocol.PoolHandle
	subs   indexedSet[subscription]
	next   timerq.Timer[deadline] // armed: the pool changed
	last   time.Time              // of the last update
}

// maxLinkSubs bounds what one peer subscribes to.
const maxLinkSubs = 256

// updateSubscription does what the S flag asks for and returns the A flag
// (ASAP-2.2.6-01). Asking without S ends a subscription (ASAP-2.2.5-05).
func (r *Registrar) updateSubscription(l *link, m asap.HandleResolution) (accepted bool) {
	s := l.subscription(m.Handle)
	switch {
	case s == nil && m.Subscribe:
		if r.subs >= r.cfg.Limits.Subscriptions || l.subs.len() >= maxLinkSubs {
			return false
		}
		r.subscribe(l, m)
	case s != nil && m.Subscribe:
		s.items = m.Items
	case s != nil:
		r.unsubscribe(s)
	}
	return m.Subscribe
}

func (l *link) subscription(h protocol.PoolHandle) *subscription {
	for _, s := range l.subs.items {
		if s.pool.handle == h {
			return s
		}
	}
	return nil
}

func (r *Registrar) subscribe(l *link, m asap.HandleResolution) {
	a := r.subscribers[m.Handle]
	if a == nil {
		a = &poolSubscribers{handle: m.Handle}
		a.subs.index = func(s *subscription) *int32 { return &s.poolSlot }
		a.next.Value = a
		r.subscribers[m.Handle] = a
	}
	s := &subscription{link: l, pool: a, items: m.Items}
	l.subs.add(s)
	a.subs.add(s)
	r.subs++
}

func (r *Registrar) unsubscribe(s *subscription) {
	if s.linkSlot > 0 {
		s.link.subs.remove(s)
	}
	a := s.pool
	a.subs.remove(s)
	r.subs--
	if a.subs.len() == 0 {
		r.timers.Stop(&a.next)
		delete(r.subscribers, a.handle)
	}
}

// poolChanged tells subscribers: soon of a change, at once that the pool is
// gone, which ends the subscriptions (ASAP-2.2.5-05).
func (r *Registrar) poolChanged(now time.Time, h protocol.PoolHandle) {
	a := r.subscribers[h]
	switch {
	case a == nil:
	case r.space.Pool(h) == nil:
		for _, s := range a.subs.take() {
			r.emit(SendASAP{Link: s.link.Link, Message: unknownPool(h)})
			s.link.subs.remove(s)
			r.subs--
		}
		r.timers.Stop(&a.next)
		delete(r.subscribers, h)
	case !a.next.Armed():
		at := a.last.Add(r.cfg.Timers.Update)
		if at.Before(now) {
			at = now
		}
		r.timers.Set(&a.next, at)
	}
}

// due: each update is a complete answer (ASAP-2.2.5-06).
func (a *poolSubscribers) due(r *Registrar, now time.Time) {
	a.last = now
	for _, s := range slices.Clone(a.subs.items) {
		response, ok := r.resolve(now, s.link, r.space.Pool(a.handle), s.items)
		if !ok {
			response = unknownPool(a.handle)
			r.unsubscribe(s) // as when the pool is gone
		}
		response.UpdatesAccepted = ok
		r.emit(SendASAP{Link: s.link.Link, Message: response})
	}
}
