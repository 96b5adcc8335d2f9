package sctp_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp"
)

// Group SCTP-7-32: what the user of an endpoint sees.

// TestScriptUndelivered: on the end of an association every message that is
// not known to have arrived comes back, whole and in order, with the truth
// about having been sent; then the end itself (SCTP-4-01 to 4-03, 7-02, 8-25).
func TestScriptUndelivered(t *testing.T) {
	for name, end := range map[string]func(*conv){
		"abort by peer":  func(c *conv) { c.inject(tlv32(ctAbort, 0, nil)) },
		"abort by user":  func(c *conv) { c.abort("") },
		"timeout":        func(c *conv) { c.advance(time.Minute) },
		"violation":      func(c *conv) { c.inject(sackChunk(c.engTSN+1000, 0, nil)) },
		"restart":        func(c *conv) { c.restart() },
		"endpoint close": func(c *conv) { c.ep.Close(c.now); c.drain() },
	} {
		t.Run(name, func(t *testing.T) {
			c := newConv(t).establishServer()
			msgs := []string{"acked", "gap-acked later", "sent", strings.Repeat("partly sent ", 2000), "queued", "queued too"}
			for i, m := range msgs {
				info := assoc.SendInfo{Assoc: c.id, Stream: uint16(i % 3), PPID: uint32(100 + i), Context: uint64(200 + i), Unordered: i == 2}
				c.must(c.ep.Send(c.now, []byte(m), &info))
				c.drain()
			}
			c.inject(sackChunk(c.engTSN, 1<<16, nil))
			c.inject(sackChunk(c.engTSN, 1<<16, []uint16{2, 2}))
			c.discard()
			end(c)
			c.discard()
			c.events = dropKind(c.events, assoc.PeerAddrChange)
			for i := 1; i < len(msgs); i++ {
				ev := c.event(assoc.SendFailed)
				if ev.data != msgs[i] || ev.Context != uint64(200+i) || ev.PPID != uint32(100+i) || ev.Stream != uint16(i%3) || ev.Unordered != (i == 2) || ev.Assoc != c.id {
					t.Fatalf("message %d: %+v", i, ev)
				}
				if wantUnsent := i >= 4; ev.Unsent != wantUnsent {
					t.Fatalf("message %d: unsent %v", i, ev.Unsent)
				}
			}
			if name == "restart" {
				c.event(assoc.Restart)
				return
			}
			ev := c.event(assoc.CommLost)
			c.noEvents()
			want := map[string]error{
				"abort by peer": assoc.ErrAborted, "abort by user": assoc.ErrLocalAbort, "timeout": assoc.ErrTimeout,
				"violation": assoc.ErrProtocol, "endpoint close": assoc.ErrLocalAbort,
			}[name]
			if !errors.Is(ev.Err, want) && !(name == "timeout" && errors.Is(ev.Err, assoc.ErrUnreachable)) {
				t.Fatalf("%v, want %v (SCTP-4-04)", ev.Err, want)
			}
			if err := c.ep.Send(c.now, []byte("x"), &assoc.SendInfo{Assoc: c.id}); !errors.Is(err, assoc.ErrNotConnected) {
				t.Fatalf("%v", err)
			}
		})
	}
}

// TestScriptCannotStart returns what was queued as unsent (SCTP-4-07).
func TestScriptCannotStart(t *testing.T) {
	c := newConv(t)
	c.connect()
	c.takeInit()
	c.sendInfo("one", assoc.SendInfo{Context: 1})
	c.sendInfo("two", assoc.SendInfo{Context: 2})
	c.inject(tlv32(ctAbort, 0, nil))
	for i, want := range []string{"one", "two"} {
		if ev := c.event(assoc.SendFailed); ev.data != want || !ev.Unsent || ev.Context != uint64(i+1) {
			t.Fatalf("%+v", ev)
		}
	}
	c.event(assoc.CannotStart)
}

// TestScriptEarlyDataFailsAsSent: what rode behind COOKIE ECHO was on the
// wire (SCTP-4-01).
func TestScriptEarlyDataFailsAsSent(t *testing.T) {
	c := newConv(t)
	c.connect()
	c.takeInit()
	c.send("early")
	c.inject(c.ownInitAck())
	p := c.discard()
	c.inject(tlv32(ctAbort, 0, nil))
	if ev := c.event(assoc.SendFailed); ev.Unsent == p[0].has(ctData) {
		t.Fatalf("%+v, %v", ev, p[0])
	}
	c.event(assoc.CannotStart)
}

// TestScriptMessagesSurviveTheEnd: complete messages stay readable behind the
// loss of the association, and before its notification (SCTP-4-04).
func TestScriptMessagesSurviveTheEnd(t *testing.T) {
	c := newConv(t).establishServer()
	c.mute = true
	c.data("one")
	c.data("two")
	c.inject(dataChunk(fB, c.tsn, 0, c.ssn, 0, "incomplete"))
	c.inject(tlv32(ctAbort, 0, nil))
	c.mute = false
	c.readAll()
	c.discard()
	c.message("one")
	c.message("two")
	c.event(assoc.CommLost)
}

// TestScriptEventsOfASession in their order.
func TestScriptEventsOfASession(t *testing.T) {
	c := newConv(t)
	c.mute = true
	c.injectVT(0, initChunk(c.ownInit()))
	c.takeInitAck(c.expectOwn(ctInitAck))
	c.inject(tlv32(ctCookieEcho, 0, c.cookie), c.nextData("hello"))
	c.data("again")
	c.peerShutdown(c.engTSN - 1)
	c.inject(shutdownComplete)
	c.mute = false
	c.readAll()
	c.discard()
	up := c.event(assoc.CommUp)
	if up.From.Addr() != c.peer.Addr() || up.OutStreams != 16 || up.InStreams != 16 || !up.Incoming {
		t.Fatalf("%+v", up)
	}
	if ev := c.message("hello"); ev.Assoc != up.Assoc || ev.From != c.peer {
		t.Fatalf("%+v", ev)
	}
	c.message("again")
	c.event(assoc.ShutdownEvent)
	c.event(assoc.ShutdownComplete)
}

// TestScriptPieces: a buffer smaller than the message gets it in pieces.
func TestScriptPieces(t *testing.T) {
	c := newConv(t).establishServer()
	c.mute = true
	want := strings.Repeat("0123456789", 100)
	c.inject(dataChunk(fB|fE, c.tsn, 3, 0, 77, want))
	c.inject(dataChunk(fB|fE, c.tsn+1, 3, 1, 78, "next"))
	got := ""
	for n := 1; ; n++ {
		var info assoc.RecvInfo
		b := make([]byte, 300)
		k, err := c.ep.Recv(c.now, b, &info)
		c.must(err)
		got += string(b[:k])
		if info.Kind != assoc.Message || info.PPID != 77 || info.Stream != 3 {
			t.Fatalf("%+v", info)
		}
		if !info.More {
			break
		}
		if n > 10 {
			t.Fatal("no end")
		}
	}
	if got != want {
		t.Fatalf("%q", got)
	}
	c.mute = false
	c.readAll()
	c.message("next")
	c.forget()
}

// TestScriptEmptyBuffer does not lose the message, nor hang.
func TestScriptEmptyBuffer(t *testing.T) {
	c := newConv(t).establishServer()
	c.mute = true
	c.data("hello")
	var info assoc.RecvInfo
	n, err := c.ep.Recv(c.now, nil, &info)
	if n != 0 || err == nil && !info.More && info.Kind == assoc.Message {
		t.Fatalf("%d %v %+v", n, err, info)
	}
	c.mute = false
	c.readAll()
	c.message("hello")
	c.forget()
}

// TestScriptWritable: after ErrWouldBlock the association is named once, when
// half of the buffer is free (SCTP-3-08).
func TestScriptWritable(t *testing.T) {
	c := newConv(t, withParams(func(p *assoc.Params) { p.SendBuffer, p.MaxMessage = 20_000, 4000 })).establishServer()
	if id, ok := c.ep.Writable(); ok {
		t.Fatalf("%d is writable unasked", id)
	}
	n := 0
	for c.ep.Send(c.now, make([]byte, 4000), &assoc.SendInfo{Assoc: c.id}) == nil {
		n++
		c.drain()
	}
	if n < 4 || n > 5 {
		t.Fatalf("%d messages of 4000 bytes", n)
	}
	c.drain()
	if _, ok := c.ep.Writable(); ok {
		t.Fatal("writable while full")
	}
	named := 0
	acked := c.engTSN - 1
	for range 50 {
		for _, p := range c.discard() {
			for _, d := range p.datas() {
				acked = d.tsn
			}
		}
		c.inject(sackChunk(acked, 1<<16, nil))
		for {
			id, ok := c.ep.Writable()
			if !ok {
				break
			}
			if id != c.id {
				t.Fatalf("%d", id)
			}
			if q := c.status().QueuedBytes; q > 10_000 {
				t.Fatalf("%d bytes queued", q)
			}
			named++
		}
	}
	if named != 1 {
		t.Fatalf("named %d times", named)
	}
}

// TestScriptStaleID: what is gone stays gone, whatever comes after (SCTP-2-29,
// 7-32).
func TestScriptStaleID(t *testing.T) {
	c := newConv(t).establishServer()
	old := c.id
	c.inject(tlv32(ctAbort, 0, nil))
	c.event(assoc.CommLost)
	c.peerTag, c.tsn = newTag, 1000
	c.establishServer()
	if c.id == old {
		t.Fatal("an id is used twice")
	}
	for what, err := range map[string]error{
		"Send":      c.ep.Send(c.now, []byte("x"), &assoc.SendInfo{Assoc: old}),
		"Shutdown":  c.ep.Shutdown(c.now, old),
		"Abort":     c.ep.Abort(c.now, old, ""),
		"SetParams": c.ep.SetParams(old, assoc.Params{MaxBurst: 3}),
	} {
		if !errors.Is(err, assoc.ErrNotConnected) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := c.ep.Status(old); !errors.Is(err, assoc.ErrNotConnected) {
		t.Error(err)
	}
	if _, _, err := c.ep.AssocAddrs(old); !errors.Is(err, assoc.ErrNotConnected) {
		t.Error(err)
	}
	c.drain()
}

// TestScriptStatus: names, numbers, addresses.
func TestScriptStatus(t *testing.T) {
	c := newConv(t).establishServer()
	c.send(strings.Repeat("s", 10_000))
	s := c.status()
	if s.State != "ESTABLISHED" || s.Unacked+s.Unsent == 0 || s.QueuedBytes < 10_000 || s.PeerWindow > 1<<16 ||
		s.InStreams != 16 || s.OutStreams != 16 || len(s.Paths) != 1 || s.Primary != 0 {
		t.Fatalf("%+v", s)
	}
	p := s.Paths[0]
	if p.Addr != c.peer || p.UDPPort != 7000 || !p.Active || p.InFlight == 0 || p.Cwnd != 4404 || p.RTO == 0 || p.MTU < 1400 {
		t.Fatalf("%+v", p)
	}
	local, peer, err := c.ep.AssocAddrs(c.id)
	if err != nil || len(local) != 1 || local[0] != c.eng || len(peer) != 1 || peer[0] != c.peer {
		t.Fatalf("%v %v %v", local, peer, err)
	}
	c.collect()
	if s := c.status(); s.Unacked+s.Unsent != 0 || s.QueuedBytes != 0 || s.Paths[0].InFlight != 0 {
		t.Fatalf("%+v", s)
	}
}

// TestScriptSetParams: an association takes new values at the next timer
// start, the heartbeat at once (SCTP-4-22).
func TestScriptSetParams(t *testing.T) {
	c := newConv(t).establishServer()
	c.advance(time.Minute)
	c.quiet()
	c.must(c.ep.SetParams(c.id, assoc.Params{HeartbeatInterval: 100 * time.Millisecond}))
	c.advance(100*time.Millisecond + 450*time.Millisecond)
	c.expectOwn(ctHeartbeat)
	c.forget()
	c = newConv(t)
	c.must(c.ep.SetParams(0, assoc.Params{OutStreams: 3, InStreams: 2}))
	c.establishServer()
	if s := c.status(); s.OutStreams != 3 || s.InStreams != 2 {
		t.Fatalf("%+v", s)
	}
}

// TestScriptClose aborts what lives, lets what is ending end, and takes
// nothing new.
func TestScriptClose(t *testing.T) {
	for _, state := range states {
		t.Run(state, func(t *testing.T) {
			c := inState(t, state)
			c.ep.Close(c.now)
			c.drain()
			switch state {
			case "CLOSED", "COOKIE-WAIT":
				c.quiet()
			case "COOKIE-ECHOED", "ESTABLISHED":
				c.expectOwn(ctAbort)
			default:
				c.wantState(state)
			}
			c.advance(2 * time.Minute)
			if !c.ep.Idle() {
				t.Fatal("not idle")
			}
			if _, err := c.ep.Connect(c.now, []netip.AddrPort{c.peer}, nil); err == nil {
				t.Fatal("Connect works")
			}
			c.forget()
			c.injectVT(0, initChunk(c.otherInit()))
			for _, p := range c.discard() {
				if p.has(ctInitAck) {
					t.Fatalf("%v", p)
				}
			}
			c.forget()
		})
	}
}

// TestScriptBadArguments are refused with a word, not a panic.
func TestScriptBadArguments(t *testing.T) {
	c := newConv(t)
	for _, peer := range [][]netip.AddrPort{
		nil, {{}}, {netip.MustParseAddrPort("192.0.2.2:0")}, {netip.MustParseAddrPort("224.0.0.1:7000")},
		{netip.MustParseAddrPort("0.0.0.0:7000")},
		{netip.MustParseAddrPort("192.0.2.2:7000"), netip.MustParseAddrPort("192.0.2.3:7001")},
	} {
		if id, err := c.ep.Connect(c.now, peer, nil); err == nil {
			t.Errorf("Connect(%v) = %d", peer, id)
		}
	}
	if err := c.ep.Send(c.now, []byte("x"), &assoc.SendInfo{}); !errors.Is(err, assoc.ErrNotConnected) {
		t.Error(err)
	}
	if err := c.ep.Shutdown(c.now, 0); err == nil {
		t.Error("Shutdown(0)")
	}
	c.drain()
}

// TestScriptAssociationLimit refuses with Out of Resource (SCTP-6-07).
func TestScriptAssociationLimit(t *testing.T) {
	c := newConv(t, func(_ *conv, cfg *sctp.Config) { cfg.MaxAssocsPerPeer = 3 })
	refused := 0
	for i := range uint16(6) {
		in := c.ownInit()
		in.tag = uint32(i) + 1
		port := 7000 + i
		c.ep.Input(c.now, sctp.Packet{Peer: c.udp, Local: c.eng.Addr(), Data: buildPacket(port, 5000, 0, initChunk(in))})
		var p sctp.Packet
		if !c.ep.Output(c.now, &p) {
			t.Fatal("no answer")
		}
		w, err := parseStrict(append([]byte(nil), p.Data...))
		c.must(err)
		if w.has(ctAbort) {
			refused++
			continue
		}
		body := parseInit(w.chunks[0].value)
		list, _ := walkTLVs(body.params)
		cookie, _ := findTLV(list, 7)
		c.ep.Input(c.now, sctp.Packet{Peer: c.udp, Local: c.eng.Addr(), Data: buildPacket(port, 5000, body.tag, tlv32(ctCookieEcho, 0, cookie))})
		for c.ep.Output(c.now, &p) {
			w, err := parseStrict(append([]byte(nil), p.Data...))
			c.must(err)
			if a, ok := w.chunk(ctAbort); ok {
				if l, _ := walkTLVs(a.value); len(l) != 1 || l[0].typ != 4 {
					t.Fatalf("%v", w)
				}
				refused++
			}
		}
	}
	c.readAll()
	if refused != 3 || len(c.events) != 3 {
		t.Fatalf("%d refused, %d events", refused, len(c.events))
	}
	c.forget()
}
