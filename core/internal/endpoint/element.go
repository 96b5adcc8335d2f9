package endpoint

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// registrationPhase is how far a registration or deregistration has come.
type registrationPhase uint8

const (
	phaseIdle          registrationPhase = iota // the endpoint is no PE
	phaseWaiting                                // wants to register, for which it needs a home
	phaseDelayed                                // will register at its home in a moment
	phaseRegistering                            // registration sent, T2 runs
	phaseRegistered                             // registration granted, T4 runs
	phaseLeaving                                // wants to deregister, for which it needs a home
	phaseDeregistering                          // deregistration sent, T3 runs
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

	phaseTimer timer // T2, T3, T4 or a delay, by phase
	life       timer // when the registration ends unless renewed

	offered    protocol.Transport // what PUs were offered last
	strictHome assoc.ID           // the last home that took none but its association's addresses

	membership
}

// membership is what is known of the membership in a pool; the zero value is
// none.
type membership struct {
	phase   registrationPhase
	handle  protocol.PoolHandle
	want    protocol.Element // what to be registered with
	idDrawn bool             // want.ID was not given by the application

	requested   protocol.Element // what the registration in flight says
	sentTo      assoc.ID
	maybeKnown  bool // a registrar may have us in its handlespace
	wantChanged bool // want changed after it was sent

	granted   protocol.Element // what is registered, if inService
	grantedAt assoc.ID
	grantTime time.Time
	inService bool // was granted, and the application has not ended it
	lossTold  bool // RegistrationLost was told

	attempts     int              // that failed in a row
	answerDue    bool             // the application waits for an answer
	roundsBefore int              // failed hunt rounds when that began
	waitBegan    time.Time        // when that began
	waitUntil    time.Time        // before this it waits for a registrar that is not there yet
	homeErr      error            // why there is no home
	nextRegister *pendingRegister // after deregistration
}

// pendingRegister is a Register that waits for a deregistration to end.
type pendingRegister struct {
	handle protocol.PoolHandle
	want   protocol.Element
	until  time.Time
}

func newElement(cfg *Config, h *hunt, out *effects) *element {
	e := &element{cfg: cfg, hunt: h, effects: out}
	e.phaseTimer.Value = e.phaseTimerDue
	e.life.Value = e.lifeOver
	return e
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

func (e *element) phaseTimerDue(now time.Time) {
	switch e.phase {
	case phaseWaiting:
		e.hunt.tryAllAgain(now)
		e.waitOrFail(now)
	case phaseRegistering:
		e.registerTimeoutDue(now)
	case phaseRegistered: // the registration is to be renewed (T4)
		e.attempts = 0
		e.sendRegistration(now)
	case phaseDelayed:
		e.sendRegistration(now)
	case phaseDeregistering:
		e.deregTimeoutDue(now)
	}
}

func (e *element) becomeWaiting() {
	e.phase = phaseWaiting
	e.timers.Stop(&e.phaseTimer)
}

func (e *element) becomeDelayed(now time.Time, d time.Duration) {
	e.phase = phaseDelayed
	e.timers.Set(&e.phaseTimer, now.Add(d))
}

// handleError treats an ASAP_ERROR as the refusal of the only request that is
// outstanding at its sender (ASAP-2.2.14-02).
func (e *element) handleError(now time.Time, m asap.Error) {
	err := &RejectedError{Handle: e.handle, Causes: m.Causes}
	switch e.phase {
	case phaseRegistering:
		e.registrationRejected(now, err)
	case phaseDeregistering:
		e.becomeIdle(now, err)
	}
}

// outstanding returns how many requests an association owes an answer to.
func (e *element) outstanding(at assoc.ID) int {
	if (e.phase == phaseRegistering || e.phase == phaseDeregistering) && e.sentTo == at {
		return 1
	}
	return 0
}
