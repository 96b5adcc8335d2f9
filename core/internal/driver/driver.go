// Package driver is the pure part of what surrounds a machine: how events and
// effects take turns, and how a registrar's effects become messages on
// associations. The daemon and the simulated world share it, so that what is
// simulated is what runs.
package driver

import "time"

// Machine is what a pure protocol machine looks like from outside.
type Machine[E, F any] interface {
	Step(now time.Time, event E)
	Advance(now time.Time)
	Next() (at time.Time, ok bool)
	Drain() []F
}

// Driver passes events to a machine and performs its effects in order. An
// effect that is being performed may post, too: its event waits until the
// effects before it are done, so that a machine never sees its own future.
type Driver[E, F any] struct {
	Machine Machine[E, F]
	Now     func() time.Time
	Perform func(F)

	inbox   []E
	running bool
}

// Post passes an event to the machine and performs what follows. It returns
// false if that is left to the call under which it was called.
func (d *Driver[E, F]) Post(event E) (done bool) {
	d.inbox = append(d.inbox, event)
	return d.run()
}

// Advance lets the machine's deadlines pass and performs what follows.
func (d *Driver[E, F]) Advance() {
	d.Machine.Advance(d.Now())
	d.run()
}

// Next returns the machine's next deadline.
func (d *Driver[E, F]) Next() (at time.Time, ok bool) { return d.Machine.Next() }

// Forget drops the events that wait.
func (d *Driver[E, F]) Forget() { d.inbox = nil }

func (d *Driver[E, F]) run() (done bool) {
	if d.running {
		return false
	}
	d.running = true
	d.performAll()
	for len(d.inbox) > 0 {
		event := d.inbox[0]
		d.inbox = d.inbox[1:]
		d.Machine.Step(d.Now(), event)
		d.performAll()
	}
	d.inbox = nil
	d.running = false
	return true
}

func (d *Driver[E, F]) performAll() {
	for effects := d.Machine.Drain(); len(effects) > 0; effects = d.Machine.Drain() {
		for _, f := range effects {
			d.Perform(f)
		}
	}
}
