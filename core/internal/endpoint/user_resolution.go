package endpoint

import (
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// request is one outstanding ASAP_HANDLE_RESOLUTION. There is at most one per
// pool, so that answers are matched by handle (ASAP-3.3-17).
type request struct {
	handle  protocol.PoolHandle
	items   uint32   // how many PEs it asks for; 0: the registrar decides
	waiters []waiter // none: it only refreshes the cache
	sentTo  assoc.ID // 0 while there is no home
	resends int
	moves   int       // how often a new home got it
	began   time.Time // when it was first answered that there is nothing yet
	t1      timer
}

// waiter is who gets the answer: a Resolve event or a session.
type waiter struct {
	token   Token
	items   uint32 // PEs that a Resolve wants; 0: what there is
	session *session
	since   int       // failed hunt rounds when it began to wait
	until   time.Time // before this it waits for what is not there yet
	err     error     // why it still does
}

// maxMoves ends a request that wanders from one short-lived registrar to the
// next.
const maxMoves = 10

// leastItems is asked for by who wants fewer PEs: the cache then has others when
// these fail, and shares the requests that follow as the policy says.
const leastItems = 32

// resolve finds up to items PEs of a pool (0: those the registrar gives), from
// the cache if it is younger than maxAge and has as many: then nothing is sent
// (ASAP-3.3-10, ASAP-6.9.1-01). For a pool or registrar that is not there yet it
// waits until a time.
func (u *user) resolve(now time.Time, t Token, h protocol.PoolHandle, maxAge time.Duration, items uint32, until time.Time) {
	if e := u.younger(now, h, maxAge); e != nil && e.enough(items) {
		u.answer(now, t, e, items)
		return
	}
	u.ask(now, h, waiter{token: t, items: items, until: until})
}

func (u *user) answer(now time.Time, t Token, e *cachedPool, items uint32) {
	u.effects.add(Resolved{Token: t, Handle: e.handle, Policy: e.policy, Elements: u.ordered(now, e, items)})
}

// cancelResolve withdraws a Resolve.
func (u *user) cancelResolve(t Token) {
	u.withdraw(func(w waiter) bool { return w.session == nil && w.token == t })
}

// withdraw removes waiters, and requests that were only for them.
func (u *user) withdraw(gone func(waiter) bool) {
	for _, r := range slices.Clone(u.requests) {
		before := len(r.waiters)
		r.waiters = slices.DeleteFunc(r.waiters, gone)
		u.waiting -= before - len(r.waiters)
		if before > 0 && len(r.waiters) == 0 {
			u.forget(r)
		}
	}
}

// ask makes a waiter wait for a registrar's answer (NR1, NR2).
func (u *user) ask(now time.Time, h protocol.PoolHandle, w waiter) {
	u.hunt.tryAllNow(now) // somebody begins to wait: try everybody now
	u.wait(now, h, w)
}

func (u *user) wait(now time.Time, h protocol.PoolHandle, w waiter) {
	if u.waiting >= u.cfg.MaxWaiting {
		u.failWaiter(now, h, w, ErrTooMany)
		return
	}
	w.since = u.hunt.failedRounds
	u.waiting++
	r := u.request(h)
	if r != nil {
		r.waiters = append(r.waiters, w)
		u.send(now, r) // it may be at rest
		return
	}
	r = u.newRequest(h, w.items)
	r.waiters = []waiter{w}
	u.send(now, r)
}

// refresh asks only for the sake of the cache.
func (u *user) refresh(now time.Time, h protocol.PoolHandle) {
	if u.request(h) == nil && len(u.requests) < u.cfg.MaxWaiting {
		u.send(now, u.newRequest(h, 0))
	}
}

func (u *user) newRequest(h protocol.PoolHandle, items uint32) *request {
	r := &request{handle: h, items: u.cfg.Items}
	if items > 0 {
		r.items = max(items, u.cfg.Items, leastItems)
	}
	r.t1.Value = func(now time.Time) { u.t1Due(now, r) }
	u.requests = append(u.requests, r)
	return r
}

func (u *user) request(h protocol.PoolHandle) *request {
	i := slices.IndexFunc(u.requests, func(r *request) bool { return r.handle == h })
	if i < 0 {
		return nil
	}
	return u.requests[i]
}

func (u *user) forget(r *request) {
	u.timers.Stop(&r.t1)
	u.waiting -= len(r.waiters)
	r.waiters = nil
	u.requests = slices.DeleteFunc(u.requests, func(x *request) bool { return x == r })
}

// send sends a request at the home and starts T1 (NR3, NR4; ASAP-3.3-04), or
// leaves it until there is one (ASAP-3.3-01).
func (u *user) send(now time.Time, r *request) {
	home := u.hunt.homeAssoc()
	if home == 0 || r.sentTo == home {
		return
	}
	if r.moves++; r.moves > maxMoves {
		u.turnDown(now, r, ErrTimeout)
		return
	}
	r.sentTo = home
	u.transmit(now, r)
}

func (u *user) transmit(now time.Time, r *request) {
	u.timers.Set(&r.t1, now.Add(u.cfg.RequestTimeout))
	u.effects.add(Send{Assoc: r.sentTo, Message: asap.HandleResolution{
		Subscribe: u.cfg.Subscribe && u.inUse[r.handle] > 0,
		Handle:    r.handle,
		Items:     r.items,
	}})
}

// t1Due resends to the same registrar and hunts for another in parallel
// (ASAP-3.7-04), at most MAX-REQUEST-RETRANSMIT times (ASAP-3.7-05). After
// that, nobody better having turned up, the registrar is given up too: a home
// that does not answer has to be replaced (ASAP-3.6-09).
func (u *user) t1Due(now time.Time, r *request) {
	if r.sentTo == 0 {
		u.restDue(now, r)
		return
	}
	if r.resends >= u.cfg.MaxRetransmit {
		at := r.sentTo
		u.turnDown(now, r, ErrTimeout)
		u.hunt.dropHome(now, at)
		return
	}
	r.resends++
	u.hunt.suspectHome(now, r.sentTo)
	u.transmit(now, r)
}

// handleResolutionResponse takes an answer, a late duplicate of one, or an
// update (ASAP-3.3-06, ASAP-3.3-17). Only registrars are listened to.
func (u *user) handleResolutionResponse(now time.Time, from assoc.ID, m asap.HandleResolutionResponse) {
	r := u.request(m.Handle)
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
	if err := negative(m); err != nil {
		u.cache.remove(m.Handle)
		u.review(now, was, m)
		if r != nil {
			u.turnDown(now, r, err)
		}
		return
	}
	if r != nil {
		waiters = r.waiters
		u.forget(r)
	}
	e := u.store(now, from, m, asked)
	u.review(now, was, m)
	for _, w := range waiters {
		switch {
		case w.session != nil:
			u.choose(now, w.session, e)
		case e.enough(w.items):
			u.answer(now, w.token, e, w.items)
		default: // it joined a request that asked for fewer
			u.ask(now, m.Handle, w)
		}
	}
}

// negative returns why an answer is negative. Any cause makes it so, whatever
// its code (ASAP-2.2.6-06).
func negative(m asap.HandleResolutionResponse) error {
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

func (u *user) store(now time.Time, from assoc.ID, m asap.HandleResolutionResponse, asked uint32) *cachedPool {
	e := &cachedPool{handle: m.Handle, policy: protocol.RoundRobin, elements: m.Elements, asked: asked, at: now}
	if m.HasPolicy { // absent means Round Robin (ASAP-2.2.6-02)
		e.policy = m.Policy.Type
	}
	if m.UpdatesAccepted && u.cfg.Subscribe {
		e.subscribed = from
	}
	u.cache.put(e)
	return e
}

func (u *user) failWaiter(now time.Time, h protocol.PoolHandle, w waiter, err error) {
	if w.session != nil {
		u.searchFailed(now, w.session, err)
		return
	}
	u.effects.add(ResolveFailed{Token: w.token, Handle: h, Err: err})
}
