package main

import (
	"context"
	"slices"
	"time"
)

// strays keeps what was begun without a descriptor and then left by its caller, whom
// a signal took away: the next one that asks for the same waits for it instead of
// beginning anew. Each has one caller at a time.
var strays = make(straysByAsk)

type straysByAsk map[ask][]stray

type stray struct {
	*completion
	expiry *time.Timer
}

// keepLimit is how long a stray is kept.
const keepLimit = 10 * time.Second

// start does something for no longer than limit, or joins what another caller left,
// and returns the eventfd that tells its end.
func start(a ask, limit time.Duration, do work) (int, error) {
	completions.Lock()
	defer completions.Unlock()
	if left := strays[a]; len(left) > 0 {
		event, err := left[0].attach()
		if err == nil {
			strays.take(left[0].completion)
		}
		return event, err
	}
	c := &completion{ask: a, keeper: strays}
	event, err := c.attach()
	if err == nil {
		c.launch(context.Background(), limit, do)
	}
	return event, err
}

// take removes c; false when it is none of them.
func (s straysByAsk) take(c *completion) bool {
	left := s[c.ask]
	i := slices.IndexFunc(left, func(l stray) bool { return l.completion == c })
	if i < 0 {
		return false
	}
	left[i].expiry.Stop()
	if s[c.ask] = slices.Delete(left, i, i+1); len(left) == 1 {
		delete(s, c.ask)
	}
	return true
}

// end implements keeper.
func (straysByAsk) end(*completion) {}

// keep implements keeper.
func (s straysByAsk) keep(c *completion) {
	s[c.ask] = append(s[c.ask], stray{c, time.AfterFunc(keepLimit, func() { s.expire(c) })})
}

// expire is for a stray whose caller did not come back.
func (s straysByAsk) expire(c *completion) {
	completions.Lock()
	defer completions.Unlock()
	if s.take(c) {
		c.drop()
	}
}
