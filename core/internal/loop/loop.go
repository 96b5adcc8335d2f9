// Package loop gives pure machines a world: a clock, a timer, and an SCTP
// endpoint. A Loop drives one machine; a Port is the control side of one
// transport endpoint; Registrar is a whole registrar made of them.
package loop

import (
	"sync"
	"time"

	"github.com/librserpool/librserpool/core/internal/shell"
)

// Loop passes events to one machine, performs its effects in order and calls
// it when a deadline passes. It has no lock of its own: its owner's guards the
// machine, and everything the effects touch. All methods want it held, and
// effects are performed with it held.
type Loop[E, F any] struct {
	mu      sync.Locker
	driver  shell.Driver[E, F]
	stopped bool
	timer   *time.Timer
	armed   time.Time // what timer is set to; zero when it is not
}

// New returns the loop of a machine.
func New[E, F any](mu sync.Locker, machine shell.Machine[E, F], perform func(F)) *Loop[E, F] {
	return &Loop[E, F]{mu: mu, driver: shell.Driver[E, F]{Machine: machine, Now: time.Now, Perform: perform}}
}

// Post passes an event to the machine and performs what follows.
func (l *Loop[E, F]) Post(event E) {
	if !l.stopped && l.driver.Post(event) {
		l.rearm()
	}
}

// Stop ends the loop: later events and deadlines are ignored.
func (l *Loop[E, F]) Stop() {
	l.stopped = true
	l.driver.Forget()
	if l.timer != nil {
		l.timer.Stop()
	}
}

func (l *Loop[E, F]) rearm() {
	at, ok := l.driver.Next()
	switch {
	case l.stopped || !ok:
		if !l.armed.IsZero() {
			l.timer.Stop()
			l.armed = time.Time{}
		}
	case at.Equal(l.armed):
	case l.timer == nil:
		l.armed = at
		l.timer = time.AfterFunc(time.Until(at), l.due)
	default:
		l.armed = at
		l.timer.Reset(time.Until(at))
	}
}

// due runs on the timer's goroutine. A timer that was moved while this waited
// for the lock makes it early: then Advance finds nothing due.
func (l *Loop[E, F]) due() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped {
		return
	}
	l.armed = time.Time{}
	l.driver.Advance()
	l.rearm()
}
