package sctp_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// Group SCTP-7-28: shutdown.

var (
	shutdownAck      = tlv32(ctShutdownAck, 0, nil)
	shutdownComplete = tlv32(ctShutdownComplete, 0, nil)
)

// closed wants the end of an association, with nothing left.
func (c *conv) closed(kind assoc.Kind) event {
	c.t.Helper()
	ev := c.event(kind)
	c.noEvents()
	c.wantState("CLOSED")
	if _, armed := c.ep.Next(); armed || !c.ep.Idle() {
		c.t.Fatal("something is left (SCTP-7-09)")
	}
	return ev
}

func (c *conv) peerShutdown(cta uint32) { c.t.Helper(); c.inject(tlv32(ctShutdown, 0, u32(cta))) }

func TestScriptShutdownIdle(t *testing.T) {
	c := newConv(t).establishServer()
	c.data("seen")
	c.message("seen")
	c.discard()
	c.shutdown()
	if p := c.expectOwn(ctShutdown); be32(p.chunks[0].value) != c.tsn-1 {
		t.Fatalf("%v", p)
	}
	c.inject(shutdownAck)
	if p := c.expectOwn(ctShutdownComplete); p.chunks[0].flags != 0 {
		t.Fatalf("%v", p)
	}
	c.closed(assoc.ShutdownComplete)
}

func TestScriptShutdownByPeer(t *testing.T) {
	c := newConv(t).establishServer()
	c.peerShutdown(c.engTSN - 1)
	c.event(assoc.ShutdownEvent)
	c.expectOwn(ctShutdownAck)
	c.inject(shutdownComplete)
	c.closed(assoc.ShutdownComplete)
}

// TestScriptShutdownWithQueuedData: SHUTDOWN only when all is acknowledged;
// the peer's SHUTDOWN lets queued data out first (SCTP-2-50, 2-52, 8-24).
func TestScriptShutdownWithQueuedData(t *testing.T) {
	for _, by := range []string{"us", "peer"} {
		t.Run(by, func(t *testing.T) {
			c := newConv(t).establishServer()
			c.must(c.ep.Send(c.now, []byte(strings.Repeat("q", 30000)), &assoc.SendInfo{Assoc: c.id}))
			c.drain()
			if by == "us" {
				c.shutdown()
			} else {
				c.peerShutdown(c.engTSN - 1)
				c.event(assoc.ShutdownEvent)
			}
			if err := c.ep.Send(c.now, []byte("late"), &assoc.SendInfo{Assoc: c.id}); !errors.Is(err, assoc.ErrPipe) {
				t.Fatalf("%v (SCTP-4-06)", err)
			}
			n, last := 0, uint32(0)
			want := byte(ctShutdown)
			if by == "peer" {
				want = ctShutdownAck
			}
			for n < 21 {
				ps := c.discard()
				if len(ps) == 0 {
					t.Fatalf("stops after %d chunks", n)
				}
				for _, p := range ps {
					if p.has(want) {
						t.Fatalf("%s after %d of 21 chunks", chunkName(want), n)
					}
					for _, d := range p.datas() {
						n, last = n+1, d.tsn
					}
				}
				if by == "us" || n%2 == 0 {
					c.inject(sackChunk(last, 1<<16, nil))
				} else {
					c.peerShutdown(last) // acknowledges like a SACK
				}
			}
			c.expectOwn(want)
			if by == "us" {
				c.inject(shutdownAck)
				c.expectOwn(ctShutdownComplete)
			} else {
				c.inject(shutdownComplete)
			}
			c.closed(assoc.ShutdownComplete)
		})
	}
}

// TestScriptDataInShutdownSent is delivered and answered at once by SHUTDOWN,
// with a SACK when there is a gap or a duplicate (SCTP-2-51, 8-24).
func TestScriptDataInShutdownSent(t *testing.T) {
	c := inState(t, "SHUTDOWN-SENT", fixedRTO(300*time.Millisecond))
	c.advance(200 * time.Millisecond)
	c.data("still welcome")
	c.message("still welcome")
	check := func(cta uint32, blocks, dups int) {
		t.Helper()
		down, sack := false, false
		for _, p := range c.discard() {
			if k, ok := p.chunk(ctShutdown); ok {
				down = be32(k.value) == cta
			}
			if k, ok := p.chunk(ctSack); ok {
				s := parseSack(k)
				sack = s.cta == cta && len(s.blocks) == 2*blocks && len(s.dups) == dups
			}
		}
		if !down || !sack && blocks+dups > 0 {
			t.Fatalf("SHUTDOWN with CTA %d: %v, SACK: %v", cta, down, sack)
		}
	}
	check(c.tsn-1, 0, 0)
	c.inject(dataChunk(fB|fE, c.tsn+1, 0, c.ssn+1, 0, "behind a gap"))
	check(c.tsn-1, 1, 0)
	c.inject(dataChunk(fB|fE, c.tsn+1, 0, c.ssn+1, 0, "behind a gap"))
	check(c.tsn-1, 1, 1)
	c.data("closes it")
	c.message("closes it")
	c.message("behind a gap")
	check(c.tsn, 0, 0)
	// T2 was restarted by it: not a moment too soon.
	c.advance(250 * time.Millisecond)
	c.quiet()
	c.advance(100 * time.Millisecond)
	c.expectOwn(ctShutdown)
	c.inject(shutdownAck)
	c.expectOwn(ctShutdownComplete)
	c.closed(assoc.ShutdownComplete)
}

// TestScriptSimultaneousShutdown (SCTP-2-54).
func TestScriptSimultaneousShutdown(t *testing.T) {
	t.Run("both SHUTDOWN ACK", func(t *testing.T) {
		c := inState(t, "SHUTDOWN-SENT")
		c.peerShutdown(c.engTSN - 1)
		c.expectOwn(ctShutdownAck)
		c.wantState("SHUTDOWN-ACK-SENT")
		c.inject(shutdownAck)
		c.expectOwn(ctShutdownComplete)
		c.events = dropKind(c.events, assoc.ShutdownEvent)
		c.closed(assoc.ShutdownComplete)
	})
	t.Run("the peer completes", func(t *testing.T) {
		c := inState(t, "SHUTDOWN-SENT")
		c.peerShutdown(c.engTSN - 1)
		c.expectOwn(ctShutdownAck)
		c.inject(shutdownComplete)
		c.events = dropKind(c.events, assoc.ShutdownEvent)
		c.closed(assoc.ShutdownComplete)
	})
	t.Run("SHUTDOWN in SHUTDOWN-PENDING", func(t *testing.T) {
		c := inState(t, "SHUTDOWN-PENDING")
		c.peerShutdown(c.engTSN - 1)
		c.events = dropKind(c.events, assoc.ShutdownEvent)
		c.quiet()
		c.inject(sackChunk(c.engTSN, 1<<16, nil))
		c.expectOwn(ctShutdownAck)
		c.inject(shutdownComplete)
		c.closed(assoc.ShutdownComplete)
	})
}

func dropKind(list []event, kind assoc.Kind) (out []event) {
	for _, ev := range list {
		if ev.Kind != kind {
			out = append(out, ev)
		}
	}
	return out
}

// TestScriptT2 repeats SHUTDOWN and SHUTDOWN ACK to the limit, then gives up
// (SCTP-2-53, 8-14).
func TestScriptT2(t *testing.T) {
	for state, typ := range map[string]byte{"SHUTDOWN-SENT": ctShutdown, "SHUTDOWN-ACK-SENT": ctShutdownAck} {
		t.Run(state, func(t *testing.T) {
			c := inState(t, state)
			if gaps := c.resends(typ, assoc.CommLost); len(gaps) != 4 {
				t.Fatalf("%d re-sends, want 3", len(gaps)-1)
			}
			c.wantState("CLOSED")
		})
	}
}

// TestScriptT2CountRestarts: a peer that is heard of is not dead (SCTP-2-51).
func TestScriptT2CountRestarts(t *testing.T) {
	for _, state := range []string{"SHUTDOWN-SENT", "SHUTDOWN-ACK-SENT"} {
		c := inState(t, state)
		for range 20 {
			c.advance(time.Second)
			c.inject(tlv32(ctHeartbeat, 0, tlv16(1, []byte("still here"))))
			c.discard()
		}
		c.wantState(state)
		c.forget()
	}
}

// TestScriptT2CarriesNewCTA: a repeated SHUTDOWN acknowledges what came in
// between.
func TestScriptT2CarriesNewCTA(t *testing.T) {
	c := inState(t, "SHUTDOWN-SENT")
	c.data("x")
	c.message("x")
	c.discard()
	c.advance(time.Second)
	for _, p := range c.discard() {
		if k, ok := p.chunk(ctShutdown); !ok || be32(k.value) != c.tsn-1 {
			t.Fatalf("%v", p)
		}
	}
	c.forget()
}

// TestScriptT5 bounds the shutdown as a whole, also of a peer that keeps
// sending (SCTP-2-53, table T5).
func TestScriptT5(t *testing.T) {
	c := newConv(t, withParams(func(p *assoc.Params) { p.ShutdownGuard = 3 * time.Second })).establishServer()
	c.shutdown()
	c.expectOwn(ctShutdown)
	aborted := false
	for range 50 {
		if c.status().State == "CLOSED" {
			break
		}
		c.data("talks on")
		c.advance(100 * time.Millisecond)
		for _, p := range c.discard() {
			aborted = aborted || p.has(ctAbort)
		}
	}
	if !aborted {
		t.Fatal("no ABORT by T5")
	}
	c.events = dropKind(c.events, assoc.Message)
	c.closed(assoc.CommLost)
}

// TestScriptShutdownCTAUnsent is a protocol violation (SCTP-2-52).
func TestScriptShutdownCTAUnsent(t *testing.T) {
	c := newConv(t).establishServer()
	c.peerShutdown(c.engTSN + 9)
	c.expectOwn(ctAbort)
	for len(c.events) > 1 {
		c.events = c.events[1:]
	}
	c.closed(assoc.CommLost)
}

// TestScriptShutdownDuringSetup (SCTP-2-07): with nothing queued the attempt
// ends, with data queued it is sent first.
func TestScriptShutdownDuringSetup(t *testing.T) {
	for _, state := range []string{"COOKIE-WAIT", "COOKIE-ECHOED"} {
		t.Run(state+" idle", func(t *testing.T) {
			c := inState(t, state)
			c.shutdown()
			c.advance(time.Minute)
			for _, p := range c.discard() {
				if !p.has(ctAbort) {
					t.Fatalf("%v", p)
				}
			}
			if len(c.events) != 1 {
				t.Fatalf("%+v", c.events)
			}
			c.closed(c.events[0].Kind)
		})
	}
	t.Run("queued", func(t *testing.T) {
		c := inState(t, "COOKIE-WAIT")
		c.send("first deliver this")
		c.shutdown()
		c.inject(c.ownInitAck())
		sent := ""
		for range 5 {
			for _, p := range c.discard() {
				for _, d := range p.datas() {
					sent = string(d.user)
				}
			}
			if sent == "" {
				c.inject(tlv32(ctCookieAck, 0, nil))
			}
		}
		if sent != "first deliver this" {
			t.Fatalf("sent %q", sent)
		}
		if c.status().State == "COOKIE-ECHOED" {
			c.inject(tlv32(ctCookieAck, 0, nil), sackChunk(c.engTSN, 1<<16, nil))
		} else {
			c.inject(sackChunk(c.engTSN, 1<<16, nil))
		}
		c.event(assoc.CommUp)
		c.expectOwn(ctShutdown)
		c.inject(shutdownAck)
		c.expectOwn(ctShutdownComplete)
		c.closed(assoc.ShutdownComplete)
	})
}

// TestScriptShutdownTwice is no error, and ends once.
func TestScriptShutdownTwice(t *testing.T) {
	for _, state := range states[4:] {
		c := inState(t, state)
		if err := c.ep.Shutdown(c.now, c.id); err != nil && !errors.Is(err, assoc.ErrPipe) {
			t.Errorf("%s: %v", state, err)
		}
		c.drain()
		c.quiet()
		c.wantState(state)
		c.forget()
	}
}

// TestScriptIncompleteMessageAtShutdown is dropped without an event.
func TestScriptIncompleteMessageAtShutdown(t *testing.T) {
	c := newConv(t).establishServer()
	c.inject(dataChunk(fB, c.tsn, 0, 0, 0, "the rest never comes"))
	c.tsn++
	c.peerShutdown(c.engTSN - 1)
	c.event(assoc.ShutdownEvent)
	for _, p := range c.discard() {
		if p.has(ctAbort) {
			t.Fatalf("%v", p)
		}
	}
	c.inject(shutdownComplete)
	c.closed(assoc.ShutdownComplete)
}
