package sctp_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// Group SCTP-7-25: acknowledgements and the receive window.

// started has an association whose first DATA was acknowledged.
func started(t *testing.T, opts ...option) *conv {
	t.Helper()
	c := newConv(t, opts...).establishServer()
	c.data("first")
	c.message("first")
	c.expectOwn(ctSack)
	return c
}

func (c *conv) expectSack() wireSack {
	c.t.Helper()
	return parseSack(c.expectOwn(ctSack).chunks[0])
}

// TestScriptSackEverySecondPacket, and for a single one after SACK.Delay
// (SCTP-3-30).
func TestScriptSackEverySecondPacket(t *testing.T) {
	c := started(t)
	for range 3 {
		c.data("a")
		c.quiet()
		c.data("b")
		if s := c.expectSack(); s.cta != c.tsn-1 {
			t.Fatalf("%+v", s)
		}
	}
	c.data("alone")
	p := c.expectAfter(20*time.Millisecond, ctSack)
	if s := parseSack(p.chunks[0]); s.cta != c.tsn-1 || len(s.blocks)+len(s.dups) != 0 {
		t.Fatalf("%+v", s)
	}
	c.inject(c.nextData("one packet"), c.nextData("two chunks"))
	c.quiet()
	c.expectAfter(20*time.Millisecond, ctSack)
	c.advance(time.Minute)
	c.events = nil
}

// TestScriptSackRidesWithData (SCTP-3-13, 3-32).
func TestScriptSackRidesWithData(t *testing.T) {
	c := started(t)
	c.data("request")
	c.message("request")
	c.quiet()
	c.send("response")
	p := c.expectOwn(ctSack, ctData)
	if s := parseSack(p.chunks[0]); s.cta != c.tsn-1 {
		t.Fatalf("%+v", s)
	}
	c.inject(sackChunk(c.engTSN, 1<<16, nil))
	c.advance(time.Second) // the delay timer was stopped
}

// TestScriptSackAtOnce: I bit, duplicates, gaps (SCTP-3-31).
func TestScriptSackAtOnce(t *testing.T) {
	c := started(t)
	first := c.tsn
	c.inject(dataChunk(fB|fE|fI, c.tsn, 0, c.ssn, 0, "now"))
	c.tsn, c.ssn = c.tsn+1, c.ssn+1
	c.message("now")
	c.expectSack()

	c.inject(dataChunk(fB|fE, first, 0, 1, 0, "now")) // only a duplicate
	if s := c.expectSack(); s.cta != first || !slices.Equal(s.dups, []uint32{first}) {
		t.Fatalf("%+v", s)
	}
	again := dataChunk(fB|fE, first, 0, 1, 0, "now")
	c.inject(again, again, again)
	if s := c.expectSack(); len(s.dups) != 3 {
		t.Fatalf("%+v (SCTP-3-34)", s)
	}
	c.inject(again)
	if s := c.expectSack(); len(s.dups) != 1 {
		t.Fatalf("duplicates are reported again: %+v", s)
	}

	// A gap: each packet at once until it closes.
	gap, ssn := c.tsn, c.ssn
	for i := range uint32(3) {
		c.inject(dataChunk(fB|fE, gap+1+2*i, 1, uint16(i), 0, "x"))
		c.message("x")
		s := c.expectSack()
		var want []uint16
		for j := range uint16(i) + 1 {
			want = append(want, 2+2*j, 2+2*j)
		}
		if s.cta != gap-1 || !slices.Equal(s.blocks, want) {
			t.Fatalf("%+v, want blocks %v", s, want)
		}
	}
	c.inject(dataChunk(fB|fE, gap+2, 2, 0, 0, "y"))
	c.message("y")
	if s := c.expectSack(); !slices.Equal(s.blocks, []uint16{2, 4, 6, 6}) {
		t.Fatalf("%+v", s)
	}
	c.inject(dataChunk(fB|fE, gap, 0, ssn, 0, "closes"))
	c.message("closes")
	if s := c.expectSack(); s.cta != gap+3 || !slices.Equal(s.blocks, []uint16{2, 2}) {
		t.Fatalf("%+v", s)
	}
	c.inject(dataChunk(fB|fE, gap+4, 2, 1, 0, "all"))
	c.message("all")
	if s := c.expectSack(); s.cta != gap+5 || len(s.blocks) != 0 {
		t.Fatalf("%+v", s)
	}
}

// TestScriptSackTooManyBlocks: the lowest that fit, in one packet
// (SCTP-3-33).
func TestScriptSackTooManyBlocks(t *testing.T) {
	c := started(t)
	for i := range uint32(1000) {
		c.out = nil
		c.inject(dataChunk(fB|fE|fU, c.tsn+1+2*i, 0, 0, 0, "x"))
	}
	p := c.out[len(c.out)-1]
	c.forget()
	s := parseSack(p.chunks[0])
	if len(p.raw) > 1472 || len(s.blocks) < 2*300 || s.blocks[0] != 2 {
		t.Fatalf("%d bytes, %d blocks", len(p.raw), len(s.blocks)/2)
	}
}

// TestScriptTSNTooFar is dropped without a trace (SCTP-3-20).
func TestScriptTSNTooFar(t *testing.T) {
	c := started(t)
	c.inject(dataChunk(fB|fE, c.tsn+70_000, 0, c.ssn, 0, "far"))
	for _, p := range c.discard() {
		if k, ok := p.chunk(ctSack); !ok || len(parseSack(k).blocks) > 0 {
			t.Fatalf("%v", p)
		}
	}
	c.data("near")
	c.message("near")
	c.advance(time.Second)
	c.expectSack()
}

// TestScriptClosedWindow: with the reader stopped the window falls to 0, new
// DATA is dropped and answered at once, a gap is still filled (SCTP-3-25,
// 3-41), and reading opens it with an update (SCTP-3-42, 8-20).
func TestScriptClosedWindow(t *testing.T) {
	c := started(t)
	c.mute = true
	hole := c.tsn
	holeSSN := c.ssn
	c.tsn, c.ssn = c.tsn+1, c.ssn+1
	big := strings.Repeat("w", 1400)
	var s wireSack
	n := 0
	for ; n < 100; n++ {
		c.data(big)
		s = c.expectSack()
		if s.rwnd == 0 {
			break
		}
		if int(s.rwnd) > 1<<16-n*1400 {
			t.Fatalf("window %d after %d bytes (SCTP-3-40)", s.rwnd, n*1400)
		}
	}
	if s.rwnd != 0 || n < 30 {
		t.Fatalf("window %d after %d packets", s.rwnd, n)
	}
	// The slack of a packet, and then nothing above the highest.
	dropped := uint32(0)
	for range 3 {
		last := s
		c.inject(dataChunk(fB|fE, c.tsn, 0, c.ssn, 0, big))
		s = c.expectSack()
		if slices.Equal(s.blocks, last.blocks) {
			dropped++
		} else {
			c.tsn, c.ssn = c.tsn+1, c.ssn+1
		}
	}
	if dropped == 0 {
		t.Fatal("takes DATA without end")
	}
	c.inject(dataChunk(fB|fE, hole, 0, holeSSN, 0, big))
	s = c.expectSack()
	if serialLess(s.cta, hole) {
		t.Fatalf("the gap stays open: %+v", s)
	}
	// Nothing was delivered before the gap closed; now read it all.
	c.mute = false
	total := 0
	for {
		c.mute = true
		ok := c.readOne()
		c.mute = false
		if !ok {
			break
		}
	}
	for _, ev := range c.events {
		total += len(ev.data)
	}
	c.events = nil
	updates := c.discard()
	if len(updates) == 0 || len(updates) > 8 {
		t.Fatalf("%d window updates", len(updates))
	}
	w := parseSack(updates[len(updates)-1].chunks[0])
	if w.rwnd < 1<<15 || w.cta != s.cta {
		t.Fatalf("%+v", w)
	}
	if total < 1400*n {
		t.Fatalf("%d bytes read", total)
	}
}

// TestScriptClosedWindowInOrder: without a gap too, what is dropped is
// answered at once (SCTP-3-25, 3-31).
func TestScriptClosedWindowInOrder(t *testing.T) {
	c := started(t)
	c.mute = true
	big := strings.Repeat("w", 1400)
	for range 60 {
		c.data(big)
		c.advance(time.Second) // SACKs that were delayed are out
		c.discard()
		if s := c.status(); s.State != "ESTABLISHED" {
			t.Fatal(s.State)
		}
	}
	dropped := c.ep.Counters().DataDropped
	if dropped == 0 {
		t.Fatal("takes DATA without end")
	}
	c.tsn -= uint32(dropped)
	c.inject(dataChunk(fB|fE, c.tsn, 0, c.ssn-uint16(dropped), 0, big))
	if s := c.expectSack(); s.cta != c.tsn-1 || s.rwnd != 0 {
		t.Fatalf("%+v, want CTA %d and no window", s, c.tsn-1)
	}
	c.mute = false
	c.readAll()
	c.forget()
}

// TestScriptWindowStep: reading a little does not move the right edge of the
// window by a little (SCTP-3-41).
func TestScriptWindowStep(t *testing.T) {
	c := started(t)
	c.mute = true
	c.data("a few bytes")
	edge := func() int {
		t.Helper()
		c.data(strings.Repeat("x", 1000))
		c.advance(time.Second)
		p := c.discard()
		s := parseSack(p[len(p)-1].chunks[0])
		return int(s.cta-peerISN)*1000 + int(s.rwnd) // every later message has 1000 bytes
	}
	before := edge()
	c.readOne()
	if after := edge(); after != before {
		t.Fatalf("the edge moved by %d", after-before)
	}
	c.readOne()
	c.readOne() // now more than a packet was read
	if after := edge(); after < before+1460 {
		t.Fatalf("the edge moved by %d only", after-before)
	}
	c.mute = false
	c.readAll()
	c.forget()
}

// TestScriptSackRefused: SACKs that must not be believed (SCTP-3-50, 6-06).
func TestScriptSackRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		sack func(c *conv) []byte
		ends bool
	}{
		"old":                 {func(c *conv) []byte { return sackChunk(c.engTSN-5, 0, nil) }, false},
		"unsent CTA":          {func(c *conv) []byte { return sackChunk(c.engTSN+3, 1<<16, nil) }, true},
		"unsent gap":          {func(c *conv) []byte { return sackChunk(c.engTSN, 1<<16, []uint16{2, 30}) }, true},
		"half around":         {func(c *conv) []byte { return sackChunk(c.engTSN+1<<31-2, 1<<16, nil) }, true},
		"start behind end":    {func(c *conv) []byte { return sackChunk(c.engTSN-1, 1<<16, []uint16{3, 2}) }, false},
		"block that covers 0": {func(c *conv) []byte { return sackChunk(c.engTSN-1, 1<<16, []uint16{0, 1}) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := newConv(t).establishServer()
			for range 3 {
				c.send("message")
				c.expectOwn(ctData)
			}
			c.inject(tt.sack(c))
			if !tt.ends {
				c.wantState("ESTABLISHED")
				c.forget()
				return
			}
			c.expectOwn(ctAbort)
			for range 3 {
				if ev := c.event(assoc.SendFailed); ev.Unsent || ev.data != "message" {
					t.Fatalf("%+v", ev)
				}
			}
			c.event(assoc.CommLost)
		})
	}
}

// TestScriptReneging: a chunk that was gap-acknowledged and is not any more
// is outstanding again (SCTP-3-53).
func TestScriptReneging(t *testing.T) {
	c := newConv(t, fixedRTO(300*time.Millisecond)).establishServer()
	for range 3 {
		c.send("message")
		c.expectOwn(ctData)
	}
	c.inject(sackChunk(c.engTSN-1, 1<<16, []uint16{2, 3}))
	if s := c.status(); s.Paths[0].InFlight != 24 {
		t.Fatalf("%d in flight", s.Paths[0].InFlight)
	}
	c.inject(sackChunk(c.engTSN, 1<<16, nil)) // forgets 2 and 3
	if s := c.status(); s.Unacked != 2 {
		t.Fatalf("%d unacked", s.Unacked)
	}
	seen := map[uint32]bool{}
	for range 40 {
		c.advance(50 * time.Millisecond)
		for _, p := range c.discard() {
			for _, d := range p.datas() {
				seen[d.tsn] = true
			}
		}
	}
	if !seen[c.engTSN+1] || !seen[c.engTSN+2] {
		t.Fatalf("re-sent %v", seen)
	}
	c.inject(sackChunk(c.engTSN+2, 1<<16, nil))
	if s := c.status(); s.Unacked != 0 || s.Paths[0].InFlight != 0 {
		t.Fatalf("%+v", s)
	}
	c.forget()
}

// TestScriptRenegingBetweenBlocks: also when later blocks stay.
func TestScriptRenegingBetweenBlocks(t *testing.T) {
	c := newConv(t, fixedRTO(300*time.Millisecond)).establishServer()
	for range 6 {
		c.send("message")
		c.expectOwn(ctData)
	}
	c.inject(sackChunk(c.engTSN-1, 1<<16, []uint16{2, 2, 4, 4, 6, 6}))
	c.inject(sackChunk(c.engTSN-1, 1<<16, []uint16{6, 6}))
	if f := c.status().Paths[0].InFlight; f != 5*24 {
		t.Fatalf("%d bytes in flight, want those of five chunks", f)
	}
	c.inject(sackChunk(c.engTSN+4, 1<<16, nil)) // and the last one too
	if f := c.status().Paths[0].InFlight; f != 24 {
		t.Fatalf("%d bytes in flight, want those of one chunk", f)
	}
	c.expectAfter(300*time.Millisecond, ctData)
	c.inject(sackChunk(c.engTSN+5, 1<<16, nil))
}

// TestScriptManyBlocks: 16,000 hostile blocks cost no quadratic work
// (SCTP-3-54).
func TestScriptManyBlocks(t *testing.T) {
	c := newConv(t, withParams(func(p *assoc.Params) { p.MaxBurst = 1000 })).establishServer()
	for range 2000 {
		c.must(c.ep.Send(c.now, []byte("tiny"), &assoc.SendInfo{Assoc: c.id, Unordered: true}))
	}
	c.drain()
	var last uint32
	for _, p := range c.discard() {
		for _, d := range p.datas() {
			last = d.tsn
		}
	}
	span := uint16(last - c.engTSN + 1)
	var blocks []uint16
	for range 8000 { // twice, overlapping
		for b := uint16(2); b <= span && len(blocks) < 2*16000; b += 2 {
			blocks = append(blocks, b, b)
		}
	}
	start := time.Now()
	for range 20 {
		c.inject(sackChunk(c.engTSN-1, 1<<16, blocks))
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Fatalf("%v", took)
	}
	c.forget()
}

// TestScriptZeroWindowProbe: one chunk goes out into a closed window, first
// after an RTO, then backing off, without end and without errors as long as
// SACKs come back (SCTP-3-44, 3-45).
func TestScriptZeroWindowProbe(t *testing.T) {
	c := newConv(t).establishServer()
	c.send("opens the path")
	c.expectOwn(ctData)
	c.inject(sackChunk(c.engTSN, 0, nil))
	for i := range 20 {
		c.send(fmt.Sprint("waits ", i))
	}
	last := c.now
	probes := 0
	for range 300 {
		c.advance(100 * time.Millisecond)
		for _, p := range c.discard() {
			if ds := p.datas(); len(ds) != 1 || ds[0].tsn != c.engTSN+1 {
				t.Fatalf("%v: want one probing chunk", p)
			}
			probes++
			last = p.at
			c.inject(sackChunk(c.engTSN, 0, nil)) // still closed
		}
		if quiet := c.now.Sub(last); quiet > 3*c.par.RTOMax {
			t.Fatalf("no probe for %v", quiet)
		}
	}
	if probes < 10 {
		t.Fatalf("%d probes in 30 s", probes)
	}
	c.wantState("ESTABLISHED")
	c.inject(sackChunk(c.engTSN, 1<<16, nil)) // a window update wakes it (SCTP-3-55, 8-21)
	var users []string
	for range 10 {
		for _, p := range c.discard() {
			for _, d := range p.datas() {
				users = append(users, string(d.user))
			}
		}
		c.advance(100 * time.Millisecond)
	}
	if len(users) < 20 {
		t.Fatalf("%v", users)
	}
	c.inject(sackChunk(c.engTSN+20, 1<<16, nil))
	c.forget()
}

// TestScriptWindowSmallerThanAChunk: a window that is open, but for less than the
// chunk that waits, is closed for it, also where packets have become smaller since
// it was cut: the peer is not to blame while SACKs come back (SCTP-3-44).
func TestScriptWindowSmallerThanAChunk(t *testing.T) {
	c := newConv(t, withParams(func(p *assoc.Params) { p.MTU = 9000 })).establishServer()
	c.send(strings.Repeat("x", 8000))
	c.expectOwn(ctData)
	c.must(c.ep.SetParams(c.id, assoc.Params{MTU: -1})) // packets are small from now on
	for range 600 {
		c.inject(sackChunk(c.engTSN-1, 5000, nil))
		c.advance(100 * time.Millisecond)
		c.discard()
	}
	c.wantState("ESTABLISHED")
	if n := c.status().Paths[0].Errors; n != 0 {
		t.Errorf("%d errors", n)
	}
	c.inject(sackChunk(c.engTSN, 1<<16, nil))
	c.forget()
}

// TestScriptProbeAcknowledged: the probe is taken and the window stays shut;
// the next probe must come (SCTP-3-45).
func TestScriptProbeAcknowledged(t *testing.T) {
	c := newConv(t).establishServer()
	for i := range 10 {
		c.send(fmt.Sprint("m", i))
	}
	c.discard()
	c.inject(sackChunk(c.engTSN+uint32(c.status().Unacked)-1, 0, nil))
	for i := range 5 {
		c.send(fmt.Sprint("late", i))
	}
	taken := 0
	for range 400 {
		c.advance(50 * time.Millisecond)
		for _, p := range c.discard() {
			for _, d := range p.datas() {
				taken++
				c.inject(sackChunk(d.tsn, 0, nil))
			}
		}
	}
	if taken < 5 {
		t.Fatalf("%d of 5 messages got through", taken)
	}
}

// TestScriptSilentProbe: when nothing at all comes back the association ends.
func TestScriptSilentProbe(t *testing.T) {
	c := newConv(t).establishServer()
	c.send("a")
	c.expectOwn(ctData)
	c.inject(sackChunk(c.engTSN, 0, nil))
	c.send("b")
	c.advance(time.Minute)
	c.discard()
	for len(c.events) > 1 {
		c.events = c.events[1:]
	}
	c.event(assoc.CommLost)
}

// TestScriptShrinkingWindow: a_rwnd may fall faster than bytes are sent
// (SCTP-3-43).
func TestScriptShrinkingWindow(t *testing.T) {
	c := newConv(t).establishServer()
	for i := range 4 {
		c.send(strings.Repeat("x", 1000))
		c.discard()
		c.inject(sackChunk(c.engTSN+uint32(i), 1500, nil))
	}
	c.inject(sackChunk(c.engTSN+3, 0, nil))
	c.inject(sackChunk(c.engTSN+3, 1<<31, nil))
	c.send("y")
	c.expectOwn(ctData)
	c.inject(sackChunk(c.engTSN+4, 0, nil))
	c.wantState("ESTABLISHED")
}
