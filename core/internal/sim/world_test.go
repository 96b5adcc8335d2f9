package sim

import (
	"flag"
	"testing"
	"time"
)

var (
	seeds = flag.Int("seeds", 20, "how many worlds TestWorld tries")
	seed  = flag.Uint64("seed", 0, "the only world TestWorld tries; with -v it tells everything")
	first = flag.Uint64("first", 1, "the first seed")
)

// bounds are what librserpool promises with its default timers.
var bounds = Bounds{
	Serve: time.Minute, Missing: 100 * time.Second, Request: 150 * time.Second,
	Outlive: 15 * time.Minute, Stale: 150 * time.Second, Agree: 150 * time.Second, Values: 200 * time.Second, Peers: 150 * time.Second,
	Home: 100 * time.Second, Session: 100 * time.Second, Resolves: 100 * time.Second,
}

// TestWorld tries worlds in which everything fails at random.
func TestWorld(t *testing.T) {
	from, to := *first, *first+uint64(*seeds)
	if *seed != 0 {
		from, to = *seed, *seed+1
	}
	worst := map[string]time.Duration{}
	failed := 0
	for n := from; n < to && failed < 10; n++ {
		if !storm(t, n, worst) {
			failed++
		}
	}
	for what, d := range worst {
		t.Logf("%-30s at most %v", what, d)
	}
}

func storm(t *testing.T, n uint64, worst map[string]time.Duration) bool {
	s := NewStorm(n)
	if *seed != 0 && testing.Verbose() {
		s.Trace = func(l Line) { t.Log(l) }
	}
	s.Watch(bounds)
	s.Rage(15, 4*time.Minute)
	for what, d := range s.Worst() {
		worst[what] = max(worst[what], d)
	}
	for _, what := range s.Broken() {
		t.Errorf("seed %d: %s", n, what)
	}
	if len(s.Broken()) > 0 {
		t.Errorf("replay: go test ./core/internal/sim -run TestWorld -v -args -seed %d", n)
		return false
	}
	return true
}
