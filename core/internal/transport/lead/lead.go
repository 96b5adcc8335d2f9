// Package lead says who reads the sockets of an endpoint: its own goroutines, or a thread
// that waits for it (transport.Led).
package lead

import "time"

// brisk is how soon something has come when more may follow as soon: only then is it worth
// to leave the sockets lent.
const brisk = time.Millisecond

// Lead is the state of one endpoint, which guards it.
type Lead struct {
	// Watch has the endpoint's goroutines look at its sockets, or not. When they look
	// again they are told of what is there already.
	Watch func(on bool)

	led   bool // somebody leads, since then
	since time.Time
	lent  bool // nobody looks at the sockets but who leads
	used  bool // somebody has led since Recall looked for that
}

// Take makes the caller the one who leads, if nobody does.
func (l *Lead) Take(now time.Time) bool {
	if l.led {
		return false
	}
	l.led, l.since = true, now
	l.lend(true)
	return true
}

// Yield is transport.Led's.
func (l *Lead) Yield(now time.Time) (lent bool) {
	l.led, l.used = false, true
	if now.Sub(l.since) > brisk {
		l.lend(false)
	}
	return l.lent
}

// Recall is transport.Led's.
func (l *Lead) Recall(idle bool) (lent bool) {
	if !l.led && !(idle && l.used) {
		l.lend(false)
	}
	l.used = l.used && !idle
	return l.lent && !l.led
}

// Borrow makes the caller the one who leads for a moment, until Restore, if the sockets are
// lent and nobody does.
func (l *Lead) Borrow() bool {
	free := l.lent && !l.led
	l.led = l.led || free
	return free
}

// Restore is the end of Borrow.
func (l *Lead) Restore() { l.led = false }

// Return gives the sockets back for good: the endpoint is closed. Whoever leads does not
// know yet.
func (l *Lead) Return() { l.lend(false) }

func (l *Lead) lend(on bool) {
	if l.lent != on {
		l.lent = on
		l.Watch(!on)
	}
}
