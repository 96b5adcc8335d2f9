package element

import (
	"math/rand/v2"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/hunt"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/timerq"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// Config is what an Element needs to know. All fields are set.
type Config struct {
	Rand            *rand.Rand
	RegisterTimeout time.Duration // T2-registration
	DeregTimeout    time.Duration // T3-deregistration
	Reregister      time.Duration // T4-reregistration, upper limit
	MaxRegAttempt   int           // MAX-REG-ATTEMPT
	HuntRounds      int           // failed rounds a user waits for; negative: any number
}

// Out takes the effects of an Element. They are those of package endpoint that
// have the same names.
type Out interface {
	Send(to assoc.ID, m asap.Message)
	Registered(h protocol.PoolHandle, e protocol.Element, warnings []protocol.Cause)
	RegistrationFailed(h protocol.PoolHandle, err error, stillRegistered bool)
	RegistrationLost(h protocol.PoolHandle, err error)
	Deregistered(h protocol.PoolHandle, err error)
}

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

// DefaultLife is the registration life of a PE that gives none.
const DefaultLife protocol.Life = 300

// moveJitter spreads the re-registrations of the PEs that a registrar took
// over (ASAP-3.4-08); expiryPause is kept between a registration and the next
// one when a registrar lets it expire at once.
const (
	moveJitter  = time.Second
	expiryPause = time.Second
)

// Element is the sub-state.
type Element struct {
	cfg    Config
	out    Out
	hunt   *hunt.Hunt
	timers timerq.Queue[func(time.Time)]

	timer timerq.Timer[func(time.Time)] // T2, T3, T4 or a delay, by phase
	life  timerq.Timer[func(time.Time)] // when the registration ends unless renewed

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

	sent    protocol.Element // what the request in flight says
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
	next     *request
	why      error // why there is no home
}

// request is a Register that waits for a deregistration to end.
type request struct {
	handle protocol.PoolHandle
	want   protocol.Element
	until  time.Time
}

// New returns an Element that is no PE yet.
func New(cfg Config, h *hunt.Hunt, out Out) *Element {
	e := &Element{cfg: cfg, hunt: h, out: out}
	e.timer.Value = e.timerDue
	e.life.Value = e.lifeDue
	return e
}

// Next returns the earliest deadline.
func (e *Element) Next() (time.Time, bool) { return e.timers.Next() }

// Advance lets deadlines pass.
func (e *Element) Advance(now time.Time) {
	for t := e.timers.Due(now); t != nil; t = e.timers.Due(now) {
		t.Value(now)
	}
}

// NeedsHome says whether the element wants to have a home.
func (e *Element) NeedsHome() bool { return e.phase != idle }

// Moving says whether a registration at the home is still to be granted.
func (e *Element) Moving() bool {
	return e.phase == waiting || e.phase == delayed || e.phase == asked
}

// Self returns the pool and the element as granted; ok is false while the
// endpoint is no PE.
func (e *Element) Self() (h protocol.PoolHandle, self protocol.Element, ok bool) {
	return e.handle, e.granted, e.inService
}

// Offered returns the user transport that Register asked for last, whatever
// became of it: its addresses may still be open.
func (e *Element) Offered() protocol.Transport { return e.offered }

// HomeFound goes on at a new home. kind says how it was found.
func (e *Element) HomeFound(now time.Time, kind hunt.Kind) {
	switch e.phase {
	case leaving, asking:
		e.sendDeregistration(now) // ASAP-3.2-05
	case registered, waiting, delayed:
		if kind == hunt.Moved && e.inService {
			e.becomeDelayed(now, time.Duration(e.cfg.Rand.Int64N(int64(moveJitter))))
			return
		}
		e.sendRegistration(now) // ASAP-3.1-01, ASAP-3.1-10
	case asked:
		e.sendRegistration(now)
	}
}

// HomeLost notes that the home is gone. What was sent there is not sent there
// again (ASAP-3.7-01) but built anew for the next home (ASAP-3.7-03).
func (e *Element) HomeLost(now time.Time) {
	switch e.phase {
	case asked:
		err := e.why // the hunt knows more, if it has failed meanwhile
		if err == nil {
			err = hunt.ErrTimeout
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

// NoHome notes that a hunt round failed.
func (e *Element) NoHome(now time.Time, err error) {
	e.why = err
	patience := e.cfg.HuntRounds
	if patience < 0 {
		if e.phase != leaving {
			return
		}
		patience = 1 // nobody waits for ever in order to leave
	}
	if !e.awaited || e.hunt.Rounds()-e.since < patience {
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
func (e *Element) patienceDue(now time.Time) {
	if !now.Before(e.until) || hunt.Final(e.why) {
		e.registerFailed(e.why)
		return
	}
	if e.timer.Armed() {
		return // another round has failed meanwhile
	}
	at := now.Add(hunt.Pause(now.Sub(e.begun)))
	if e.until.Before(at) {
		at = e.until
	}
	e.timers.Set(&e.timer, at)
}

func (e *Element) timerDue(now time.Time) {
	switch e.phase {
	case waiting:
		e.hunt.Again(now)
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

func (e *Element) becomeWaiting() {
	e.phase = waiting
	e.timers.Stop(&e.timer)
}

func (e *Element) becomeDelayed(now time.Time, d time.Duration) {
	e.phase = delayed
	e.timers.Set(&e.timer, now.Add(d))
}

// await notes that the user waits for the outcome of what begins now, and until
// when for a registrar that is not there yet.
func (e *Element) await(now, until time.Time) {
	e.awaited, e.attempts = true, 0
	e.begun, e.until, e.why = now, until, nil
	if e.hunt.Home() == 0 {
		e.hunt.Kick(now)
	}
	e.since = e.hunt.Rounds()
}
