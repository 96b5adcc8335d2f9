package userland

import (
	"sync"
	"time"

	"github.com/librserpool/librserpool/core/internal/timerq"
)

// sharedTimer is the one timer of the system for all endpoints of the process, and
// lateness how much later than asked for it may fire, so that one time does for many
// of them: it costs more to be woken than to look at an endpoint.
type sharedTimer struct {
	mu    sync.Mutex
	queue timerq.Queue[wakeFunc]
	timer *time.Timer
	at    time.Time // when it fires; zero = not set
}

// wakeFunc is called when a time has come, on a goroutine that others wait for as well.
type wakeFunc = func(now time.Time)

const lateness = 500 * time.Microsecond

var endpointTimer sharedTimer

func (s *sharedTimer) set(t *timerq.Timer[wakeFunc], at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue.Set(t, at)
	s.rearm()
}

func (s *sharedTimer) stop(t *timerq.Timer[wakeFunc]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue.Stop(t)
}

// rearm moves the timer towards the present only: that it fires for nothing is
// cheaper than to follow a deadline that moves away with every packet.
func (s *sharedTimer) rearm() {
	next, ok := s.queue.Next()
	if !ok {
		return
	}
	if next = next.Add(lateness); !s.at.IsZero() && !next.Before(s.at) {
		return
	}
	s.at = next
	if s.timer == nil {
		s.timer = time.AfterFunc(next.Sub(clock()), s.fire)
		return
	}
	s.timer.Reset(next.Sub(clock()))
}

// fire runs on a goroutine of its own.
func (s *sharedTimer) fire() {
	var due []wakeFunc
	s.mu.Lock()
	s.at = time.Time{}
	now := clock()
	for t := s.queue.Due(now); t != nil; t = s.queue.Due(now) {
		due = append(due, t.Value)
	}
	s.rearm()
	s.mu.Unlock()
	for _, wake := range due {
		wake(now)
	}
}

// wakeup is when an endpoint wants to be woken.
type wakeup struct {
	entry   timerq.Timer[wakeFunc] // guarded by the lock of endpointTimer
	at      time.Time              // what it is set to; zero = not set
	running bool                   // a goroutine is about to act
}

// wakeAt has the endpoint woken at t if that is earlier than it would be.
func (e *Endpoint) wakeAt(t time.Time) {
	if e.at.IsZero() || t.Before(e.at) {
		e.at = t
		endpointTimer.set(&e.entry, t)
	}
}

// schedule makes the endpoint act at the engine's next deadline, or at once. It
// is called with the lock held.
func (e *Endpoint) schedule(atOnce bool) {
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

// wake looks whether there is something to do by now. It runs on the goroutine
// of all endpoints and therefore does nothing itself.
func (e *Endpoint) wake(now time.Time) {
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
	e.schedule(e.hooksDue())
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
