package sctp_test

import (
	"flag"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	oneSeed   = flag.Int64("seed", -1, "run this seed of TestSim only, with a log of every packet")
	seeds     = flag.Int("seeds", 100, "run this many seeds of TestSim")
	firstSeed = flag.Int("first", 0, "first seed of TestSim")
)

// TestSim plays seeded scenarios over bad networks, and after every event nothing
// may have happened that must not: to messages (SCTP-7-01, 7-02), to time and memory
// (SCTP-7-03, 7-09), to what is sent (SCTP-7-05, 3-10), to what is acknowledged
// (SCTP-7-06, 3-33), on the wire (SCTP-7-07, 1-02, 1-17). make sim-sctp plays campaigns of
// them (SCTP-7-11).
func TestSim(t *testing.T) {
	if *oneSeed >= 0 {
		w := drawScenario(uint64(*oneSeed)).play(t.Logf)
		if w.err != nil {
			t.Fatal(w.err)
		}
		return
	}
	const enough = 5
	var next, failures atomic.Int64
	var virtual atomic.Int64
	var players sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		players.Go(func() {
			for n := next.Add(1) - 1; n < int64(*seeds) && failures.Load() < enough; n = next.Add(1) - 1 {
				seed := uint64(*firstSeed) + uint64(n)
				w := drawScenario(seed).play(nil)
				virtual.Add(int64(w.now.Sub(w.start)))
				if w.err != nil {
					failures.Add(1)
					t.Errorf("go test ./core/internal/sctp -run 'TestSim$' -seed %d\n%v", seed, w.err)
				}
			}
		})
	}
	players.Wait()
	t.Logf("%d seeds from %d on, %v of virtual time, %d failures", *seeds, *firstSeed, time.Duration(virtual.Load()).Round(time.Minute), failures.Load())
}

// TestSimReplaysExactly: the same seed gives the same packets at the same
// instants (SCTP-7-10).
func TestSimReplaysExactly(t *testing.T) {
	for seed := range uint64(10) {
		one, two := drawScenario(seed).play(nil), drawScenario(seed).play(nil)
		if one.trace.Sum64() != two.trace.Sum64() {
			t.Errorf("seed %d does not replay", seed)
		}
	}
}

// TestSimCleanPath: without loss nothing is sent twice, no timer expires, and
// nothing stalls (SCTP-7-03, 7-04, 8-18, 8-21, 8-22).
func TestSimCleanPath(t *testing.T) {
	ran := 0
	for seed := uint64(1000); ran < 20; seed++ {
		s := drawScenario(seed)
		s.chaos, s.slow, s.nat, s.collide, s.hosts = false, false, false, false, 2
		for i := range s.model {
			s.model[i] = linkModel{delay: min(s.model[i].delay, s.params.RTOMin/5, s.params.RTOInitial/5)}
		}
		if s.params.AssocMaxRetrans < 10 || s.params.RTOMin <= s.params.SackDelay*2 {
			continue // a peer may wait that long with its SACK
		}
		ran++
		bound := s.params.RTOMax + s.params.SackDelay
		w := s.playWatching(bound)
		if w.err != nil {
			t.Errorf("seed %d: %v", seed, w.err)
			continue
		}
		for _, h := range w.hosts {
			if c := h.ep.Counters(); c.Retransmissions != 0 || c.Timeouts != 0 || c.Duplicates != 0 || c.HeartbeatsLost != 0 {
				t.Errorf("seed %d: %s without any loss: %+v\nscenario: %v", seed, h.name, c, s)
			}
		}
	}
}

// playWatching also bounds the time without progress.
func (s scenario) playWatching(bound time.Duration) *world {
	w := newWorld(s.seed)
	w.calm, w.exact = true, true
	loaders := s.populate(w)
	s.script(w, loaders)
	w.afterStep = func() {
		waiting := false
		for _, h := range w.hosts {
			h.obs.late()
			for _, a := range h.order {
				if st, err := h.ep.Status(a.id); err == nil && a.isUp {
					waiting = waiting || st.Unacked+st.Unsent > 0
				}
			}
		}
		if !waiting {
			w.lastMove = w.now
		}
		if stall := w.now.Sub(w.lastMove); stall > bound+2*s.model[0].delay+2*s.model[1].delay {
			w.fail("nothing moves for %v (SCTP-7-03)", stall)
		}
	}
	w.run(s.length, nil)
	s.finish(w, loaders)
	return w
}
