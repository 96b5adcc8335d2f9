// Package endpoint is the pure machine of one ASAP endpoint: one SCTP endpoint
// that is a pool element, a pool user, or both (RFC 5352). Events and the time
// go in, effects and the next deadline come out. Application data never enters
// it: the owner keeps it, the machine says which PE serves a session.
//
// It is composed of three sub-states, which share one clock, one Config and one
// list of effects:
//
//   - hunt (RFC 5352 section 3.6) knows the registrars, hunts for one and keeps
//     the association with it. An endpoint has one home registrar, whatever its
//     roles: it can have only one association with it.
//   - element is the PE role (sections 3.1, 3.2 and 3.4): registration,
//     re-registration, deregistration and keep-alives.
//   - user is the PU role (sections 3.3, 3.5, 3.8 and 3.9): handle resolution
//     with a cache, selection of PEs, and the failover of sessions.
//
// The roles ask hunt for a home and for help in finding one. What becomes of
// the home they learn from Endpoint, which takes the news from hunt; user asks
// element who the endpoint is itself. Nothing points the other way.
package endpoint

import "time"

// Endpoint is the machine. It is not safe for concurrent use.
type Endpoint struct {
	hunt    *hunt
	element *element
	user    *user
	effects *effects
}

// New returns an endpoint that is neither PE nor PU yet.
func New(cfg Config) *Endpoint {
	resolved, out := cfg.withDefaults(), &effects{}
	m := &Endpoint{effects: out}
	m.hunt = newHunt(resolved, out)
	m.element = newElement(resolved, m.hunt, out)
	m.user = newUser(resolved, m.hunt, m.element, out)
	for _, addrs := range cfg.Registrars {
		m.hunt.add(addrs)
	}
	return m
}

// Step takes one event.
func (m *Endpoint) Step(now time.Time, event Event) {
	m.handle(now, event)
	m.settle(now)
}

// Advance lets the deadlines up to now pass.
func (m *Endpoint) Advance(now time.Time) {
	for at, ok := m.Next(); ok && !at.After(now); at, ok = m.Next() {
		m.hunt.timers.advance(now)
		m.settle(now)
		m.element.timers.advance(now)
		m.user.timers.advance(now)
		m.settle(now)
	}
}

// Next returns the earliest deadline: Advance is to be called then.
func (m *Endpoint) Next() (at time.Time, ok bool) {
	for _, t := range []*timers{&m.hunt.timers, &m.element.timers, &m.user.timers} {
		if next, set := t.Next(); set && (!ok || next.Before(at)) {
			at, ok = next, true
		}
	}
	return at, ok
}

// Drain returns the effects since the last call, in order.
func (m *Endpoint) Drain() []Effect {
	list := m.effects.list
	m.effects.list = nil
	return list
}

// settle tells the roles what became of the home, and the hunt whether they
// need one, until nothing changes any more. It ends: a round that is over
// begins again only when time passes.
func (m *Endpoint) settle(now time.Time) {
	for news, more := m.nextNews(now); more; news, more = m.nextNews(now) {
		m.handleNews(now, news)
	}
	if !m.element.registrationPending() {
		m.hunt.releaseFormerHome()
	}
}

// nextNews returns the next news of the hunt; only when there are none it is
// told again whether it is needed.
func (m *Endpoint) nextNews(now time.Time) (homeNews, bool) {
	if news, more := m.hunt.takeNews(); more {
		return news, true
	}
	m.hunt.want(now, m.element.needsHome() || m.user.needsHome())
	return m.hunt.takeNews()
}

func (m *Endpoint) handleNews(now time.Time, news homeNews) {
	switch news.kind {
	case foundHome, movedHome:
		home := m.hunt.homeAssoc()
		m.effects.add(HomeFound{Assoc: home, Addrs: m.hunt.addrs(home).remote})
		m.element.homeFound(now, news.kind)
		m.user.homeFound(now)
	case restartedHome:
		m.user.homeLost(now)
		m.element.homeFound(now, news.kind)
		m.user.homeFound(now)
	case lostHome:
		m.effects.add(HomeLost{Err: news.err})
		m.element.homeLost(now)
		m.user.homeLost(now)
	case failedRound:
		m.effects.log(Debug, news.err.Error())
		m.element.huntRoundFailed(now, news.err)
		m.user.huntRoundFailed(now, news.err)
	}
}
