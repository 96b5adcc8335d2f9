package loop_test

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/librserpool/librserpool/core/internal/loop"
)

// counter is a machine that answers n with n effects and rings at a deadline.
type counter struct {
	at    time.Time
	steps []int
	out   []string
}

func (c *counter) Step(now time.Time, n int) {
	c.steps = append(c.steps, n)
	for range n {
		c.out = append(c.out, "effect")
	}
	if n > 0 {
		c.at = now.Add(time.Duration(n) * time.Second)
	}
}

func (c *counter) Advance(now time.Time) {
	if !c.at.IsZero() && !c.at.After(now) {
		c.at = time.Time{}
		c.out = append(c.out, "due")
	}
}

func (c *counter) Next() (time.Time, bool) { return c.at, !c.at.IsZero() }

func (c *counter) Drain() []string {
	out := c.out
	c.out = nil
	return out
}

func TestDeadlinesReachTheMachine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var log []string
		c := &counter{}
		l := loop.New(&mu, c, func(f string) { log = append(log, f) })
		mu.Lock()
		l.Post(5)
		l.Post(1) // moves the deadline forward
		mu.Unlock()
		time.Sleep(time.Minute)
		mu.Lock()
		defer mu.Unlock()
		want := []string{"effect", "effect", "effect", "effect", "effect", "effect", "due"}
		if !slices.Equal(log, want) {
			t.Errorf("performed %v, want %v", log, want)
		}
		l.Post(2)
		l.Stop()
		l.Post(1)
		mu.Unlock()
		time.Sleep(time.Minute)
		mu.Lock()
		if len(log) != len(want)+2 {
			t.Errorf("after Stop: performed %v", log[len(want):])
		}
	})
}

func TestEventsOfEffectsWaitForTheEffectsBeforeThem(t *testing.T) {
	var mu sync.Mutex
	var l *loop.Loop[int, string]
	c := &counter{}
	var stepsSeen []int
	l = loop.New(&mu, c, func(string) {
		stepsSeen = append(stepsSeen, len(c.steps))
		if len(stepsSeen) == 1 {
			l.Post(1)
		}
	})
	mu.Lock()
	defer mu.Unlock()
	l.Post(3)
	l.Stop()
	if want := []int{1, 1, 1, 2}; !slices.Equal(stepsSeen, want) {
		t.Errorf("steps at each effect %v, want %v", stepsSeen, want)
	}
}
