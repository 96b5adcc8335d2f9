package endpoint

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// register makes the endpoint a PE, or changes what it is registered with. For
// a registrar that is not there yet it waits until a time.
func (e *element) register(now time.Time, h protocol.PoolHandle, want protocol.Element, until time.Time) {
	switch {
	case e.phase == phaseLeaving || e.phase == phaseDeregistering:
		e.nextRegister = &pendingRegister{h, want, until}
		return
	case e.phase == phaseIdle:
		e.handle, e.idDrawn = h, want.ID == 0
		if e.idDrawn {
			want.ID = e.drawID()
		}
	case h != e.handle || want.ID != 0 && want.ID != e.want.ID:
		// A PE keeps its identifier (ASAP-3.1-13).
		e.effects.add(RegistrationFailed{Handle: h, Err: ErrRegistered, StillRegistered: e.inService})
		return
	default:
		want.ID = e.want.ID
	}
	e.want = elementDefaults(want)
	e.offered = e.want.User
	e.beginWait(now, until)
	switch {
	case e.phase == phaseRegistering:
		e.wantChanged = true
	case e.hunt.homeAssoc() != 0:
		e.sendRegistration(now)
	default:
		e.becomeWaiting()
	}
}

func elementDefaults(w protocol.Element) protocol.Element {
	if w.Life == 0 {
		w.Life = defaultLife
	}
	if w.Policy == (protocol.Policy{}) {
		w.Policy.Type = protocol.RoundRobin
	}
	w.Home, w.ASAP = 0, protocol.Transport{} // the home supplies it (ASAP-3.1-09)
	return w
}

// drawID draws a PE identifier that nobody can guess, never 0 (ASAP-3.1-04).
func (e *element) drawID() protocol.PEID {
	for {
		if id := protocol.PEID(e.cfg.Rand.Uint32()); id != 0 && id != e.want.ID {
			return id
		}
	}
}

// sendRegistration is R3 and R4: send at the home and start T2 (ASAP-3.1-08).
func (e *element) sendRegistration(now time.Time) {
	home := e.hunt.homeAssoc()
	if home == 0 {
		e.becomeWaiting()
		return
	}
	e.requested = e.want
	e.requested.Home = e.hunt.homeServer() // 0 unless it has told (ASAP-3.1-31)
	e.requested.User = userTransport(e.want.User, e.granted.User, e.ownAddrs(home))
	if e.requested.User.Protocol != protocol.Opaque && len(e.requested.User.Addrs) == 0 {
		e.noAddress(now)
		return
	}
	e.phase, e.sentTo, e.wantChanged, e.maybeKnown = phaseRegistering, home, false, true
	e.timers.Set(&e.phaseTimer, now.Add(e.cfg.RegisterTimeout))
	e.effects.add(Send{Assoc: home, Message: asap.Registration{Handle: e.handle, Element: e.requested}})
}

func (e *element) noAddress(now time.Time) {
	if !e.inService {
		e.registerFailed(ErrNoAddress)
		return
	}
	e.giveUpChange(ErrNoAddress)
	e.sendRegistration(now) // with the old values, which have addresses
}

// handleRegistrationResponse ends T2 (ASAP-3.1-11).
func (e *element) handleRegistrationResponse(now time.Time, from assoc.ID, m asap.RegistrationResponse) {
	if e.phase != phaseRegistering || from != e.sentTo || m.Handle != e.handle || m.ID != e.requested.ID {
		return
	}
	if m.Rejected {
		e.registrationRejected(now, &RejectedError{Handle: e.handle, Causes: m.Causes})
		return
	}
	tell := e.answerDue || !e.inService || e.lossTold || e.grantedAt != from
	e.granted, e.grantedAt, e.grantTime = e.requested, from, now
	e.inService, e.lossTold, e.attempts = true, false, 0
	e.startLife(now)
	if e.wantChanged {
		e.sendRegistration(now)
		return
	}
	e.answerDue = false
	e.becomeRegistered(now)
	if tell {
		// The causes of a grant are only warnings (ASAP-2.2.3-01).
		e.effects.add(Registered{Handle: e.handle, Element: e.granted, Warnings: m.Causes})
	}
}

// registrationRejected fixes what can be fixed and reports the rest; what was
// rejected is never sent again unchanged (ASAP-3.1-12).
func (e *element) registrationRejected(now time.Time, err *RejectedError) {
	if e.wantChanged {
		e.sendRegistration(now) // the application wants something else by now
		return
	}
	if err.Has(protocol.CauseNonUniquePEID) && e.idDrawn && !e.inService {
		if e.attempts++; e.attempts <= e.cfg.MaxRegAttempt {
			e.want.ID = e.drawID()
			e.sendRegistration(now)
			return
		}
	}
	if e.offersHostAddrs() {
		// Registrars that take the addresses of the association and no others
		// (ASAP-2.2.1-02), as those of other makers and of earlier releases do.
		e.strictHome = e.sentTo
		e.sendRegistration(now)
		return
	}
	if e.answerDue && e.inService && !e.lossTold && e.grantedAt == e.sentTo {
		// A refused change leaves the old values in force.
		e.want, e.answerDue = e.granted, false
		e.becomeRegistered(now)
		e.effects.add(RegistrationFailed{Handle: e.handle, Err: err, StillRegistered: true})
		return
	}
	e.inService = false
	e.registerFailed(err)
}

// registerTimeoutDue is T2: hunt, then start again at the new home
// (ASAP-3.1-10).
func (e *element) registerTimeoutDue(now time.Time) {
	at := e.sentTo
	if !e.attemptFailed(ErrTimeout) {
		e.becomeWaiting()
	}
	e.hunt.dropHome(now, at)
}

// attemptFailed counts (ASAP-3.1-15, E-12). It reports true when that was the
// last attempt and the element is idle. A PE that was in service goes on for
// ever; then the application is told.
func (e *element) attemptFailed(err error) (last bool) {
	e.attempts++
	if e.attempts <= e.cfg.MaxRegAttempt {
		return false
	}
	e.attempts = 0
	if !e.inService {
		e.registerFailed(err)
		return true
	}
	e.becomeWaiting()
	e.giveUpChange(err)
	e.tellLost(err)
	return false
}

// registerFailed tells the application that Register had no success. A PE that
// is in service goes on looking for a home with its old values.
func (e *element) registerFailed(err error) {
	if e.inService {
		e.becomeWaiting()
		e.giveUpChange(err)
		return
	}
	h := e.handle
	e.reset()
	e.effects.add(RegistrationFailed{Handle: h, Err: err})
}

// giveUpChange goes back to the values that are registered.
func (e *element) giveUpChange(err error) {
	if !e.answerDue {
		return
	}
	e.want, e.answerDue, e.wantChanged = e.granted, false, false
	e.effects.add(RegistrationFailed{Handle: e.handle, Err: err, StillRegistered: true})
}
