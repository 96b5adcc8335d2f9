package sctp

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/timerq"
)

type timerKind uint8

// The timers of RFC 9260 and two of our own: the limit of the whole set-up and
// the zero window probe.
const (
	timerT1      timerKind = iota + 1 // INIT or COOKIE ECHO unanswered
	timerT2                           // SHUTDOWN or SHUTDOWN ACK unanswered
	timerT3                           // DATA unanswered, per path
	timerT5                           // the shutdown takes too long
	timerSack                         // delayed acknowledgement
	timerBeat                         // heartbeat, per path
	timerConnect                      // the set-up takes too long
	timerProbe                        // peer's window is closed
	timerMTU                          // probe of the packet size unanswered, per path
	timerStall                        // received data cannot be delivered
)

// timerRef says what a deadline is for; path is nil for those of the whole
// association.
type timerRef struct {
	a    *association
	path *path
	kind timerKind
}

type timer = timerq.Timer[timerRef]

func (a *association) initTimers() {
	for _, t := range []struct {
		t *timer
		k timerKind
	}{
		{&a.t1, timerT1}, {&a.t2, timerT2}, {&a.t5, timerT5}, {&a.sackTimer, timerSack},
		{&a.connect, timerConnect}, {&a.probe, timerProbe}, {&a.stall.timer, timerStall},
	} {
		t.t.Value = timerRef{a: a, kind: t.k}
	}
}

func (e *Endpoint) setTimer(t *timer, at time.Time) { e.timers.Set(t, at) }

func (a *association) startTimer(t *timer, now time.Time, d time.Duration) {
	a.e.timers.Set(t, now.Add(d))
}

func (a *association) stopTimer(t *timer) { a.e.timers.Stop(t) }

func (a *association) stopTimers() {
	for _, t := range []*timer{&a.t1, &a.t2, &a.t5, &a.sackTimer, &a.connect, &a.probe, &a.stall.timer} {
		a.stopTimer(t)
	}
	for _, p := range a.paths {
		a.stopTimer(&p.t3)
		a.stopTimer(&p.beat)
		a.stopTimer(&p.search.timer)
	}
}

// Advance fires the timers that are due.
func (e *Endpoint) Advance(now time.Time) {
	for {
		t := e.timers.Due(now)
		if t == nil {
			return
		}
		t.Value.fire(now)
	}
}

// Next returns the time of the earliest timer.
func (e *Endpoint) Next() (time.Time, bool) { return e.timers.Next() }

func (r timerRef) fire(now time.Time) {
	switch a := r.a; r.kind {
	case timerT1:
		a.t1Due(now)
	case timerT2:
		a.t2Due(now)
	case timerT3:
		a.t3Due(now, r.path)
	case timerT5:
		a.t5Due(now)
	case timerSack:
		a.sackDue()
	case timerBeat:
		a.beatDue(now, r.path)
	case timerConnect:
		a.connectDue()
	case timerProbe:
		a.probeDue()
	case timerMTU:
		a.probeLost(now, r.path)
	case timerStall:
		a.stallDue(now)
	}
}
