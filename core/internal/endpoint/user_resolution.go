package endpoint

import (
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// resolution is one outstanding ASAP_HANDLE_RESOLUTION. There is at most one
// per pool, so that answers are matched by handle (ASAP-3.3-17).
type resolution struct {
	handle       protocol.PoolHandle
	items        uint32   // how many PEs it asks for; 0: the registrar decides
	waiters      []waiter // none: it only refreshes the cache
	sentTo       assoc.ID // 0 while there is no home
	resends      int
	homesAsked   int       // how often it was sent to a new home
	nothingSince time.Time // when it was first in vain for those who wait on
	t1           timer
}

// maxHomesAsked ends a request that was sent to one short-lived registrar after
// another.
const maxHomesAsked = 10

// leastItems are asked for even if fewer PEs are wanted: the cache then has
// others when these fail, and shares later Resolve events out as the policy
// says.
const leastItems = 32

// resolve finds PEs of a pool, from the cache if it is young enough and has as many as
// are wanted: then nothing is sent (ASAP-3.3-10, ASAP-6.9.1-01).
func (u *user) resolve(now time.Time, r Resolve) {
	if e := u.freshWithin(now, r.Handle, r.MaxAge); e != nil && e.hasEnough(r.Items) {
		u.answer(now, r.Token, e, r.Items)
	} else if !r.Cached {
		u.ask(now, r.Handle, waiter{token: r.Token, items: r.Items, until: until(now, r.Wait)})
	}
}

func (u *user) answer(now time.Time, t Token, e *cachedPool, items uint32) {
	u.effects.add(Resolved{Token: t, Handle: e.handle, Policy: e.policy, Elements: u.ordered(now, e, items)})
}

// cancelResolve withdraws a Resolve.
func (u *user) cancelResolve(t Token) {
	u.withdrawWaiters(func(w waiter) bool { return w.session == nil && w.token == t })
}

// ask makes a waiter wait for a registrar's answer (NR1, NR2).
func (u *user) ask(now time.Time, h protocol.PoolHandle, w waiter) {
	u.hunt.tryAllNow(now)
	u.addWaiter(now, h, w)
}

// refresh asks for what nobody waits for, so that the cache is up to date.
func (u *user) refresh(now time.Time, h protocol.PoolHandle) {
	if u.resolutionOf(h) == nil && len(u.resolutions) < u.cfg.MaxWaiting {
		u.sendResolution(now, u.newResolution(h, 0))
	}
}

func (u *user) newResolution(h protocol.PoolHandle, items uint32) *resolution {
	r := &resolution{handle: h, items: u.cfg.Items}
	if items > 0 {
		r.items = max(items, u.cfg.Items, leastItems)
	}
	r.t1.Value = func(now time.Time) { u.t1Due(now, r) }
	u.resolutions = append(u.resolutions, r)
	return r
}

func (u *user) resolutionOf(h protocol.PoolHandle) *resolution {
	i := slices.IndexFunc(u.resolutions, func(r *resolution) bool { return r.handle == h })
	if i < 0 {
		return nil
	}
	return u.resolutions[i]
}

func (u *user) forgetResolution(r *resolution) {
	u.timers.Stop(&r.t1)
	u.waiting -= len(r.waiters)
	r.waiters = nil
	u.resolutions = slices.DeleteFunc(u.resolutions, func(x *resolution) bool { return x == r })
}

// sendResolution sends a request to the home and starts T1 (NR3, NR4;
// ASAP-3.3-04), or leaves it until there is a home (ASAP-3.3-01).
func (u *user) sendResolution(now time.Time, r *resolution) {
	home := u.hunt.homeAssoc()
	if home == 0 || r.sentTo == home {
		return
	}
	if r.homesAsked++; r.homesAsked > maxHomesAsked {
		u.resolutionFailed(now, r, ErrTimeout)
		return
	}
	r.sentTo = home
	u.transmit(now, r)
}

func (u *user) transmit(now time.Time, r *resolution) {
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
func (u *user) t1Due(now time.Time, r *resolution) {
	if r.sentTo == 0 {
		u.pauseDue(now, r)
		return
	}
	if r.resends >= u.cfg.MaxRetransmit {
		at := r.sentTo
		u.resolutionFailed(now, r, ErrTimeout)
		u.hunt.dropHome(now, at)
		return
	}
	r.resends++
	u.hunt.suspectHome(now, r.sentTo)
	u.transmit(now, r)
}
