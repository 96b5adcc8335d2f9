package sctp_test

import (
	"strings"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// TestScriptOneAbort: what breaks the rules ends the association once: one ABORT,
// one event, whatever else is wrong with it or stands behind it (SCTP-1-14).
func TestScriptOneAbort(t *testing.T) {
	short := tlv32(ctData, fB|fE, make([]byte, 3))
	for name, chunks := range map[string]func(c *conv) [][]byte{
		"FORWARD TSN of the wrong kind, and cut": func(*conv) [][]byte { return [][]byte{tlv32(ctIForwardTSN, 0, make([]byte, 3))} },
		"DATA of the wrong kind":                 func(c *conv) [][]byte { return [][]byte{iDataChunk(fB|fE, c.tsn, 0, 0, 0, "x"), short} },
		"no user data":                           func(c *conv) [][]byte { return [][]byte{dataChunk(fB|fE, c.tsn, 0, 0, 0, ""), short} },
		"cut":                                    func(*conv) [][]byte { return [][]byte{short, short} },
		"unsent TSN":                             func(c *conv) [][]byte { return [][]byte{sackChunk(c.engTSN, 1<<16, nil), short} },
		"unsent TSN in SHUTDOWN":                 func(c *conv) [][]byte { return [][]byte{tlv32(ctShutdown, 0, u32(c.engTSN+5)), short} },
		"fragments": func(c *conv) [][]byte {
			return [][]byte{dataChunk(fB, c.tsn, 0, 0, 0, "x"), dataChunk(fB, c.tsn+1, 0, 0, 0, "x"), short}
		},
		"too far": func(c *conv) [][]byte { return [][]byte{tlv32(ctForwardTSN, 0, u32(c.tsn+1<<20)), short} },
	} {
		t.Run(name, func(t *testing.T) {
			c := newConv(t)
			c.offers = tlv16(0xc000, nil)
			c.establishServer()
			c.inject(chunks(c)...)
			c.expectOwn(ctAbort)
			c.event(assoc.CommLost)
			c.wantState("CLOSED")
			if _, ok := c.ep.Next(); ok {
				t.Error("an alarm is left")
			}
		})
	}
}

// TestScriptDuplicatesAreBounded: a SACK lists 32 duplicates, and none twice over
// two SACKs (SCTP-3-34).
func TestScriptDuplicatesAreBounded(t *testing.T) {
	c := newConv(t).establishServer()
	d := c.nextData("once")
	c.inject(d)
	c.message("once")
	c.expectOwn(ctSack)
	for _, tt := range []struct{ sent, listed int }{{1, 1}, {31, 31}, {32, 32}, {33, 32}, {40, 32}} {
		var chunks [][]byte
		for range tt.sent {
			chunks = append(chunks, d)
		}
		c.inject(chunks...)
		if s := parseSack(c.expectOwn(ctSack).chunks[0]); len(s.dups) != tt.listed {
			t.Errorf("%d duplicates: %d listed", tt.sent, len(s.dups))
		}
	}
}

// TestScriptReasonIsCut: the reason of an ABORT is cut to 512 bytes on the way out
// and in, and to what can be printed on the way in (SCTP-2-55).
func TestScriptReasonIsCut(t *testing.T) {
	for n, want := range map[int]int{0: 0, 1: 1, 511: 511, 512: 512, 513: 512, 5000: 512} {
		c := newConv(t).establishServer()
		c.abort(strings.Repeat("r", n))
		list, err := walkTLVs(c.expectOwn(ctAbort).chunks[0].value)
		if c.must(err); len(list) != 1 || list[0].typ != 12 || len(list[0].value) != want {
			t.Errorf("%d bytes: %+v", n, list)
		}
		c.event(assoc.CommLost)
		c = newConv(t).establishServer()
		c.inject(tlv32(ctAbort, 0, tlv16(12, []byte(" \x1f~\x7f\x80"+strings.Repeat("r", n)))))
		got := c.event(assoc.CommLost).Err.Error()
		if in := min(n, 512-5); !strings.Contains(got, " ~"+strings.Repeat("r", in)) || strings.Count(got, "r") > 520 || strings.ContainsAny(got, "\x1f\x7f") || strings.IndexByte(got, 0x80) >= 0 {
			t.Errorf("%d bytes: %q", n, got)
		}
	}
}

// TestScriptNotesAreBounded: 64 complaints of a peer wait to be read, the rest is
// dropped; when they are read there is room again (SCTP-6-07).
func TestScriptNotesAreBounded(t *testing.T) {
	c := newConv(t).establishServer()
	c.mute = true
	for range 2 {
		for range 100 {
			c.inject(tlv32(ctError, 0, tlv16(1, u16(7, 0))))
		}
		c.readAll()
		if len(c.events) != 64 {
			t.Fatalf("%d events", len(c.events))
		}
		for range 64 {
			if ev := c.event(assoc.RemoteError); ev.Cause != 1 {
				t.Fatalf("%+v", ev)
			}
		}
	}
}

// TestScriptHeartbeatIntervalMoves: a new interval moves the heartbeat that is to
// come by the difference, none takes it away, and one again brings it back
// (SCTP-4-22).
func TestScriptHeartbeatIntervalMoves(t *testing.T) {
	c := newConv(t, withParams(heartbeats)).establishServer()
	set := func(d time.Duration) { c.must(c.ep.SetParams(c.id, assoc.Params{HeartbeatInterval: d})) }
	first, ok := c.ep.Next()
	if !ok {
		t.Fatal("no heartbeat to come")
	}
	for _, d := range []time.Duration{5 * time.Second, 2 * time.Second, time.Second} {
		set(d)
		if at, _ := c.ep.Next(); !at.Equal(first.Add(d - time.Second)) {
			t.Errorf("interval %v: the heartbeat moves by %v", d, at.Sub(first))
		}
	}
	set(-1)
	if at, ok := c.ep.Next(); ok {
		t.Errorf("no interval: a heartbeat in %v", at.Sub(c.now))
	}
	set(3 * time.Second)
	at, ok := c.ep.Next()
	if d := at.Sub(c.now); !ok || d > 3*time.Second+c.par.RTOInitial*3/2 {
		t.Fatalf("an interval again: a heartbeat in %v", d)
	}
	c.advance(max(0, at.Sub(c.now)))
	c.expectOwn(ctHeartbeat)
	next, _ := c.ep.Next() // until it is missed
	set(time.Second)
	if now, _ := c.ep.Next(); !now.Equal(next) {
		t.Error("a heartbeat under way was moved")
	}
	c.forget()
}
