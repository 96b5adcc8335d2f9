package endpoint

import (
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/policy"
	"github.com/librserpool/librserpool/core/internal/protocol"
)

// maxCached bounds the number of pools in the cache; the oldest answer goes
// first.
const maxCached = 1024

// cache holds the answers of registrars (ASAP-3.3-07).
type cache struct {
	pools map[protocol.PoolHandle]*cachedPool
	order []*cachedPool // oldest first
}

// cachedPool is what is known of one pool. elements is never changed in place:
// it was handed out.
type cachedPool struct {
	handle     protocol.PoolHandle
	policy     protocol.PolicyType // the pool's own (ASAP-2.2.6-03)
	elements   []protocol.Element
	asked      uint32 // how many were asked for; 0: the registrar decided
	dropped    []bool // elements that failed since
	chooser    *policy.Chooser
	at         time.Time // when a registrar said so
	subscribed assoc.ID  // the home that sends updates; 0 = none
}

// subscriptionLost stands for the home that sent updates and is gone.
const subscriptionLost = ^assoc.ID(0)

func (c *cache) get(h protocol.PoolHandle) *cachedPool { return c.pools[h] }

// put replaces what is known of a pool.
func (c *cache) put(e *cachedPool) {
	e.dropped = make([]bool, len(e.elements))
	e.chooser = policy.NewChooser(e.policy, e.elements, isComplete(len(e.elements), e.asked))
	c.remove(e.handle)
	if len(c.order) >= maxCached {
		c.remove(c.order[0].handle)
	}
	c.pools[e.handle] = e
	c.order = append(c.order, e)
}

func (c *cache) remove(h protocol.PoolHandle) {
	e := c.pools[h]
	if e == nil {
		return
	}
	delete(c.pools, h)
	i := slices.Index(c.order, e)
	c.order = slices.Delete(c.order, i, i+1)
}

// drop takes a PE that failed out of the cache at once. A pool without any
// other is resolved anew (ASAP-3.3-18).
func (c *cache) drop(h protocol.PoolHandle, id protocol.PEID) {
	e := c.pools[h]
	if e == nil {
		return
	}
	for i := range e.elements {
		if e.elements[i].ID == id {
			e.dropped[i] = true
		}
	}
	if !slices.Contains(e.dropped, false) {
		c.remove(h)
	}
}

// renew takes over what a PE says of itself. Its home and its life are the
// registrar's to say.
func (c *cache) renew(h protocol.PoolHandle, pe protocol.Element) {
	e := c.pools[h]
	if e == nil {
		return
	}
	i := slices.IndexFunc(e.elements, func(el protocol.Element) bool { return el.ID == pe.ID })
	if i < 0 || pe.User.Protocol != e.elements[i].User.Protocol || pe.Policy.Type != e.elements[i].Policy.Type {
		return
	}
	e.elements = slices.Clone(e.elements)
	if e.elements[i].Policy != pe.Policy {
		e.chooser.Update(i, pe.Policy)
	}
	e.elements[i].User, e.elements[i].Policy = pe.User, pe.Policy
}

// remaining returns the elements that were not dropped.
func (e *cachedPool) remaining() []protocol.Element {
	if !slices.Contains(e.dropped, true) {
		return e.elements
	}
	var out []protocol.Element
	for i, el := range e.elements {
		if !e.dropped[i] {
			out = append(out, el)
		}
	}
	return out
}

// isComplete says whether an answer of so many PEs lists the whole pool, asked
// (0: no number) being how many were wanted: registrars cut longer ones off
// (E-07).
func isComplete(elements int, asked uint32) bool {
	if asked == 0 || asked > protocol.ResponseItems {
		asked = protocol.ResponseItems
	}
	return elements < int(asked)
}

// hasEnough says whether the answer lists items elements, or all that there
// are.
func (e *cachedPool) hasEnough(items uint32) bool {
	return e.asked >= items || len(e.remaining()) >= int(items)
}

// fresh returns what is known of a pool unless it is stale: older than
// stale_cache_value (ASAP-3.3-08).
func (u *user) fresh(now time.Time, h protocol.PoolHandle) *cachedPool {
	return u.freshWithin(now, h, 0)
}

// freshWithin returns what is known of a pool unless it is older than maxAge
// (0: stale_cache_value), except that the home tells of changes. A stale answer
// is not used; a new one is waited for (ASAP-3.3-09).
func (u *user) freshWithin(now time.Time, h protocol.PoolHandle, maxAge time.Duration) *cachedPool {
	if maxAge == 0 {
		maxAge = u.cfg.StaleCache
	}
	e := u.cache.get(h)
	switch {
	case e == nil || u.cfg.StaleCache < 0 || maxAge < 0:
		return nil
	case e.subscribed != 0 && e.subscribed == u.hunt.homeAssoc():
		return e
	case now.Sub(e.at) >= maxAge:
		return nil
	}
	return e
}

// purge drops what the cache knows of a pool (ASAP-6.4-01).
func (u *user) purge(h protocol.PoolHandle) { u.cache.remove(h) }

// known returns the PEs that the cache lists for a pool, whatever their age.
func (u *user) known(h protocol.PoolHandle) []protocol.Element {
	if e := u.cache.get(h); e != nil {
		return e.remaining()
	}
	return nil
}
