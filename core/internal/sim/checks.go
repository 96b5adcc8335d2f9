package sim

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/endpoint"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// Bounds say for how long something may not be as it should be. Some always
// hold. The others count from when the world became calm: every process that
// runs does its work and reaches every other one.
type Bounds struct {
	Serve    time.Duration // until a registrar that runs serves; always
	Missing  time.Duration // a PE at a registrar that both reach each other, and the same registrars; always
	Request  time.Duration // until a resolution or registration is answered or given up; always
	Outlive  time.Duration // of an entry whose PE is gone; always
	Stale    time.Duration // the same in calm
	Agree    time.Duration // until registrars agree who there is, and owned by whom, whatever is missing
	Values   time.Duration // until they agree on values, which no checksum covers: a renewal tells
	Peers    time.Duration // until registrars know all that run, and nobody else
	Home     time.Duration // until a PE that runs is registered, with one owner
	Session  time.Duration // until a session is served
	Resolves time.Duration // until no resolution or session fails
	Strict   bool          // none fails at any time
	Honest   bool          // no registrar ever denies a pool that has PEs
}

// checks looks at a world while it runs.
type checks struct {
	w         *World
	bounds    Bounds
	disturbed time.Time                    // the last fault
	ills      map[ill]time.Time            // what is not as it should be, since when
	seen      map[ill]bool                 // in the present sample
	worst     map[string]time.Duration     // how long that was at most
	good      map[[2]*Host]time.Time       // since when an endpoint could use a registrar
	asked     map[question]time.Time       // when a resolution began
	presences map[protocol.ServerID]uint16 // the newest checksum of a registrar
	views     []view
	owned     map[elementKey]protocol.ServerID // in calm: who owned a PE last
	known     map[knowledge]time.Time
}

// ill is something that is not as it should be. What it concerns is told by
// one or more of the fields.
type ill struct {
	what   string
	a, b   *Host
	handle protocol.PoolHandle
	id     uint64
}

// Watch checks the world once a second from now on.
func (w *World) Watch(b Bounds) {
	w.checks = &checks{
		w: w, bounds: b, disturbed: w.now,
		ills: map[ill]time.Time{}, seen: map[ill]bool{}, worst: map[string]time.Duration{}, good: map[[2]*Host]time.Time{},
		asked: map[question]time.Time{}, presences: map[protocol.ServerID]uint16{}, owned: map[elementKey]protocol.ServerID{},
	}
	w.look()
	w.after(time.Second, w.checks.due)
}

// Worst returns for how long each thing that is watched was not as it should
// be, at most.
func (w *World) Worst() map[string]time.Duration { return w.checks.worst }

func (c *checks) due() {
	c.sample()
	c.w.after(time.Second, c.due)
}

// note notes that something is not as it should be, and fails when it was so for
// longer than the bound. What is not noted in a sample is well.
func (c *checks) note(i ill, bound time.Duration, about string) {
	c.seen[i] = true
	since, known := c.ills[i]
	if !known {
		c.ills[i] = c.w.now
		return
	}
	d := c.w.now.Sub(since)
	c.worst[i.what] = max(c.worst[i.what], d)
	if d > bound {
		c.w.fail("for more than %v: %s: %s", bound, i.what, about)
	}
}

// look notes a fault, and who can use whom from now on.
func (w *World) look() {
	c := w.checks
	if c == nil {
		return
	}
	c.disturbed = w.now
	for _, h := range w.hosts {
		for _, r := range w.hosts {
			if h.endpoint() == nil || r.registrar() == nil {
				delete(c.good, [2]*Host{h, r})
				continue
			}
			key := [2]*Host{h, r}
			if _, known := c.good[key]; !w.reach(h, r) {
				delete(c.good, key)
			} else if !known {
				c.good[key] = w.now
			}
		}
	}
}

// reach says whether two processes do their work and can talk to each other.
func (w *World) reach(a, b *Host) bool { return a.well() && b.well() && w.connected(a, b) }

// registrar returns what runs on a host if that is a registrar.
func (h *Host) registrar() *registrarProgram {
	if h.proc == nil {
		return nil
	}
	r, _ := h.proc.program.(*registrarProgram)
	return r
}

// calm says whether no fault is at work, and was for some time.
func (c *checks) calm(d time.Duration) bool {
	for _, h := range c.w.hosts {
		if h.hung {
			return false
		}
	}
	return len(c.w.cuts) == 0 && c.w.now.Sub(c.disturbed) >= d
}

// sample looks at everything.
func (c *checks) sample() {
	c.views = c.views[:0]
	clear(c.seen)
	for _, h := range c.w.hosts {
		if r := h.registrar(); r != nil && h.well() {
			c.views = append(c.views, newView(h, r))
		}
	}
	c.noteKnowledge()
	c.checkServing()
	c.checkQueues()
	c.checkMissing()
	c.checkRemovals()
	c.checkGone()
	c.checkEndpoints()
	c.checkSessions()
	c.checkAgreement()
	if c.calm(0) {
		c.checkOwners()
		c.checkPeers()
	}
	maps.DeleteFunc(c.ills, func(i ill, _ time.Time) bool { return !c.seen[i] })
}

func (c *checks) checkServing() {
	for _, v := range c.views {
		r := v.host.registrar()
		switch {
		case !v.Serving:
			c.note(ill{what: "does not serve", a: v.host}, c.bounds.Serve, v.host.name)
		case r.serves.IsZero():
			r.serves = c.w.now
			c.checkBeginning(v, r)
		}
	}
}

// checkQueues: queues are bounded. What these bounds allow per host is more than
// is ever needed here, and less than a leak takes; in calm nothing waits for long.
func (c *checks) checkQueues() {
	for _, v := range c.views {
		elements := len(v.elements)
		for _, q := range []struct {
			what       string
			have, most int
		}{
			{"messages wait", v.Waiting, 20 + 4*len(c.w.hosts)},
			{"associations", v.Links, 10 + 4*len(c.w.hosts)},
			{"deadlines", v.Timers, 20 + 4*(elements+v.Links+len(v.Peers))},
			{"known registrars", len(v.Peers), 10 + 4*len(c.views)},
		} {
			if q.have > q.most {
				c.w.fail("%s: %d %s, not %d at most", v.host.name, q.have, q.what, q.most)
			}
		}
		if v.Waiting > 0 && c.calm(0) {
			c.note(ill{what: "messages wait", a: v.host}, c.bounds.Request, v.host.name)
		}
	}
}

// elements calls f for every PE that runs and wants to be one.
func (c *checks) elements(f func(*Host, *endpointProgram)) {
	for _, h := range c.w.hosts {
		if e := h.endpoint(); e != nil && e.role.Handle != "" && !e.leaving {
			f(h, e)
		}
	}
}

// checkMissing: no PE that is alive and reachable is missing.
func (c *checks) checkMissing() {
	c.elements(func(h *Host, e *endpointProgram) {
		for _, v := range c.views {
			_, known := v.elements[elementKey{e.role.Handle, e.element.ID}]
			if !known && v.Serving && c.comparable(h, v.host) {
				c.note(ill{what: "missing", a: h, b: v.host}, c.bounds.Missing, h.name+" at "+v.host.name)
			}
		}
	})
}

// comparable says whether a PE and a registrar reach each other and the same
// registrars.
func (c *checks) comparable(pe, r *Host) bool {
	if !c.w.reach(pe, r) {
		return false
	}
	for _, s := range c.w.hosts {
		if s != r && s.registrar() != nil && c.w.connected(pe, s) && !c.w.reach(r, s) {
			return false
		}
	}
	return true
}

// checkGone: nothing outlives its life.
func (c *checks) checkGone() {
	alive := map[elementKey]bool{}
	c.elements(func(_ *Host, e *endpointProgram) { alive[elementKey{e.role.Handle, e.element.ID}] = true })
	calm := c.calm(0)
	for _, v := range c.views {
		for key, e := range v.all() {
			if alive[key] {
				continue
			}
			i, about := ill{what: "outlives its PE", a: v.host, handle: key.handle, id: uint64(key.id)}, e.ID.String()+" at "+v.host.name
			c.note(i, c.bounds.Outlive, about)
			if calm {
				i.what = "outlives its PE in calm"
				c.note(i, c.bounds.Stale, about)
			}
		}
	}
}

// checkEndpoints: every request is answered or given up, and in calm
// everybody is registered and served.
func (c *checks) checkEndpoints() {
	calm := c.calm(0)
	for _, h := range c.w.hosts {
		e := h.endpoint()
		if e == nil || h.hung {
			continue
		}
		if e.asked {
			c.note(ill{what: "registration without outcome", a: h}, c.bounds.Request, h.name)
		}
		for _, t := range e.sortedTokens() {
			c.note(ill{what: "resolution without outcome", a: h, id: uint64(t)}, c.bounds.Request, h.name)
		}
		if calm && e.role.Handle != "" && !e.registered && !e.leaving {
			c.note(ill{what: "not registered", a: h}, c.bounds.Home, h.name)
		}
		if calm && e.role.Session != "" && !e.served && c.populated(e.role.Session, c.w.now) {
			c.note(ill{what: "not served", a: h}, c.bounds.Session, h.name)
		}
	}
}

func (e *endpointProgram) sortedTokens() []endpoint.Token {
	var out []endpoint.Token
	for t := range e.resolves { // any order: sorted below
		out = append(out, t)
	}
	slices.Sort(out)
	return out
}

// populated says whether a pool has PEs that run and were registered before a
// time, long enough for all registrars to have heard of them.
func (c *checks) populated(pool protocol.PoolHandle, before time.Time) (yes bool) {
	before = before.Add(-updateTime)
	c.elements(func(h *Host, e *endpointProgram) {
		yes = yes || e.role.Handle == pool && e.registered && e.since.Before(before) && h.well()
	})
	return yes
}

// updateTime is longer than an update takes in any of these networks.
const updateTime = time.Second

// left: a registrar that goes in peace hands its PEs over before, to others that
// do so, too, and have long been there. It was calm when it began.
func (w *World) left(r *registrarProgram) {
	c := w.checks
	if c == nil || !c.calm(leaving+10*time.Second) {
		return
	}
	heirs := 0
	for _, h := range w.hosts {
		o := h.registrar()
		if o == nil || o == r {
			continue
		}
		if !o.handsOver || !o.servedSince(w.now.Add(-10*time.Second)) {
			return
		}
		heirs++
	}
	if heirs == 0 || !r.handsOver {
		return
	}
	for key, e := range newView(r.host, r).all() {
		if e.Owned && e.Connected {
			w.fail("%s leaves and still owns %v of %s", r.host.name, e.ID, key.handle)
		}
	}
}

// presented notes what a registrar says it owns.
func (c *checks) presented(r *registrarProgram, p enrp.Presence) { c.presences[p.Sender] = p.Checksum }

// Rest fails for whatever is not as it should be by now: after a calm that was
// longer than all bounds, that is nothing. All registrars say of what they own
// what the others think of it.
func (w *World) Rest() {
	c := w.checks
	c.sample()
	w.checkPromises()
	w.checkRoom()
	var ills []ill
	for i := range c.ills { // any order: sorted below
		if i.what != "resolution without outcome" {
			ills = append(ills, i)
		}
	}
	slices.SortFunc(ills, func(a, b ill) int { return cmp.Or(cmp.Compare(a.what, b.what), cmp.Compare(a.a.name, b.a.name)) })
	for _, i := range ills {
		w.fail("at rest: %s (%s)", i.what, i.a.name)
	}
	for _, v := range c.views {
		for _, o := range c.views {
			if sum := v.checksum(o.Server); len(c.views) > 1 && sum != c.presences[o.Server] {
				w.fail("at rest: %s has checksum %#04x of %s, whose own is %#04x", v.host.name, sum, o.host.name, c.presences[o.Server])
			}
		}
	}
}
