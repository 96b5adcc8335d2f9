package loop

import "time"

// Timer calls a function at the next deadline of a machine, which is told anew after
// whatever may have moved it. Its owner's lock guards it.
type Timer struct {
	// Due is called on a goroutine of its own. It locks, calls Fired and lets the
	// deadlines pass: one that was moved while it waited for the lock makes it early,
	// and then there is nothing due.
	Due func()

	timer *time.Timer
	at    time.Time // what timer is set to; zero when it is not
}

// Set sets the deadline; ok is false when there is none.
func (t *Timer) Set(at time.Time, ok bool) {
	switch {
	case !ok:
		t.Stop()
	case at.Equal(t.at):
	case t.timer == nil:
		t.at = at
		t.timer = time.AfterFunc(time.Until(at), t.Due)
	default:
		t.at = at
		t.timer.Reset(time.Until(at))
	}
}

// Fired notes that Due was called: the same deadline may be set again.
func (t *Timer) Fired() { t.at = time.Time{} }

// Stop takes the deadline back.
func (t *Timer) Stop() {
	if !t.at.IsZero() {
		t.timer.Stop()
		t.at = time.Time{}
	}
}
