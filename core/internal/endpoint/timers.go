package endpoint

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/timerq"
)

// timer is one deadline of a sub-state. Its value is what is to be done then.
type timer = timerq.Timer[func(now time.Time)]

// timers are the deadlines of one sub-state.
type timers struct {
	timerq.Queue[func(now time.Time)]
}

// advance does what is due.
func (t *timers) advance(now time.Time) {
	for due := t.Due(now); due != nil; due = t.Due(now) {
		due.Value(now)
	}
}
