package endpoint

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
)

// phase is where an Element stands.
type phase uint8

const (
	idle       phase = iota // no PE
	waiting                 // wants to register, for which it needs a home
	delayed                 // will register at its home in a moment
	asked                   // registration sent, T2 runs
	registered              // T4 runs
	leaving                 // wants to deregister, for which it needs a home
	asking                  // deregistration sent, T3 runs
)

// defaultLife is the registration life of a PE that gives none.
const defaultLife protocol.Life = 300

// moveJitter spreads the re-registrations of the PEs that a registrar took
// over (ASAP-3.4-08); expiryPause is kept between a registration and the next
// one when a registrar lets it expire at once.
const (
	moveJitter  = time.Second
	expiryPause = time.Second
)

// element is the sub-state that is the PE role.
type element struct {
	cfg     *Config
	effects *effects
	hunt    *hunt
	timers  timers

	timer timer // T2, T3, T4 or a delay, by phase
	life  timer // when the registration ends unless renewed

	offered    protocol.Transport // what PUs were offered last
	strictHome assoc.ID           // the last home that took none but its association's addresses

	role
}

// role is what is known about one membership in a pool; the zero value is
// none.
type role struct {
	phase  phase
	handle protocol.PoolHandle
	want   protocol.Element // what to be registered with
	drawn  bool             // want.ID was not given by the user

	sent    protocol.Element // what the pendingRegister in flight says
	sentTo  assoc.ID
	everOut bool // a registrar may know us
	changed bool // want changed since

	granted   protocol.Element // what stands, if inService
	grantedAt assoc.ID
	grantTime time.Time
	inService bool // was granted, and the user has not ended it
	lost      bool // RegistrationLost was told

	attempts int  // that failed in a row
	awaited  bool // the user waits for an answer
	since    int  // number of failed hunt rounds when it began to
	begun    time.Time
	until    time.Time // before this it waits for a registrar that is not there yet
	next     *pendingRegister
	why      error // why there is no home
}

// pendingRegister is a Register that waits for a deregistration to end.
type pendingRegister struct {
	handle protocol.PoolHandle
	want   protocol.Element
	until  time.Time
}

func newElement(cfg *Config, h *hunt, out *effects) *element {
	e := &element{cfg: cfg, hunt: h, effects: out}
	e.timer.Value = e.timerDue
	e.life.Value = e.lifeDue
	return e
}

// needsHome says whether the element wants to have a home.
func (e *element) needsHome() bool { return e.phase != idle }

// moving says whether a registration at the home is still to be granted.
func (e *element) moving() bool {
	return e.phase == waiting || e.phase == delayed || e.phase == asked
}

// self returns the pool and the element as granted; ok is false while the
// endpoint is no PE.
func (e *element) self() (h protocol.PoolHandle, self protocol.Element, ok bool) {
	return e.handle, e.granted, e.inService
}

// isSelf says whether a PE is the endpoint itself.
func (e *element) isSelf(h protocol.PoolHandle, id protocol.PEID) bool {
	return e.inService && e.handle == h && e.granted.ID == id
}

// hasControl says whether the own registration offers a control channel
// (ASAP-5-06). A PU may be quicker than the registrar's answer to us, and stay
// when the registration ends: what counts is what was asked for last.
func (e *element) hasControl() bool {
	return e.offered.Protocol == protocol.SCTP && e.offered.Use == protocol.DataAndControl
}

// homeFound goes on at a new home. kind says how it was found.
func (e *element) homeFound(now time.Time, kind newsKind) {
	switch e.phase {
	case leaving, asking:
		e.sendDeregistration(now) // ASAP-3.2-05
	case registered, waiting, delayed:
		if kind == movedHome && e.inService {
			e.becomeDelayed(now, time.Duration(e.cfg.Rand.Int64N(int64(moveJitter))))
			return
		}
		e.sendRegistration(now) // ASAP-3.1-01, ASAP-3.1-10
	case asked:
		e.sendRegistration(now)
	}
}

// homeLost notes that the home is gone. What was sent there is not sent there
// again (ASAP-3.7-01) but built anew for the next home (ASAP-3.7-03).
func (e *element) homeLost(now time.Time) {
	switch e.phase {
	case asked:
		err := e.why // the hunt knows more, if it has failed meanwhile
		if err == nil {
			err = ErrTimeout
		}
		if !e.attemptFailed(err) {
			e.becomeWaiting()
		}
	case registered, delayed:
		e.becomeWaiting()
	case asking:
		e.deregAttemptFailed(now)
	}
}

// noHome notes that a hunt round failed.
func (e *element) noHome(now time.Time, err error) {
	e.why = err
	patience := e.cfg.HuntRounds
	if patience < 0 {
		if e.phase != leaving {
			return
		}
		patience = 1 // nobody waits for ever in order to leave
	}
	if !e.awaited || e.hunt.failedRounds-e.since < patience {
		return
	}
	switch e.phase {
	case waiting:
		e.patienceDue(now)
	case leaving:
		e.becomeIdle(now, err)
	}
}

// patienceDue ends the wait for a registrar that is not there yet, or tries
// everybody again: for the first time after the round that failed, then after
// pauses.
func (e *element) patienceDue(now time.Time) {
	if !now.Before(e.until) || noUseWaiting(e.why) {
		e.registerFailed(e.why)
		return
	}
	if e.timer.Armed() {
		return // another round has failed meanwhile
	}
	at := now.Add(pauseAfter(now.Sub(e.begun)))
	if e.until.Before(at) {
		at = e.until
	}
	e.timers.Set(&e.timer, at)
}

func (e *element) timerDue(now time.Time) {
	switch e.phase {
	case waiting:
		e.hunt.tryAllAgain(now)
		e.patienceDue(now)
	case asked:
		e.registerTimeoutDue(now)
	case registered: // T4
		e.attempts = 0
		e.sendRegistration(now)
	case delayed:
		e.sendRegistration(now)
	case asking:
		e.deregTimeoutDue(now)
	}
}

func (e *element) becomeWaiting() {
	e.phase = waiting
	e.timers.Stop(&e.timer)
}

func (e *element) becomeDelayed(now time.Time, d time.Duration) {
	e.phase = delayed
	e.timers.Set(&e.timer, now.Add(d))
}

// await notes that the user waits for the outcome of what begins now, and until
// when for a registrar that is not there yet.
func (e *element) await(now, until time.Time) {
	e.awaited, e.attempts = true, 0
	e.begun, e.until, e.why = now, until, nil
	if e.hunt.homeAssoc() == 0 {
		e.hunt.tryAllNow(now)
	}
	e.since = e.hunt.failedRounds
}
