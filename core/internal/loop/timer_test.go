package loop_test

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/librserpool/librserpool/core/internal/loop"
)

// TestTimer: a deadline is called exactly when it passes, once; the last one that
// was set counts, whether it is earlier or later than the one before it.
func TestTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex // of the timer's owner
		mu.Lock()
		defer mu.Unlock()
		began := time.Now()
		var fired []time.Duration
		var timer loop.Timer
		timer.Due = func() {
			mu.Lock()
			defer mu.Unlock()
			fired = append(fired, time.Since(began))
			timer.Fired()
		}
		in := func(d time.Duration) time.Time { return began.Add(d) }
		expect := func(what string, want ...time.Duration) {
			t.Helper()
			mu.Unlock()
			time.Sleep(time.Minute)
			synctest.Wait()
			mu.Lock()
			if !slices.Equal(fired, want) {
				t.Errorf("%s: called after %v, want %v", what, fired, want)
			}
			fired, began = nil, time.Now()
		}
		timer.Stop() // of what was never set
		timer.Set(in(5*time.Second), true)
		timer.Set(in(5*time.Second), true)
		expect("the first one", 5*time.Second)
		timer.Set(in(5*time.Second), true)
		timer.Set(in(2*time.Second), true)
		expect("an earlier one", 2*time.Second)
		timer.Set(in(2*time.Second), true)
		timer.Set(in(7*time.Second), true)
		expect("a later one", 7*time.Second)
		timer.Set(in(time.Second), true)
		timer.Set(time.Time{}, false)
		expect("none")
		timer.Set(in(time.Second), true)
		timer.Stop()
		expect("one that was taken back")
		again := in(time.Second)
		timer.Set(again, true)
		timer.Stop()
		timer.Set(again, true)
		expect("the same once more", time.Second)
		timer.Set(in(-time.Second), true)
		expect("one that has passed", 0)
	})
}
