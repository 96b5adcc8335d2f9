package sctp_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// Group SCTP-7-22: collisions and restarts.

const newTag = 0x55667788

// otherInit is the INIT of a peer that starts again.
func (c *conv) otherInit() initBody {
	return initBody{tag: newTag, rwnd: 1 << 16, os: 8, mis: 8, tsn: 1000}
}

// TestScriptInitInEveryState: what an INIT of a new peer gets, and that the
// association does not change by it (SCTP-2-20 to 2-22, 8-07).
func TestScriptInitInEveryState(t *testing.T) {
	for _, state := range states {
		t.Run(state, func(t *testing.T) {
			c := inState(t, state)
			if state == "CLOSED" {
				c.injectVT(0, initChunk(c.otherInit()))
				if p := c.expect(ctInitAck); p.vt != newTag {
					t.Fatalf("%v", p)
				}
				return
			}
			c.injectVT(0, initChunk(c.otherInit()))
			if state == "SHUTDOWN-ACK-SENT" {
				c.expectOwn(ctShutdownAck)
				c.forget()
				return
			}
			p := c.expect(ctInitAck)
			if p.vt != newTag {
				t.Fatalf("%v: want the tag of the INIT", p)
			}
			b := parseInit(p.chunks[0].value)
			switch state {
			case "COOKIE-WAIT", "COOKIE-ECHOED": // SCTP-2-20: the original tag and TSN
				if b.tag != c.tag || b.tsn != c.engTSN {
					t.Fatalf("tag %08x, TSN %d, want %08x, %d", b.tag, b.tsn, c.tag, c.engTSN)
				}
			default:
				if b.tag == c.tag {
					t.Fatal("the same tag (SCTP-2-22)")
				}
			}
			list, _ := walkTLVs(b.params)
			cookie, _ := findTLV(list, 7)
			for _, tag := range []uint32{c.tag, c.peerTag} {
				if state != "COOKIE-WAIT" && state != "COOKIE-ECHOED" && bytes.Contains(cookie, u32(tag)) {
					t.Fatal("the cookie shows a live tag (SCTP-2-23, 8-08)")
				}
			}
			// Tie tags may be created once: a second INIT changes nothing.
			before := fingerprint(c.ep)
			c.injectVT(0, initChunk(c.otherInit()))
			c.expect(ctInitAck)
			if what := changed(before, fingerprint(c.ep)); what != "" {
				t.Fatal("the association changed (SCTP-8-07)", what)
			}
			c.wantState(state)
			c.forget()
		})
	}
}

// TestScriptInitKeepsTimers: T1 runs on as if there had been no INIT.
func TestScriptInitKeepsTimers(t *testing.T) {
	c := inState(t, "COOKIE-WAIT")
	c.advance(200 * time.Millisecond)
	c.injectVT(0, initChunk(c.otherInit()))
	c.expect(ctInitAck)
	c.advance(99 * time.Millisecond)
	c.quiet()
	c.advance(2 * time.Millisecond)
	c.expect(ctInit)
	c.forget()
}

// restart plays a peer that lost its state: INIT, INIT ACK, COOKIE ECHO.
func (c *conv) restart() {
	c.t.Helper()
	c.peerTag, c.tsn, c.ssn = newTag, 1000, 0
	c.injectVT(0, initChunk(c.otherInit()))
	c.takeInitAck(c.expectOwn(ctInitAck))
	c.inject(tlv32(ctCookieEcho, 0, c.cookie))
}

// TestScriptRestart: case A resets the association and returns what was
// not acknowledged (SCTP-2-25, 8-09).
func TestScriptRestart(t *testing.T) {
	for _, state := range []string{"ESTABLISHED", "SHUTDOWN-PENDING", "SHUTDOWN-SENT", "SHUTDOWN-RECEIVED"} {
		t.Run(state, func(t *testing.T) {
			c := inState(t, state)
			if state == "ESTABLISHED" {
				c.data("old")
				c.message("old")
				c.expectOwn(ctSack)
				c.send(strings.Repeat("grow ", 6000))
				c.collect()
				if c.cwnd() == 4404 {
					t.Fatal("the window did not grow")
				}
				c.send("lost in the restart")
				c.expectOwn(ctData)
			}
			id, oldTag := c.id, c.tag
			c.restart()
			c.expectOwn(ctCookieAck)
			if state != "SHUTDOWN-SENT" {
				if ev := c.event(assoc.SendFailed); ev.Unsent {
					t.Fatalf("%+v: it was on the wire", ev)
				}
			}
			if ev := c.event(assoc.Restart); ev.Assoc != id {
				t.Fatalf("%+v", ev)
			}
			c.wantState("ESTABLISHED")
			if p := c.status().Paths[0]; p.Cwnd != 4404 || p.InFlight != 0 || p.RTO != c.par.RTOInitial {
				t.Fatalf("%+v: not the initial values", p)
			}
			if c.tag == oldTag {
				t.Fatal("the old tag lives on")
			}
			c.data("new")
			c.message("new")
			c.expectOwn(ctSack)
			c.send("to the new peer")
			d := c.expectOwn(ctData).datas()[0]
			if d.tsn != c.engTSN || d.ssn != 0 {
				t.Fatalf("%+v: numbers go on from before", d)
			}
			c.inject(sackChunk(d.tsn, 1<<16, nil))
			// What the dead peer may still have in the network is not for us.
			c.injectVT(oldTag, tlv32(ctAbort, 0, nil))
			c.injectVT(oldTag, dataChunk(fB|fE, 1001, 0, 1, 0, "ghost"))
			c.noEvents()
			c.advance(5 * time.Second)
			c.wantState("ESTABLISHED")
		})
	}
}

// TestScriptRestartRate: a peer that restarts again within a second has to wait,
// so that whoever holds its address cannot keep the user busy; the user is told
// of each restart that counts. Tags that belong to another association do not
// make one (SCTP-6-09).
func TestScriptRestartRate(t *testing.T) {
	c := inState(t, "ESTABLISHED")
	c.restart()
	c.expectOwn(ctCookieAck)
	c.event(assoc.Restart)
	tag := c.tag
	again := func() {
		c.advance(500 * time.Millisecond)
		in := c.otherInit()
		in.tag = newTag + 1
		c.injectVT(0, initChunk(in))
		c.peerTag = in.tag
		c.takeInitAck(c.expectOwn(ctInitAck))
		c.inject(tlv32(ctCookieEcho, 0, c.cookie))
	}
	refused := c.ep.Counters().CookiesRefused
	again()
	c.quiet()
	c.noEvents()
	if n := c.ep.Counters().CookiesRefused; n != refused+1 {
		t.Fatalf("%d cookies refused, want one more than %d", n, refused)
	}
	c.peerTag, c.tsn, c.ssn = newTag, 1000, 0
	newer := c.tag
	c.tag = tag
	c.data("the first restart lasts")
	c.message("the first restart lasts")
	c.expectOwn(ctSack)
	c.tag = newer
	again()
	c.expectOwn(ctCookieAck)
	c.event(assoc.Restart)
}

// TestScriptRestartInShutdownAckSent: no restart, SHUTDOWN ACK again and an
// ERROR (SCTP-2-25).
func TestScriptRestartInShutdownAckSent(t *testing.T) {
	// The cookie must be older than the state.
	c := inState(t, "ESTABLISHED")
	c.injectVT(0, initChunk(c.otherInit()))
	p := c.expect(ctInitAck)
	old := *c
	c.takeInitAck(p)
	cookie, tag := c.cookie, c.tag
	c.tag = old.tag
	c.inject(tlv32(ctShutdown, 0, u32(old.engTSN-1)))
	c.expectOwn(ctShutdownAck)
	c.event(assoc.ShutdownEvent)
	c.injectVT(tag, tlv32(ctCookieEcho, 0, cookie))
	var types []byte
	for _, p := range c.discard() {
		types = append(types, p.types()...)
	}
	if !bytes.Contains(types, []byte{ctShutdownAck}) || bytes.Contains(types, []byte{ctCookieAck}) {
		t.Fatalf("%v", names(types))
	}
	c.wantState("SHUTDOWN-ACK-SENT")
	c.forget()
}

// TestScriptRestartCookieCases: what does not match is dropped (SCTP-2-25,
// 8-08).
func TestScriptRestartCookieCases(t *testing.T) {
	t.Run("C: own late cookie", func(t *testing.T) {
		// The cookie of a set-up that the peer began, and which our own
		// overtook: local tag differs, peer tag matches, no tie tags.
		c := newConv(t)
		c.injectVT(0, initChunk(c.ownInit()))
		c.takeInitAck(c.expectOwn(ctInitAck))
		late, lateTag := c.cookie, c.tag
		c.establishClient()
		before := fingerprint(c.ep)
		c.injectVT(lateTag, tlv32(ctCookieEcho, 0, late))
		c.quiet()
		c.noEvents()
		if what := changed(before, fingerprint(c.ep)); what != "" {
			t.Fatal(what)
		}
	})
	t.Run("zero tie tags are no match", func(t *testing.T) {
		c := newConv(t)
		in := c.otherInit()
		c.injectVT(0, initChunk(in))
		p := c.expect(ctInitAck)
		b := parseInit(p.chunks[0].value)
		list, _ := walkTLVs(b.params)
		cookie, _ := findTLV(list, 7)
		c.establishClient()
		c.injectVT(b.tag, tlv32(ctCookieEcho, 0, bytes.Clone(cookie)))
		c.quiet()
		c.noEvents()
		c.wantState("ESTABLISHED")
	})
	t.Run("expired", func(t *testing.T) {
		c := newConv(t).establishClient()
		c.injectVT(0, initChunk(c.otherInit()))
		p := c.expect(ctInitAck)
		saved := c.tag
		c.takeInitAck(p)
		c.advance(c.par.CookieLife + time.Second)
		c.inject(tlv32(ctCookieEcho, 0, c.cookie))
		if p := c.expect(ctError); p.vt != newTag {
			t.Fatalf("%v", p)
		}
		c.tag = saved
		c.wantState("ESTABLISHED")
		c.data("goes on")
		c.message("goes on")
		c.expectOwn(ctSack)
	})
	t.Run("D: expired but both tags match", func(t *testing.T) {
		c := newConv(t).establishServer()
		c.advance(c.par.CookieLife + time.Second)
		c.inject(tlv32(ctCookieEcho, 0, c.cookie))
		c.expectOwn(ctCookieAck)
	})
	t.Run("old association's cookie", func(t *testing.T) {
		// A restart cookie replayed after the restart it made.
		c := newConv(t).establishClient()
		c.restart()
		c.expectOwn(ctCookieAck)
		c.event(assoc.Restart)
		cookie1, tag1 := c.cookie, c.tag
		c.data("one")
		c.message("one")
		c.expectOwn(ctSack)
		c.injectVT(tag1, tlv32(ctCookieEcho, 0, cookie1)) // case D
		c.expectOwn(ctCookieAck)
		c.noEvents()
		c.data("two")
		c.message("two")
		c.advance(time.Second)
		c.expectOwn(ctSack)
	})
}

// TestScriptSimultaneousOpen: both ends connect; the packets arrive in any
// order, one association with one CommUp comes out (cases B and D).
func TestScriptSimultaneousOpen(t *testing.T) {
	for order := range 4 {
		t.Run(fmt.Sprint("order ", order), func(t *testing.T) {
			c := newConv(t)
			c.connect()
			c.takeInit()
			c.injectVT(0, initChunk(c.ownInit()))
			p := c.expectOwn(ctInitAck)
			list, _ := walkTLVs(parseInit(p.chunks[0].value).params)
			cookie, _ := findTLV(list, 7)
			cookie = bytes.Clone(cookie)
			switch order {
			case 0: // its COOKIE ECHO comes first: case B in COOKIE-WAIT
				c.inject(tlv32(ctCookieEcho, 0, cookie))
				c.expectOwn(ctCookieAck)
				c.event(assoc.CommUp)
				c.inject(c.ownInitAck())
			case 1: // the INIT ACK first: case D in COOKIE-ECHOED
				c.inject(c.ownInitAck())
				c.expectOwn(ctCookieEcho)
				c.inject(tlv32(ctCookieEcho, 0, cookie))
				c.expectOwn(ctCookieAck)
				c.event(assoc.CommUp)
				c.inject(tlv32(ctCookieAck, 0, nil))
			case 2: // INIT ACK, COOKIE ACK, then its late COOKIE ECHO: D in ESTABLISHED
				c.inject(c.ownInitAck())
				c.expectOwn(ctCookieEcho)
				c.inject(tlv32(ctCookieAck, 0, nil))
				c.event(assoc.CommUp)
				c.inject(tlv32(ctCookieEcho, 0, cookie))
				c.expectOwn(ctCookieAck)
			case 3: // INIT again in COOKIE-ECHOED
				c.inject(c.ownInitAck())
				c.expectOwn(ctCookieEcho)
				c.injectVT(0, initChunk(c.ownInit()))
				q := c.expectOwn(ctInitAck)
				if b := parseInit(q.chunks[0].value); b.tag != c.tag {
					t.Fatal("another tag")
				}
				list, _ := walkTLVs(parseInit(q.chunks[0].value).params)
				cookie, _ := findTLV(list, 7)
				c.inject(tlv32(ctCookieEcho, 0, bytes.Clone(cookie)))
				c.expectOwn(ctCookieAck)
				c.event(assoc.CommUp)
			}
			c.quiet()
			c.noEvents()
			c.wantState("ESTABLISHED")
			c.data("works")
			c.message("works")
			c.expectOwn(ctSack)
			c.send("both ways")
			if d := c.expectOwn(ctData).datas()[0]; d.tsn != c.engTSN {
				t.Fatalf("TSN %d, want %d", d.tsn, c.engTSN)
			}
			c.inject(sackChunk(c.engTSN, 1<<16, nil))
			c.advance(5 * time.Second)
		})
	}
}

// TestScriptEarlyDataInCollision: what rode behind a COOKIE ECHO that is
// overtaken by the peer's own set-up is sent to the association that comes
// out (SCTP-2-25 B, 7-02).
func TestScriptEarlyDataInCollision(t *testing.T) {
	c := newConv(t)
	c.connect()
	c.takeInit()
	c.send("early")
	first := c.ownInitAck()
	c.inject(first)
	if p := c.expectOwn(ctCookieEcho, ctData); len(p.datas()) != 1 {
		t.Fatalf("%v", p)
	}
	c.peerTag, c.tsn = newTag, 1000 // the peer answered, forgot, and opens itself
	c.injectVT(0, initChunk(c.otherInit()))
	p := c.expectOwn(ctInitAck)
	list, _ := walkTLVs(parseInit(p.chunks[0].value).params)
	cookie, _ := findTLV(list, 7)
	c.inject(tlv32(ctCookieEcho, 0, bytes.Clone(cookie)))
	c.event(assoc.CommUp)
	found := false
	c.advance(time.Second)
	for _, p := range c.discard() {
		for _, d := range p.datas() {
			found = found || p.vt == newTag && d.tsn == c.engTSN && string(d.user) == "early"
		}
	}
	if !found {
		t.Fatal("the message is lost")
	}
	c.inject(sackChunk(c.engTSN, 1<<16, nil))
	c.data("first")
	c.message("first")
	c.advance(time.Second)
	c.forget()
}

// TestScriptRestartWithNewAddress is refused with cause 11 and the tag of
// that INIT; the association stays (SCTP-2-22, SCTP-6-09).
func TestScriptRestartWithNewAddress(t *testing.T) {
	c := newConv(t).establishClient()
	in := c.otherInit()
	in.params = cat(tlv16(5, []byte{192, 0, 2, 2}), tlv16(5, []byte{198, 51, 100, 7}))
	before := fingerprint(c.ep)
	c.injectVT(0, initChunk(in))
	p := c.expect(ctAbort)
	list, err := walkTLVs(p.chunks[0].value)
	if p.vt != newTag || p.chunks[0].flags != 0 || err != nil || len(list) != 1 || list[0].typ != 11 {
		t.Fatalf("%v %v", p, err)
	}
	if !bytes.Contains(list[0].value, []byte{198, 51, 100, 7}) || bytes.Contains(list[0].value, []byte{192, 0, 2, 2}) {
		t.Fatalf("lists % x", list[0].value)
	}
	if what := changed(before, fingerprint(c.ep)); what != "" {
		t.Fatal("the association changed", what)
	}
}
