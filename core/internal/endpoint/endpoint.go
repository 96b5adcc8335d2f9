// Package endpoint is the pure machine of one ASAP endpoint: one SCTP endpoint
// that is a pool element, a pool user, or both (RFC 5352). Events and the time
// go in, effects and the next deadline come out. Application data never enters
// it: the owner keeps it, the machine says which PE serves a session.
//
// It is composed of three plain sub-states: hunt.Hunt keeps the one home
// registrar that both roles share, element.Element is the PE role, user.User
// the PU role.
package endpoint

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/element"
	"github.com/librserpool/librserpool/core/internal/hunt"
	"github.com/librserpool/librserpool/core/internal/user"
)

// Endpoint is the machine. It is not safe for concurrent use.
type Endpoint struct {
	hunt    *hunt.Hunt
	element *element.Element
	user    *user.User
	out     *outbox
}

// New returns an endpoint that is neither PE nor PU yet.
func New(cfg Config) *Endpoint {
	cfg = cfg.withDefaults()
	m := &Endpoint{out: &outbox{}}
	m.hunt = hunt.New(cfg.hunt(), m.out)
	m.element = element.New(cfg.element(), m.hunt, m.out)
	m.user = user.New(cfg.user(), m.hunt, m.out)
	m.out.card, m.out.self = m.sendBusinessCard, m.element.Self
	for _, addrs := range cfg.Registrars {
		m.hunt.Add(addrs)
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
		m.hunt.Advance(now)
		m.settle(now)
		m.element.Advance(now)
		m.user.Advance(now)
		m.settle(now)
	}
}

// Next returns the earliest deadline: Advance is to be called then.
func (m *Endpoint) Next() (at time.Time, ok bool) {
	for _, next := range []func() (time.Time, bool){m.hunt.Next, m.element.Next, m.user.Next} {
		if t, set := next(); set && (!ok || t.Before(at)) {
			at, ok = t, true
		}
	}
	return at, ok
}

// Drain returns the effects since the last call, in order.
func (m *Endpoint) Drain() []Effect {
	effects := m.out.effects
	m.out.effects = nil
	return effects
}

// settle tells the roles what became of the home, and the hunt whether they
// need one, until nothing changes any more. It ends: a round that is over
// begins again only when time passes.
func (m *Endpoint) settle(now time.Time) {
	for o, more := m.outcome(now); more; o, more = m.outcome(now) {
		m.handleOutcome(now, o)
	}
	if !m.element.Moving() {
		m.hunt.ReleaseFormer()
	}
}

// outcome returns the next news of the hunt; only when there are none it is
// told again whether it is needed.
func (m *Endpoint) outcome(now time.Time) (hunt.Outcome, bool) {
	if o, more := m.hunt.Take(); more {
		return o, true
	}
	m.hunt.Want(now, m.element.NeedsHome() || m.user.NeedsHome())
	return m.hunt.Take()
}

func (m *Endpoint) handleOutcome(now time.Time, o hunt.Outcome) {
	switch o.Kind {
	case hunt.Found, hunt.Moved:
		home := m.hunt.Home()
		_, addrs := m.hunt.Peer(home)
		m.out.add(HomeFound{Assoc: home, Addrs: addrs})
		m.element.HomeFound(now, o.Kind)
		m.user.HomeFound(now)
	case hunt.Restarted:
		m.user.HomeLost(now)
		m.element.HomeFound(now, o.Kind)
		m.user.HomeFound(now)
	case hunt.Lost:
		m.out.add(HomeLost{Err: o.Err})
		m.element.HomeLost(now)
		m.user.HomeLost(now)
	case hunt.RoundOver:
		m.out.log(Debug, o.Err.Error())
		m.element.NoHome(now, o.Err)
		m.user.NoHome(now, o.Err)
	}
}
