package endpoint

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

func (e *element) becomeRegistered(now time.Time) {
	e.phase = phaseRegistered
	e.timers.Set(&e.phaseTimer, now.Add(reregisterAfter(e.granted.Life, e.cfg.Reregister)))
}

// reregisterAfter is T4: well before the life ends (ASAP-3.1-05, ASAP-3.1-14).
func reregisterAfter(life protocol.Life, limit time.Duration) time.Duration {
	d, ends := life.Duration()
	switch {
	case !ends:
		return limit
	case d < 30*time.Second:
		return min(d/3, limit)
	}
	return min(d-20*time.Second, limit)
}

// startLife sets the end of the registration that was granted, which a renewal
// moves.
func (e *element) startLife(now time.Time) {
	if d, ends := e.granted.Life.Duration(); ends {
		e.timers.Set(&e.life, now.Add(d))
	} else {
		e.timers.Stop(&e.life)
	}
}

// lifeOver tells that no registrar renewed the registration in time.
func (e *element) lifeOver(time.Time) {
	if e.phase == phaseLeaving || e.phase == phaseDeregistering {
		return
	}
	err := e.homeErr
	if err == nil || e.hunt.homeAssoc() != 0 {
		err = ErrTimeout
	}
	e.tellLost(err)
}

// registrationExpired registers again because of an unsolicited deregistration
// response: the life ended at the registrar, but the element is still in
// service (ASAP-3.2-13).
func (e *element) registrationExpired(now time.Time) {
	if e.phase != phaseRegistered {
		return // it registers again anyway
	}
	e.tellLost(ErrExpired)
	if pause := e.grantTime.Add(expiryPause).Sub(now); pause > 0 {
		e.becomeDelayed(now, pause)
		return
	}
	e.sendRegistration(now)
}

func (e *element) tellLost(err error) {
	if e.lossTold {
		return
	}
	e.lossTold = true
	e.effects.add(RegistrationLost{Handle: e.handle, Err: err})
}
