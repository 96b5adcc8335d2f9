package sctp

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// Requests and answers over a path that loses one packet in a hundred in each
// direction: how long they take is a regression number (SCTP-7-13). Nothing
// follows a lone message, so a timer finds out; its bound is what early.go
// promises with it, and RTO.Min (SCTP-3-65) without. The benchmarks measure the
// same with real time.
func TestLatencyUnderLoss(t *testing.T) {
	const rounds, delay = 20_000, 50 * time.Microsecond
	for _, test := range []struct {
		name     string
		early    bool
		p50, p99 time.Duration
	}{
		{"lone messages, early resend", true, 2 * delay, 2*delay + earlyFloor},
		{"lone messages, RTO alone", false, 2 * delay, 2*delay + assoc.Default().RTOMin},
	} {
		t.Run(test.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(7, 13))
			cfg := Config{EarlyResend: test.early, Params: assoc.Params{SackDelay: 5 * time.Millisecond, HeartbeatInterval: -1, MTU: 1500}}
			p := newPair(t, cfg, cfg)
			p.delay = delay
			x, y := p.connect(nil)
			p.run(time.Second)
			p.drop = func(int, []byte) bool { return rng.IntN(100) == 0 }
			times := make([]time.Duration, rounds)
			request := make([]byte, 64)
			for i := range times {
				p.events[0], p.events[1] = p.events[0][:0], p.events[1][:0]
				start := p.now
				p.send(0, x, 0, request)
				p.until(time.Minute, "request", func() bool { return len(p.events[1]) > 0 })
				p.send(1, y, 0, p.events[1][0].data)
				p.until(time.Minute, "answer", func() bool { return len(p.events[0]) > 0 })
				times[i] = p.now.Sub(start)
			}
			slices.Sort(times)
			p50, p99, worst := times[rounds/2], times[rounds*99/100], times[rounds-1]
			t.Logf("p50 %v, p99 %v, longest %v; %+v", p50, p99, worst, p.ends[0].counters)
			if p50 > test.p50 || p99 > test.p99 {
				t.Errorf("p50 %v, p99 %v, want at most %v and %v", p50, p99, test.p50, test.p99)
			}
		})
	}
}
