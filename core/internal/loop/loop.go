// Package loop gives pure machines a world: a clock, a timer, and an SCTP
// endpoint. A Loop drives one machine; a Port is the control side of one
// transport endpoint; Registrar is a whole registrar made of them.
package loop

import (
	"sync"
	"time"

	"github.com/librserpool/librserpool/core/internal/driver"
)

// Loop passes events to one machine, performs its effects in order and calls
// it when a deadline passes. It has no lock of its own: its owner's guards the
// machine, and everything the effects touch. All methods want it held, and
// effects are performed with it held.
type Loop[E, F any] struct {
	mu      sync.Locker
	driver  driver.Driver[E, F]
	stopped bool
	timer   Timer
}

// New returns the loop of a machine.
func New[E, F any](mu sync.Locker, machine driver.Machine[E, F], perform func(F)) *Loop[E, F] {
	l := &Loop[E, F]{mu: mu, driver: driver.Driver[E, F]{Machine: machine, Now: time.Now, Perform: perform}}
	l.timer.Due = l.due
	return l
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
	l.timer.Stop()
}

func (l *Loop[E, F]) rearm() {
	if !l.stopped {
		l.timer.Set(l.driver.Next())
	}
}

// due runs on the timer's goroutine.
func (l *Loop[E, F]) due() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.stopped {
		l.timer.Fired()
		l.driver.Advance()
		l.rearm()
	}
}
