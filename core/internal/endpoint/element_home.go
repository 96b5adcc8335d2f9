package endpoint

import "time"

// needsHome says whether the element wants to have a home.
func (e *element) needsHome() bool { return e.phase != phaseIdle }

// registrationPending says whether a registration at the home is still to be
// granted.
func (e *element) registrationPending() bool {
	return e.phase == phaseWaiting || e.phase == phaseDelayed || e.phase == phaseRegistering
}

// homeFound goes on at a new home. kind says how it was found.
func (e *element) homeFound(now time.Time, kind newsKind) {
	switch e.phase {
	case phaseLeaving, phaseDeregistering:
		e.sendDeregistration(now) // which the last home did not confirm (ASAP-3.2-05)
	case phaseRegistered, phaseWaiting, phaseDelayed:
		if kind == movedHome && e.inService {
			e.becomeDelayed(now, time.Duration(e.cfg.Rand.Int64N(int64(moveJitter))))
			return
		}
		e.sendRegistration(now) // which has to wait for a home (ASAP-3.1-01, ASAP-3.1-10)
	case phaseRegistering:
		e.sendRegistration(now)
	}
}

// homeLost notes that the home is gone. What was sent there is not sent there
// again (ASAP-3.7-01) but built anew for the next home (ASAP-3.7-03).
func (e *element) homeLost(now time.Time) {
	switch e.phase {
	case phaseRegistering:
		err := e.homeErr // the hunt knows more, if it has failed meanwhile
		if err == nil {
			err = ErrTimeout
		}
		if !e.attemptFailed(err) {
			e.becomeWaiting()
		}
	case phaseRegistered, phaseDelayed:
		e.becomeWaiting()
	case phaseDeregistering:
		e.deregAttemptFailed(now)
	}
}

// huntRoundFailed notes that a hunt round failed.
func (e *element) huntRoundFailed(now time.Time, err error) {
	e.homeErr = err
	patience := e.cfg.HuntRounds
	if patience < 0 {
		if e.phase != phaseLeaving {
			return
		}
		patience = 1 // nobody waits for ever in order to leave
	}
	if !e.answerDue || e.hunt.failedRounds-e.roundsBefore < patience {
		return
	}
	switch e.phase {
	case phaseWaiting:
		e.waitOrFail(now)
	case phaseLeaving:
		e.becomeIdle(now, err)
	}
}

// waitOrFail goes on waiting for a registrar that is not there yet, until the
// next attempt, or tells the application that there is none. It is called after
// every round that failed for the application and after every pause.
func (e *element) waitOrFail(now time.Time) {
	if !now.Before(e.waitUntil) || noUseWaiting(e.homeErr) {
		e.registerFailed(e.homeErr)
		return
	}
	if e.phaseTimer.Armed() {
		return // another round has failed meanwhile
	}
	at := now.Add(pauseAfter(now.Sub(e.waitBegan)))
	if e.waitUntil.Before(at) {
		at = e.waitUntil
	}
	e.timers.Set(&e.phaseTimer, at)
}

// beginWait notes that the application waits for the outcome of what begins
// now, and until when for a registrar that is not there yet.
func (e *element) beginWait(now, until time.Time) {
	e.answerDue, e.attempts = true, 0
	e.waitBegan, e.waitUntil, e.homeErr = now, until, nil
	if e.hunt.homeAssoc() == 0 {
		e.hunt.tryAllNow(now)
	}
	e.roundsBefore = e.hunt.failedRounds
}
