package sim

import "time"

// machine is what a pure protocol machine looks like from outside.
type machine[E, F any] interface {
	Step(now time.Time, event E)
	Advance(now time.Time)
	Next() (at time.Time, ok bool)
	Drain() []F
}

// driver passes events to a machine and performs its effects as package loop
// does: an event that comes of an effect waits until the effects before it are
// done.
type driver[E, F any] struct {
	machine machine[E, F]
	now     func() time.Time
	perform func(F)
	inbox   []E
	running bool
}

func (d *driver[E, F]) next() (time.Time, bool) { return d.machine.Next() }

func (d *driver[E, F]) advance(now time.Time) {
	d.machine.Advance(now)
	d.run()
}

func (d *driver[E, F]) post(event E) {
	d.inbox = append(d.inbox, event)
	d.run()
}

func (d *driver[E, F]) run() {
	if d.running {
		return
	}
	d.running = true
	d.performAll()
	for len(d.inbox) > 0 {
		event := d.inbox[0]
		d.inbox = d.inbox[1:]
		d.machine.Step(d.now(), event)
		d.performAll()
	}
	d.inbox = nil
	d.running = false
}

func (d *driver[E, F]) performAll() {
	for _, f := range d.machine.Drain() {
		d.perform(f)
	}
}
