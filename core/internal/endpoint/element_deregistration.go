package endpoint

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// deregister ends the PE role (ASAP-3.2-01).
func (e *element) deregister(now time.Time) {
	switch {
	case e.phase == phaseIdle:
		e.effects.add(Deregistered{Err: ErrNotRegistered})
		return
	case e.phase == phaseLeaving || e.phase == phaseDeregistering:
		e.nextRegister = nil
		return // one answer is on its way
	case !e.maybeKnown:
		e.becomeIdle(now, nil) // nobody knows of it
		return
	}
	e.beginWait(now, now)
	if e.hunt.homeAssoc() != 0 {
		e.sendDeregistration(now)
		return
	}
	e.becomeLeaving()
}

func (e *element) becomeLeaving() {
	e.phase = phaseLeaving
	e.timers.Stop(&e.phaseTimer)
}

// sendDeregistration is D1 to D4: same handle and identifier, at the home, and
// T3 starts (ASAP-3.2-02, ASAP-3.2-03, ASAP-3.2-04).
func (e *element) sendDeregistration(now time.Time) {
	e.phase, e.sentTo = phaseDeregistering, e.hunt.homeAssoc()
	e.timers.Set(&e.phaseTimer, now.Add(e.cfg.DeregTimeout))
	e.effects.add(Send{Assoc: e.sentTo, Message: asap.Deregistration{Handle: e.handle, ID: e.want.ID}})
}

// handleDeregistrationResponse ends T3 (ASAP-3.2-06). One that nobody asked for
// says that the registration expired (ASAP-3.2-13).
func (e *element) handleDeregistrationResponse(now time.Time, from assoc.ID, m asap.DeregistrationResponse) {
	if e.phase == phaseIdle || m.Handle != e.handle || m.ID != e.want.ID {
		return
	}
	switch {
	case e.phase == phaseDeregistering && from == e.sentTo:
		var err error
		if len(m.Causes) > 0 { // there is no R flag (ASAP-2.2.4-02)
			err = &RejectedError{Handle: e.handle, Causes: m.Causes}
		}
		e.becomeIdle(now, err)
	case e.inService && len(m.Causes) == 0 && from == e.grantedAt && e.phase != phaseLeaving && e.phase != phaseDeregistering:
		e.registrationExpired(now)
	}
}

// deregTimeoutDue is T3: hunt, then do it again at the new home (ASAP-3.2-05).
func (e *element) deregTimeoutDue(now time.Time) {
	at := e.sentTo
	e.deregAttemptFailed(now)
	e.hunt.dropHome(now, at)
}

func (e *element) deregAttemptFailed(now time.Time) {
	if e.attempts++; e.attempts > e.cfg.MaxRegAttempt {
		e.becomeIdle(now, ErrTimeout)
		return
	}
	e.becomeLeaving()
}

// becomeIdle ends the PE role and begins the next, if one waits.
func (e *element) becomeIdle(now time.Time, err error) {
	h, next := e.handle, e.nextRegister
	e.reset()
	e.effects.add(Deregistered{Handle: h, Err: err})
	if next != nil {
		e.register(now, next.handle, next.want, next.until)
	}
}

// reset forgets everything about the PE role.
func (e *element) reset() {
	e.timers.Stop(&e.phaseTimer)
	e.timers.Stop(&e.life)
	e.membership = membership{}
}
