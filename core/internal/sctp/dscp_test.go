package sctp

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// TestDSCP: every packet of an association has the codepoint that was chosen for it,
// those before there is one that of the endpoint (RFC 6458 section 8.1.12).
func TestDSCP(t *testing.T) {
	p := newPair(t, Config{}, Config{})
	p.ends[1].SetParams(0, assoc.Params{DSCP: 10})
	sent := func(end int, what string, want ...uint8) {
		t.Helper()
		if got := slices.Sorted(maps.Keys(p.classes[end])); !slices.Equal(got, want) {
			t.Errorf("%s: end %d sent with %v, want %v", what, end, got, want)
		}
		p.classes[end] = map[uint8]bool{}
	}
	x, y := p.connect(&assoc.Params{DSCP: 46})
	sent(0, "set-up", 46)
	sent(1, "set-up", 10)
	both := func(what string, want0, want1 uint8) {
		p.send(0, x, 0, make([]byte, 5000))
		p.send(1, y, 0, make([]byte, 5000))
		p.run(5 * time.Second)
		sent(0, what, want0)
		sent(1, what, want1)
	}
	both("data", 46, 10)
	p.ends[1].SetParams(y, assoc.Params{DSCP: 34})
	p.ends[0].SetParams(x, assoc.Params{RTOMin: time.Second})
	both("changed", 46, 34)
	p.ends[0].SetParams(x, assoc.Params{DSCP: -1})
	both("switched off", 0, 34)
	p.ends[1].Abort(p.now, y, "")
	p.run(time.Second)
	sent(1, "abort", 34)
}
