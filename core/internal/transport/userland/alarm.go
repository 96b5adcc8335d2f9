package userland

import "time"

// alarm is the endpoint's one timer of the system. It is moved only towards
// the present: when it goes off too early it is set again, which is cheaper
// than following a deadline that moves away with every packet.
type alarm struct {
	timer *time.Timer
	at    time.Time // when it goes off; zero = not set
}

// setAlarm makes ring run at the engine's next deadline, or at once. It is
// called with the lock held.
func (e *Endpoint) setAlarm(atOnce bool) {
	if e.dead {
		return
	}
	if atOnce {
		e.at = time.Now()
		e.timer.Reset(0)
		return
	}
	next, ok := e.engine.Next()
	if e.closed && (!ok || next.After(e.giveUp)) {
		next, ok = e.giveUp, true
	}
	if ok && (e.at.IsZero() || next.Before(e.at)) {
		e.at = next
		e.timer.Reset(time.Until(next))
	}
}

// ring lets the engine act on the deadlines that have passed. It runs on a
// goroutine of its own.
func (e *Endpoint) ring() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.dead {
		return
	}
	e.at = time.Time{}
	now := time.Now()
	e.engine.Advance(now)
	e.finish(now)
}
