package rsplib

import (
	"sync/atomic"
	"testing"
	"time"
)

// An emulated machine may stand still for seconds while the real one does
// something else. Every registrar looks dead then, to itself too: what fails
// meanwhile says nothing, and is tried again.
const (
	stalled  = 500 * time.Millisecond // half the time that our registrar waits for a peer's answer
	attempts = 4
)

// stallWatch looks at how late a process is that wants to run all the time.
type stallWatch struct {
	longest atomic.Int64
	end     chan struct{}
}

func watchStalls() *stallWatch {
	w := &stallWatch{end: make(chan struct{})}
	go w.run()
	return w
}

// stood is for how long the machine stood still, if that is to be reckoned with.
func (s *stage) stood() time.Duration {
	if d := time.Duration(s.stalls.longest.Load()); d > stalled {
		return d
	}
	return 0
}

func (w *stallWatch) run() {
	const pause = 50 * time.Millisecond
	for {
		before := time.Now()
		select {
		case <-w.end:
			return
		case <-time.After(pause):
			w.longest.Store(max(w.longest.Load(), int64(time.Since(before)-pause)))
		}
	}
}

// attempt runs a scenario, again if it fails while the machine stands still,
// and returns the stage of the last time.
func attempt(t *testing.T, name string, run func(*stage)) *stage {
	for n := 1; ; n++ {
		var s *stage
		t.Run(name, func(t *testing.T) {
			s = &stage{T: t, stalls: watchStalls(), last: n == attempts}
			t.Cleanup(s.close)
			run(s)
		})
		if s == nil || !s.again { // nil: -test.run does not want it
			return s
		}
	}
}
