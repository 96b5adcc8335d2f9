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

// Packets of another codepoint may wait in other queues than those that congestion
// control learned from: it begins anew on every path, except for what is in flight,
// and the round trip is measured anew. What changes no packet's codepoint changes
// nothing (section 7.2.5.1, SCTP-3-85, SCTP-5-14).
func TestCodepointBeginsCongestionAnew(t *testing.T) {
	p, x, _ := newHomes(t, assoc.Params{DSCP: 10})
	e := p.ends[0]
	paths := e.byID[x].paths
	p.hold[1] = true
	p.send(0, x, 0, make([]byte, 2000))
	learned := func() {
		for _, q := range paths {
			q.cwnd, q.ssthresh, q.partial = 1200, 4800, 600
			q.srtt, q.rttvar, q.timing = time.Second, time.Second/2, true
		}
	}
	for _, tt := range []struct {
		what string
		to   assoc.Params
		anew bool
	}{
		{"something else", assoc.Params{SackDelay: 100 * time.Millisecond}, false},
		{"the same", assoc.Params{DSCP: 10, SackDelay: 100 * time.Millisecond}, false},
		{"another", assoc.Params{DSCP: 46}, true},
		{"none", assoc.Params{DSCP: -1}, true},
		{"still none", assoc.Params{DSCP: -1}, false},
		{"one again", assoc.Params{DSCP: 10}, true},
	} {
		learned()
		flight := [2]int{paths[0].flight, paths[1].flight}
		if err := e.SetParams(x, tt.to); err != nil {
			t.Fatal(err)
		}
		for i, q := range paths {
			c, first := q.congestion, initialCongestion(q.pmdcs(), true)
			isNew := c.cwnd == first.cwnd && c.ssthresh == first.ssthresh && c.partial == 0 && q.srtt == 0 && q.rttvar == 0 && !q.timing
			isOld := c.cwnd == 1200 && c.ssthresh == 4800 && c.partial == 600 && q.srtt == time.Second && q.rttvar == time.Second/2 && q.timing
			if isNew != tt.anew || isOld == tt.anew || c.flight != flight[i] {
				t.Errorf("%s: path %d: %+v, in flight before: %d; %+v", tt.what, i, c, flight[i], q.rto)
			}
		}
	}
}

// The larger window that another codepoint brings is used at once (SCTP-3-85).
func TestCodepointOpensWindow(t *testing.T) {
	p := newPair(t, Config{}, Config{})
	x, _ := p.connect(nil)
	q := p.ends[0].byID[x].primary
	q.cwnd = q.pmdcs()
	p.drop = func(from int, data []byte) bool { return true }
	for range 4 {
		p.send(0, x, 0, make([]byte, 1000))
	}
	p.flush()
	before := q.flight
	if err := p.ends[0].SetParams(x, assoc.Params{DSCP: 46}); err != nil {
		t.Fatal(err)
	}
	if p.flush(); before == 0 || q.flight <= before {
		t.Errorf("in flight before %d bytes, then %d", before, q.flight)
	}
}
