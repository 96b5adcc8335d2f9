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

// subscribers are those who are told when a pool changes.
type subscribers struct {
	*core
	listing *listing
	byPool  map[protocol.PoolHandle]*poolSubscribers
	count   int // subscriptions to all pools
}

// poolSubscribers are those of one pool. Updates are coalesced: no two within
// Timers.Update (ASAP-2.2.5-06).
type poolSubscribers struct {
	handle protocol.PoolHandle
	subs   indexedSet[subscription]
	next   timerq.Timer[deadline] // armed: the pool changed
	last   time.Time              // of the last update
}

// maxLinkSubs bounds what one peer subscribes to.
const maxLinkSubs = 256

// update does what the S flag asks for and returns the A flag (ASAP-2.2.6-01).
// Asking without S ends a subscription (ASAP-2.2.5-05).
func (su *subscribers) update(l *link, m asap.HandleResolution) (accepted bool) {
	s := l.subscription(m.Handle)
	switch {
	case s == nil && m.Subscribe:
		if su.count >= su.cfg.Limits.Subscriptions || l.subs.len() >= maxLinkSubs {
			return false
		}
		su.subscribe(l, m)
	case s != nil && m.Subscribe:
		s.items = m.Items
	case s != nil:
		su.unsubscribe(s)
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

func (su *subscribers) subscribe(l *link, m asap.HandleResolution) {
	pool := su.byPool[m.Handle]
	if pool == nil {
		pool = &poolSubscribers{handle: m.Handle}
		pool.subs.index = func(s *subscription) *int32 { return &s.poolSlot }
		pool.next.Value = pool
		su.byPool[m.Handle] = pool
	}
	s := &subscription{link: l, pool: pool, items: m.Items}
	l.subs.add(s)
	pool.subs.add(s)
	su.count++
}

func (su *subscribers) unsubscribe(s *subscription) {
	if s.linkSlot > 0 {
		s.link.subs.remove(s)
	}
	pool := s.pool
	pool.subs.remove(s)
	su.count--
	if pool.subs.len() == 0 {
		su.drop(pool)
	}
}

func (su *subscribers) drop(pool *poolSubscribers) {
	su.timers.Stop(&pool.next)
	delete(su.byPool, pool.handle)
}

// poolChanged tells subscribers: soon of a change, at once that the pool is
// gone, which ends the subscriptions (ASAP-2.2.5-05).
func (su *subscribers) poolChanged(now time.Time, h protocol.PoolHandle) {
	pool := su.byPool[h]
	switch {
	case pool == nil:
	case su.space.Pool(h) == nil:
		su.tellGone(pool)
	case !pool.next.Armed():
		at := pool.last.Add(su.cfg.Timers.Update)
		if at.Before(now) {
			at = now
		}
		su.timers.Set(&pool.next, at)
	}
}

func (su *subscribers) tellGone(pool *poolSubscribers) {
	for _, s := range pool.subs.take() {
		su.emit(SendASAP{Link: s.link.Link, Message: unknownPool(pool.handle)})
		s.link.subs.remove(s)
		su.count--
	}
	su.drop(pool)
}

// tell sends an update, which is a complete answer (ASAP-2.2.5-06).
func (su *subscribers) tell(now time.Time, pool *poolSubscribers) {
	pool.last = now
	for _, s := range slices.Clone(pool.subs.items) {
		response, ok := su.listing.resolve(now, s.link, su.space.Pool(pool.handle), s.items)
		if !ok {
			response = unknownPool(pool.handle)
			su.unsubscribe(s) // as when the pool is gone
		}
		response.UpdatesAccepted = ok
		su.emit(SendASAP{Link: s.link.Link, Message: response})
	}
}
