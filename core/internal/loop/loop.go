// Package loop gives pure machines a world: a clock, a timer, and an SCTP
// endpoint. A Loop drives one machine; a Port is the control side of one
// transport endpoint; Registrar is a whole registrar made of them.
package loop

import (
	"sync"
	"time"
)

// Machine is what a pure protocol machine looks like from outside.
type Machine[E, F any] interface {
	Step(now time.Time, event E)
	Advance(now time.Time)
	Next() (at time.Time, ok bool)
	Drain() []F
}

// Loop passes events to one machine, performs its effects in order and calls
// it when a deadline passes. It has no lock of its own: its owner's guards the
// machine, and everything the effects touch. All methods want it held, and
// effects are performed with it held.
type Loop[E, F any] struct {
	mu      sync.Locker
	machine Machine[E, F]
	perform func(F)

	inbox   []E
	running bool
	stopped bool
	timer   *time.Timer
	armed   time.Time // what timer is set to; zero when it is not
}

// New returns the loop of a machine.
func New[E, F any](mu sync.Locker, machine Machine[E, F], perform func(F)) *Loop[E, F] {
	return &Loop[E, F]{mu: mu, machine: machine, perform: perform}
}

// Post passes an event to the machine and performs what follows. An effect
// that is being performed may post too: its event waits until the effects
// before it are done, so that a machine never sees its own future.
func (l *Loop[E, F]) Post(event E) {
	if l.stopped {
		return
	}
	l.inbox = append(l.inbox, event)
	l.run()
}

// Stop ends the loop: later events and deadlines are ignored.
func (l *Loop[E, F]) Stop() {
	l.stopped = true
	l.inbox = nil
	if l.timer != nil {
		l.timer.Stop()
	}
}

func (l *Loop[E, F]) run() {
	if l.running {
		return
	}
	l.running = true
	l.performAll()
	for len(l.inbox) > 0 {
		event := l.inbox[0]
		l.inbox = l.inbox[1:]
		l.machine.Step(time.Now(), event)
		l.performAll()
	}
	l.running = false
	l.rearm()
}

func (l *Loop[E, F]) performAll() {
	for effects := l.machine.Drain(); len(effects) > 0; effects = l.machine.Drain() {
		for _, f := range effects {
			l.perform(f)
		}
	}
}

func (l *Loop[E, F]) rearm() {
	at, ok := l.machine.Next()
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
	l.machine.Advance(time.Now())
	l.run()
}
