package userland

import (
	"sync"
	"time"

	"github.com/librserpool/librserpool/core/internal/timerq"
)

// alarmClock is the one timer of the system for all endpoints of the process, and
// lateness how much later than asked for it may go off, so that one time does
// for many of them: it costs more to be woken than to look at an endpoint.
type alarmClock struct {
	mu    sync.Mutex
	queue timerq.Queue[*Endpoint]
	timer *time.Timer
	at    time.Time // when it goes off; zero = not set
}

const lateness = 500 * time.Microsecond

var alarms alarmClock

func (c *alarmClock) set(t *timerq.Timer[*Endpoint], at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue.Set(t, at)
	c.rearm()
}

func (c *alarmClock) stop(t *timerq.Timer[*Endpoint]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue.Stop(t)
}

// rearm moves the timer towards the present only: that it goes off for nothing
// is cheaper than to follow a deadline that moves away with every packet.
func (c *alarmClock) rearm() {
	next, ok := c.queue.Next()
	if !ok {
		return
	}
	if next = next.Add(lateness); !c.at.IsZero() && !next.Before(c.at) {
		return
	}
	c.at = next
	if c.timer == nil {
		c.timer = time.AfterFunc(next.Sub(clock()), c.tick)
		return
	}
	c.timer.Reset(next.Sub(clock()))
}

// tick runs on a goroutine of its own.
func (c *alarmClock) tick() {
	var due []*Endpoint
	c.mu.Lock()
	c.at = time.Time{}
	now := clock()
	for t := c.queue.Due(now); t != nil; t = c.queue.Due(now) {
		due = append(due, t.Value)
	}
	c.rearm()
	c.mu.Unlock()
	for _, e := range due {
		e.ring(now)
	}
}

// alarm is when an endpoint wants to be woken.
type alarm struct {
	bell    timerq.Timer[*Endpoint] // guarded by the lock of alarms
	at      time.Time               // what it is set to; zero = not set
	running bool                    // a goroutine is about to act
}

// wakeAt makes the alarm ring at t if that is earlier than it would.
func (e *Endpoint) wakeAt(t time.Time) {
	if e.at.IsZero() || t.Before(e.at) {
		e.at = t
		alarms.set(&e.bell, t)
	}
}

// setAlarm makes the endpoint act at the engine's next deadline, or at once. It
// is called with the lock held.
func (e *Endpoint) setAlarm(atOnce bool) {
	if e.dead {
		return
	}
	if atOnce {
		e.act()
		return
	}
	next, ok := e.engine.Next()
	if e.closed && (!ok || next.After(e.giveUp)) {
		next, ok = e.giveUp, true
	}
	if ok {
		e.wakeAt(next)
	}
}

// act makes the endpoint act on a goroutine of its own.
func (e *Endpoint) act() {
	if !e.running {
		e.running = true
		go e.runAct()
	}
}

// ring looks whether there is something to do by now. It runs on the goroutine
// of all alarms and therefore does nothing itself.
func (e *Endpoint) ring(now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.dead {
		return
	}
	e.at = time.Time{}
	if next, ok := e.engine.Next(); e.closed || e.hooking || ok && !next.After(now) {
		e.act()
		return
	}
	e.setAlarm(e.hooksDue())
}

// runAct lets the engine act on the deadlines that have passed, and does what
// is due.
func (e *Endpoint) runAct() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.running = false
	if e.dead {
		return
	}
	now := clock()
	e.engine.Advance(now)
	e.finish(now)
}
