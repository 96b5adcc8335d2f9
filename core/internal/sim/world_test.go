package sim

import (
	"flag"
	"maps"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"
)

var (
	seeds = flag.Int("seeds", 9, "how many worlds are tried")
	seed  = flag.Uint64("seed", 0, "the only world that is tried; with -v it tells everything")
	first = flag.Uint64("first", 1, "the first seed")
	stop  = flag.Int("stop", 10, "how many worlds may fail before no more are tried")
)

// bounds are what librserpool promises with its default timers.
var bounds = Bounds{
	Serve: 45 * time.Second, Missing: 90 * time.Second, Request: 100 * time.Second,
	Outlive: 5 * time.Minute, Stale: 100 * time.Second, Agree: 100 * time.Second, Values: 200 * time.Second, Peers: 100 * time.Second,
	Home: 100 * time.Second, Session: 100 * time.Second, Resolves: 100 * time.Second,
}

// TestWorld tries worlds in which everything fails at random.
func TestWorld(t *testing.T) {
	try(t, NewChaos, bounds, func(s *Chaos) { s.Play(15, 4*time.Minute) })
}

// TestShipped tries such worlds with registrars as shipped: these agree again
// within seconds. A PE that could reach nobody for long may take RETRAN-MAX to
// look for a registrar again (RFC 5352 section 3.6).
func TestShipped(t *testing.T) {
	shipped := Bounds{
		Serve: 30 * time.Second, Missing: 75 * time.Second, Request: 75 * time.Second,
		Outlive: time.Minute, Stale: 15 * time.Second, Agree: 15 * time.Second, Values: 200 * time.Second, Peers: 15 * time.Second,
		Home: 75 * time.Second, Session: 75 * time.Second, Resolves: 75 * time.Second,
	}
	try(t, NewShipped, shipped, func(s *Chaos) { s.Play(15, 4*time.Minute) })
}

// TestRolling tries worlds in which registrars die, hang and leave, one at a
// time: then no resolution fails, and no PE is missing for longer than a heartbeat
// cycle, after which audits have found it.
func TestRolling(t *testing.T) {
	strict := bounds
	strict.Strict, strict.Missing = true, 35*time.Second
	try(t, NewChaos, strict, func(s *Chaos) { s.Roll(10, 3*time.Minute, 5*time.Second) })
}

// TestLone tries worlds with a lone registrar that dies, hangs and leaves, and is
// started again soon with what it had written down: it never says that there is
// no such pool.
func TestLone(t *testing.T) {
	honest := bounds
	honest.Honest, honest.Missing = true, 35*time.Second
	try(t, NewLone, honest, func(s *Chaos) { s.Roll(10, 2*time.Second, 5*time.Second) })
}

// TestSessions tries worlds in which PUs talk to PEs that die, hang, drain and do not
// read: the promise of sessions holds.
func TestSessions(t *testing.T) {
	try(t, NewSessions, bounds, func(s *Chaos) { s.Play(10, 2*time.Minute) })
}

// try plays the worlds of all seeds, as many at a time as there are processors.
func try(t *testing.T, build func(seed uint64) *Chaos, b Bounds, play func(*Chaos)) {
	from, to := *first, *first+uint64(*seeds)
	if *seed != 0 {
		from, to = *seed, *seed+1
	}
	var mu sync.Mutex
	worst := map[string]time.Duration{}
	failed := 0
	next := func(failures int, took map[string]time.Duration) (n uint64, more bool) {
		mu.Lock()
		defer mu.Unlock()
		for what, d := range took {
			worst[what] = max(worst[what], d)
		}
		failed += failures
		from++
		return from - 1, from <= to && failed < *stop
	}
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for n, more := next(0, nil); more; {
				s := build(n)
				if *seed != 0 && testing.Verbose() {
					s.Trace = func(l Line) { t.Log(l) }
				}
				s.Watch(b)
				play(s)
				n, more = next(report(t, n, s.Broken()), s.Worst())
			}
		})
	}
	workers.Wait()
	for _, what := range slices.Sorted(maps.Keys(worst)) {
		t.Logf("%-30s at most %v", what, worst[what])
	}
}

// report says what went wrong in the world of a seed, and how to see it again.
func report(t *testing.T, seed uint64, broken []string) (failures int) {
	if len(broken) == 0 {
		return 0
	}
	for _, what := range broken {
		t.Errorf("seed %d: %s", seed, what)
	}
	t.Errorf("replay: go test ./core/internal/sim -run %s -v -args -seed %d", t.Name(), seed)
	return 1
}
