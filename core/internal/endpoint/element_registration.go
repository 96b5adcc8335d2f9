package endpoint

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// register makes the endpoint a PE, or changes what it is registered with. For a
// registrar that is not there yet it waits until a time.
func (e *element) register(now time.Time, h protocol.PoolHandle, want protocol.Element, until time.Time) {
	switch {
	case e.phase == leaving || e.phase == asking:
		e.next = &pendingRegister{h, want, until}
		return
	case e.phase == idle:
		e.handle, e.drawn = h, want.ID == 0
		if e.drawn {
			want.ID = e.drawID()
		}
	case h != e.handle || want.ID != 0 && want.ID != e.want.ID:
		// A PE keeps its identifier (ASAP-3.1-13).
		e.effects.add(RegistrationFailed{Handle: h, Err: ErrRegistered, StillRegistered: e.inService})
		return
	default:
		want.ID = e.want.ID
	}
	e.want = withDefaults(want)
	e.offered = e.want.User
	e.await(now, until)
	switch {
	case e.phase == asked:
		e.changed = true
	case e.hunt.homeAssoc() != 0:
		e.sendRegistration(now)
	default:
		e.becomeWaiting()
	}
}

func withDefaults(w protocol.Element) protocol.Element {
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
	e.sent = e.want
	e.sent.Home = e.hunt.homeServer() // 0 unless it has told (ASAP-3.1-31)
	e.sent.User = transportAt(e.want.User, e.granted.User, e.ownAddrs(home))
	if e.sent.User.Protocol != protocol.Opaque && len(e.sent.User.Addrs) == 0 {
		e.noAddress(now)
		return
	}
	e.phase, e.sentTo, e.changed, e.everOut = asked, home, false, true
	e.timers.Set(&e.timer, now.Add(e.cfg.RegisterTimeout))
	e.effects.add(Send{Assoc: home, Message: asap.Registration{Handle: e.handle, Element: e.sent}})
}

func (e *element) noAddress(now time.Time) {
	if !e.inService {
		e.registerFailed(ErrNoAddress)
		return
	}
	e.giveUpChange(ErrNoAddress)
	e.sendRegistration(now) // as before, which had what it takes
}

// handleRegistrationResponse ends T2 (ASAP-3.1-11).
func (e *element) handleRegistrationResponse(now time.Time, from assoc.ID, m asap.RegistrationResponse) {
	if e.phase != asked || from != e.sentTo || m.Handle != e.handle || m.ID != e.sent.ID {
		return
	}
	if m.Rejected {
		e.registrationRejected(now, &RejectedError{Handle: e.handle, Causes: m.Causes})
		return
	}
	tell := e.awaited || !e.inService || e.lost || e.grantedAt != from
	e.granted, e.grantedAt, e.grantTime = e.sent, from, now
	e.inService, e.lost, e.attempts = true, false, 0
	e.startLife(now)
	if e.changed {
		e.sendRegistration(now)
		return
	}
	e.awaited = false
	e.becomeRegistered(now)
	if tell {
		// The causes of a grant are only warnings (ASAP-2.2.3-01).
		e.effects.add(Registered{Handle: e.handle, Element: e.granted, Warnings: m.Causes})
	}
}

func (e *element) becomeRegistered(now time.Time) {
	e.phase = registered
	e.timers.Set(&e.timer, now.Add(reregisterAfter(e.granted.Life, e.cfg.Reregister)))
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

// registrationRejected fixes what can be fixed and reports the rest; what was
// rejected is never sent again unchanged (ASAP-3.1-12).
func (e *element) registrationRejected(now time.Time, err *RejectedError) {
	if e.changed {
		e.sendRegistration(now) // there is something else to ask by now
		return
	}
	if err.Has(protocol.CauseNonUniquePEID) && e.drawn && !e.inService {
		if e.attempts++; e.attempts <= e.cfg.MaxRegAttempt {
			e.want.ID = e.drawID()
			e.sendRegistration(now)
			return
		}
	}
	if e.offersHost() {
		// Registrars that take the addresses of the association and no others
		// (ASAP-2.2.1-02), as those of other makers and of earlier releases do.
		e.strictHome = e.sentTo
		e.sendRegistration(now)
		return
	}
	if e.awaited && e.inService && !e.lost && e.grantedAt == e.sentTo {
		// A refused change leaves the old values in force.
		e.want, e.awaited = e.granted, false
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
// ever; then the user is told.
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

// registerFailed tells the user that Register had no success. A PE that is in
// service goes on looking for a home with its old values.
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

func (e *element) giveUpChange(err error) {
	if !e.awaited {
		return
	}
	e.want, e.awaited, e.changed = e.granted, false, false
	e.effects.add(RegistrationFailed{Handle: e.handle, Err: err, StillRegistered: true})
}

func (e *element) tellLost(err error) {
	if e.lost {
		return
	}
	e.lost = true
	e.effects.add(RegistrationLost{Handle: e.handle, Err: err})
}

// startLife watches over the registration that was granted.
func (e *element) startLife(now time.Time) {
	if d, ends := e.granted.Life.Duration(); ends {
		e.timers.Set(&e.life, now.Add(d))
	} else {
		e.timers.Stop(&e.life)
	}
}

// lifeDue: no registrar renewed the registration in time.
func (e *element) lifeDue(time.Time) {
	if e.phase == leaving || e.phase == asking {
		return
	}
	err := e.why
	if err == nil || e.hunt.homeAssoc() != 0 {
		err = ErrTimeout
	}
	e.tellLost(err)
}

// expired obeys an unsolicited deregistration response: the life ended at the
// registrar, and the element is still in service (ASAP-3.2-13).
func (e *element) expired(now time.Time) {
	if e.phase != registered {
		return // it registers anyway
	}
	e.tellLost(ErrExpired)
	if pause := e.grantTime.Add(expiryPause).Sub(now); pause > 0 {
		e.becomeDelayed(now, pause)
		return
	}
	e.sendRegistration(now)
}

// handleError treats an ASAP_ERROR as the refusal of the only request that is
// outstanding at its sender (ASAP-2.2.14-02).
func (e *element) handleError(now time.Time, m asap.Error) {
	err := &RejectedError{Handle: e.handle, Causes: m.Causes}
	switch e.phase {
	case asked:
		e.registrationRejected(now, err)
	case asking:
		e.becomeIdle(now, err)
	}
}

// outstanding returns how many requests an association owes an answer to.
func (e *element) outstanding(at assoc.ID) int {
	if (e.phase == asked || e.phase == asking) && e.sentTo == at {
		return 1
	}
	return 0
}
