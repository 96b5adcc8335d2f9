package sctp_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp"
)

// Group SCTP-7-21: setting up.

func TestScriptSetupAsServer(t *testing.T) {
	c := newConv(t).establishServer()
	if c.tag == 0 || c.engTSN != 0xfffffffe {
		t.Fatalf("tag %08x, TSN %08x", c.tag, c.engTSN)
	}
	c.data("first")
	c.message("first")
	c.expectOwn(ctSack) // the first DATA is acknowledged at once (SCTP-2-09)
}

func TestScriptSetupAsClient(t *testing.T) {
	c := newConv(t).establishClient()
	c.send("first")
	p := c.expectOwn(ctData)
	if d := p.datas()[0]; d.tsn != c.engTSN || d.ssn != 0 || d.flags&^fI != fB|fE {
		t.Fatalf("%v", p)
	}
	c.inject(sackChunk(c.engTSN, 1<<16, nil))
}

func TestScriptSetupOverIPv6(t *testing.T) { newConv(t, ipv6Peer).establishServer() }

// TestScriptEarlyDataBehindCookieEcho: queued data rides behind COOKIE ECHO;
// nothing else leaves before COOKIE ACK (SCTP-2-08, 4-07).
func TestScriptEarlyDataBehindCookieEcho(t *testing.T) {
	c := newConv(t)
	c.connect()
	c.takeInit()
	for i := range 5 {
		c.send(fmt.Sprint("early ", i))
	}
	c.quiet()
	c.inject(c.ownInitAck())
	p := c.discard()
	if len(p) != 1 || p[0].chunks[0].typ != ctCookieEcho {
		t.Fatalf("%v", p)
	}
	sent := p[0].datas()
	c.inject(tlv32(ctCookieAck, 0, nil), sackChunk(c.engTSN-1+uint32(len(sent)), 1<<16, nil))
	c.event(assoc.CommUp)
	for _, q := range c.discard() {
		sent = append(sent, q.datas()...)
	}
	for i, d := range sent {
		if want := fmt.Sprint("early ", i); string(d.user) != want || d.tsn != c.engTSN+uint32(i) {
			t.Fatalf("%q with TSN %d, want %q", d.user, d.tsn, want)
		}
	}
	if len(sent) != 5 {
		t.Fatalf("%d messages", len(sent))
	}
	c.inject(sackChunk(c.engTSN+4, 1<<16, nil))
}

// TestScriptEarlyDataIsRetransmitted: if only COOKIE ACK comes back, T3 takes
// over (SCTP-2-08, 3-62).
func TestScriptEarlyDataIsRetransmitted(t *testing.T) {
	c := newConv(t)
	c.connect()
	c.takeInit()
	c.send("early")
	c.inject(c.ownInitAck())
	c.expectOwn(ctCookieEcho, ctData)
	c.inject(tlv32(ctCookieAck, 0, nil))
	c.event(assoc.CommUp)
	c.quiet()
	p := c.expectAfter(c.status().Paths[0].RTO, ctData)
	if d := p.datas()[0]; d.tsn != c.engTSN || string(d.user) != "early" {
		t.Fatalf("%+v", d)
	}
	c.inject(sackChunk(c.engTSN, 1<<16, nil))
	// And with COOKIE ECHO, when that is lost.
	c = newConv(t)
	c.connect()
	c.takeInit()
	c.send("early")
	c.inject(c.ownInitAck())
	first := c.expectOwn(ctCookieEcho, ctData)
	c.advance(400 * time.Millisecond)
	again := c.discard()
	if len(again) == 0 || !bytes.Equal(again[0].chunks[0].value, first.chunks[0].value) {
		t.Fatalf("%v", again)
	}
	for _, d := range again[0].datas() {
		if d.tsn != first.datas()[0].tsn {
			t.Fatalf("%+v", d)
		}
	}
	c.forget()
}

// TestScriptDataBehindReceivedCookieEcho is acknowledged at once, COOKIE ACK
// first (SCTP-2-09).
func TestScriptDataBehindReceivedCookieEcho(t *testing.T) {
	c := newConv(t)
	c.injectVT(0, initChunk(c.ownInit()))
	c.takeInitAck(c.expectOwn(ctInitAck))
	c.inject(tlv32(ctCookieEcho, 0, c.cookie), c.nextData("early"))
	var types []byte
	for _, p := range c.discard() {
		types = append(types, p.types()...)
	}
	if !bytes.Equal(types, []byte{ctCookieAck, ctSack}) {
		t.Fatalf("%v", names(types))
	}
	c.event(assoc.CommUp)
	c.message("early")
}

// resends advances until the association ends and returns when which chunk
// left.
func (c *conv) resends(typ byte, end assoc.Kind) (gaps []time.Duration) {
	c.t.Helper()
	last := c.now
	for range 100 {
		c.advance(10 * time.Millisecond)
		for _, p := range c.discard() {
			if p.chunks[0].typ != typ {
				c.t.Fatalf("unexpected %v", p)
			}
			gaps = append(gaps, p.at.Sub(last))
			last = p.at
		}
		for len(c.events) > 0 && c.events[0].Kind == assoc.PeerAddrChange {
			c.events = c.events[1:]
		}
		if len(c.events) > 0 {
			c.event(end)
			return append(gaps, c.now.Sub(last))
		}
		c.advance(90 * time.Millisecond)
		for _, p := range c.discard() {
			if p.chunks[0].typ != typ {
				c.t.Fatalf("unexpected %v", p)
			}
			gaps = append(gaps, p.at.Sub(last))
			last = p.at
		}
	}
	c.t.Fatal("never gives up")
	return nil
}

// TestScriptInitRetries: T1-init doubles up to RTO.Max, exactly
// Max.Init.Retransmits re-sends, same tag and TSN (SCTP-2-04, 2-06).
func TestScriptInitRetries(t *testing.T) {
	c := newConv(t)
	c.connect()
	first := c.takeInit()
	for _, d := range []time.Duration{300, 600, 800} {
		c.advance(d*time.Millisecond - time.Microsecond)
		c.quiet()
		c.advance(time.Microsecond)
		if p := c.expect(ctInit); !bytes.Equal(p.raw, first.raw) {
			t.Fatalf("%v is not %v", p, first)
		}
	}
	c.advance(800 * time.Millisecond)
	if ev := c.event(assoc.CannotStart); !errors.Is(ev.Err, assoc.ErrTimeout) {
		t.Fatalf("%v", ev.Err)
	}
	c.wantState("CLOSED")
	if !c.ep.Idle() {
		t.Fatal("not idle")
	}
}

func TestScriptCookieEchoRetries(t *testing.T) {
	c := newConv(t).toCookieEchoed()
	gaps := c.resends(ctCookieEcho, assoc.CannotStart)
	if len(gaps) != 4 {
		t.Fatalf("%d re-sends, want 3", len(gaps)-1)
	}
	for i, g := range gaps[1:3] {
		if g < min(2*gaps[i]-200*time.Millisecond, 700*time.Millisecond) {
			t.Fatalf("no back-off: %v", gaps)
		}
	}
}

// TestScriptConnectTimeout bounds the whole set-up (SCTP-2-06, 4.2).
func TestScriptConnectTimeout(t *testing.T) {
	c := newConv(t, withParams(func(p *assoc.Params) { p.ConnectTimeout = 500 * time.Millisecond }))
	c.connect()
	c.takeInit()
	c.send("never leaves")
	c.advance(499 * time.Millisecond)
	c.expect(ctInit)
	c.noEvents()
	c.advance(2 * time.Millisecond)
	if ev := c.event(assoc.SendFailed); !ev.Unsent || ev.data != "never leaves" {
		t.Fatalf("%+v", ev)
	}
	if ev := c.event(assoc.CannotStart); !errors.Is(ev.Err, assoc.ErrTimeout) {
		t.Fatalf("%v", ev.Err)
	}
}

// TestScriptLostInitAckAndCookieAck: the peer answers a repeated INIT or
// COOKIE ECHO again, with one association and one CommUp (SCTP-8-10).
func TestScriptLostInitAckAndCookieAck(t *testing.T) {
	c := newConv(t)
	c.injectVT(0, initChunk(c.ownInit()))
	c.expectOwn(ctInitAck)
	c.injectVT(0, initChunk(c.ownInit()))
	c.takeInitAck(c.expectOwn(ctInitAck))
	for range 3 {
		c.inject(tlv32(ctCookieEcho, 0, c.cookie))
		c.expectOwn(ctCookieAck)
	}
	c.id = c.event(assoc.CommUp).Assoc
	c.noEvents()
	c.data("still the same TSNs")
	c.message("still the same TSNs")
	c.expectOwn(ctSack)
	c.inject(tlv32(ctCookieEcho, 0, c.cookie)) // case D late
	c.expectOwn(ctCookieAck)
	c.data("and again")
	c.message("and again")
	c.advance(time.Second)
	c.expectOwn(ctSack)
}

// TestScriptCookieRefused: a cookie that is forged, foreign, or too old makes
// no association (SCTP-2-24, 8-06).
func TestScriptCookieRefused(t *testing.T) {
	offer := func(t *testing.T) *conv {
		c := newConv(t)
		c.injectVT(0, initChunk(c.ownInit()))
		c.takeInitAck(c.expectOwn(ctInitAck))
		return c
	}
	t.Run("every bit", func(t *testing.T) {
		c := offer(t)
		for bit := range 8 * len(c.cookie) {
			forged := bytes.Clone(c.cookie)
			forged[bit/8] ^= 1 << (bit % 8)
			c.inject(tlv32(ctCookieEcho, 0, forged), dataChunk(fB|fE, c.tsn, 0, 0, 0, "x"))
			c.quiet()
			c.noEvents()
		}
	})
	t.Run("every length", func(t *testing.T) {
		c := offer(t)
		for n := range len(c.cookie) {
			c.inject(tlv32(ctCookieEcho, 0, c.cookie[:n]))
		}
		c.inject(tlv32(ctCookieEcho, 0, append(bytes.Clone(c.cookie), 0)))
		c.quiet()
		c.noEvents()
	})
	t.Run("other tag", func(t *testing.T) {
		c := offer(t)
		c.injectVT(c.tag^4, tlv32(ctCookieEcho, 0, c.cookie))
		c.quiet()
	})
	t.Run("other port", func(t *testing.T) {
		c := offer(t)
		c.injectRaw(c.udp, buildPacket(7001, 5000, c.tag, tlv32(ctCookieEcho, 0, c.cookie)))
		c.quiet()
		c.noEvents()
	})
	t.Run("other endpoint", func(t *testing.T) {
		c := offer(t)
		other := newConv(t, func(_ *conv, cfg *sctp.Config) { cfg.Rand = newSeeded(99) })
		other.tag = c.tag
		other.inject(tlv32(ctCookieEcho, 0, c.cookie))
		other.quiet()
		other.noEvents()
	})
	t.Run("stale", func(t *testing.T) {
		c := offer(t)
		c.advance(c.par.CookieLife + time.Second)
		c.inject(tlv32(ctCookieEcho, 0, c.cookie), dataChunk(fB|fE, c.tsn, 0, 0, 0, "x"))
		p := c.expectOwn(ctError)
		if list, err := walkTLVs(p.chunks[0].value); err != nil || list[0].typ != 3 || len(list[0].value) != 4 {
			t.Fatalf("%v %+v", err, list)
		}
	})
	t.Run("just in time", func(t *testing.T) {
		c := offer(t)
		c.advance(c.par.CookieLife - time.Millisecond)
		c.inject(tlv32(ctCookieEcho, 0, c.cookie))
		c.expectOwn(ctCookieAck)
		c.event(assoc.CommUp)
	})
}

// TestScriptBadInit: what an INIT must not say (SCTP-1-32, 1.4).
func TestScriptBadInit(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*initBody)
		cause  uint16
	}{
		"a_rwnd 1499": {func(b *initBody) { b.rwnd = 1499 }, 7},
		"OS 0":        {func(b *initBody) { b.os = 0 }, 7},
		"MIS 0":       {func(b *initBody) { b.mis = 0 }, 7},
		"Host Name":   {func(b *initBody) { b.params = tlv16(11, []byte("host.example\x00")) }, 5},
	} {
		t.Run(name, func(t *testing.T) {
			c := newConv(t)
			in := c.ownInit()
			tt.change(&in)
			c.injectVT(0, initChunk(in))
			p := c.expectOwn(ctAbort) // VT = its ITag
			if p.chunks[0].flags != 0 {
				t.Fatal("T bit with a tag from the INIT")
			}
			if list, _ := walkTLVs(p.chunks[0].value); len(list) > 0 && list[0].typ != tt.cause {
				t.Fatalf("cause %d", list[0].typ)
			}
		})
	}
	t.Run("short", func(t *testing.T) {
		c := newConv(t)
		c.injectVT(0, tlv32(ctInit, 0, c.ownInit().bytes()[:12]))
	})
}

// TestScriptBadInitAck: seven ways for an INIT ACK to be wrong (SCTP-1-32,
// 1-33).
func TestScriptBadInitAck(t *testing.T) {
	cookie := tlv16(7, peerCookie)
	for name, tt := range map[string]struct {
		body   func(initBody) initBody
		ends   bool
		cause  uint16
		silent bool
	}{
		"tag 0":       {body: func(b initBody) initBody { b.tag = 0; return b }, ends: true},
		"OS 0":        {body: func(b initBody) initBody { b.os = 0; return b }, ends: true, cause: 7},
		"MIS 0":       {body: func(b initBody) initBody { b.mis = 0; return b }, ends: true, cause: 7},
		"a_rwnd 1499": {body: func(b initBody) initBody { b.rwnd = 1499; return b }, cause: 7},
		"no cookie":   {body: func(b initBody) initBody { b.params = nil; return b }, cause: 2},
		"Host Name":   {body: func(b initBody) initBody { b.params = cat(cookie, tlv16(11, []byte("a\x00"))); return b }, cause: 5},
		"bad length":  {body: func(b initBody) initBody { b.params = cat(cookie, unhex("80000003")); return b }, silent: true},
	} {
		t.Run(name, func(t *testing.T) {
			c := newConv(t)
			c.connect()
			c.takeInit()
			b := c.ownInit()
			b.params = cookie
			c.inject(initAckChunk(tt.body(b)))
			for _, p := range c.discard() {
				abort, ok := p.chunk(ctAbort)
				if !ok || tt.silent {
					t.Fatalf("answered with %v", p)
				}
				if name == "tag 0" {
					if abort.flags != 1 || p.vt != c.tag {
						t.Fatalf("%v: want the T bit", p)
					}
				} else if p.vt != c.peerTag || abort.flags != 0 {
					t.Fatalf("%v: want its tag", p)
				}
				if list, _ := walkTLVs(abort.value); len(list) > 0 && tt.cause != 0 && list[0].typ != tt.cause {
					t.Fatalf("cause %d, want %d", list[0].typ, tt.cause)
				}
			}
			if tt.ends {
				c.event(assoc.CannotStart)
				return
			}
			if len(c.events) > 0 {
				c.event(assoc.CannotStart)
				if tt.silent || name == "a_rwnd 1499" {
					t.Fatal("the state must be kept")
				}
				return
			}
			c.wantState("COOKIE-WAIT")
			c.inject(c.ownInitAck()) // a good one still helps
			c.expectOwn(ctCookieEcho)
			c.forget()
		})
	}
}

// TestScriptRefused: ABORT in answer to INIT ends the attempt at once; with
// the T bit it cannot be ours while the peer's tag is unknown (SCTP-2-03).
func TestScriptRefused(t *testing.T) {
	c := newConv(t)
	c.connect()
	c.takeInit()
	c.injectVT(0x01020304, tlv32(ctAbort, 1, nil))
	c.injectVT(0, tlv32(ctAbort, 1, nil))
	c.inject(tlv32(ctAbort, 1, nil))
	c.noEvents()
	c.inject(tlv32(ctAbort, 0, nil))
	if ev := c.event(assoc.CannotStart); !errors.Is(ev.Err, assoc.ErrRefused) {
		t.Fatalf("%v", ev.Err)
	}
}

// TestScriptNoListener refuses INIT with its own tag and no T bit.
func TestScriptNoListener(t *testing.T) {
	c := newConv(t, noListen)
	c.injectVT(0, initChunk(c.ownInit()))
	if p := c.expectOwn(ctAbort); p.chunks[0].flags != 0 {
		t.Fatalf("%v", p)
	}
	if len(buildPacket(1, 2, 3, initChunk(c.ownInit()))) < 16 {
		t.Fatal("amplification")
	}
}

// TestScriptRefusalSaysNothing: an ABORT for an INIT that nobody waits for has no
// cause, and is smaller than the INIT; one for want of room has its cause (SCTP-6-03).
func TestScriptRefusalSaysNothing(t *testing.T) {
	c := newConv(t, noListen)
	c.injectVT(0, initChunk(c.ownInit()))
	if p := c.expectOwn(ctAbort); len(p.chunks[0].value) != 0 {
		t.Errorf("%v: % x", p, p.chunks[0].value)
	}
	c = newConv(t, func(_ *conv, cfg *sctp.Config) { cfg.MaxAssocs = 1 }).establishServer()
	c.injectRaw(netip.MustParseAddrPort("192.0.2.9:7000"), buildPacket(7000, 5000, 0, initChunk(c.ownInit())))
	p := c.discard()
	if len(p) != 1 || !p[0].has(ctAbort) {
		t.Fatalf("%v", p)
	}
	if list, err := walkTLVs(p[0].chunks[0].value); err != nil || len(list) != 1 || list[0].typ != 4 || len(list[0].value) != 0 {
		t.Errorf("%v: %+v", err, list)
	}
}

// TestScriptStreamNegotiation: the smaller of what one offers and the other
// takes (SCTP-2-10).
func TestScriptStreamNegotiation(t *testing.T) {
	c := newConv(t)
	in := c.ownInit()
	in.os, in.mis = 5, 3
	c.injectVT(0, initChunk(in))
	p := c.expectOwn(ctInitAck)
	if b := parseInit(p.chunks[0].value); b.os > 3 {
		t.Fatalf("a responder offers %d streams to a peer that takes 3", b.os)
	}
	c.takeInitAck(p)
	c.inject(tlv32(ctCookieEcho, 0, c.cookie))
	c.expectOwn(ctCookieAck)
	ev := c.event(assoc.CommUp)
	c.id = ev.Assoc
	if ev.OutStreams != 3 || ev.InStreams != 5 {
		t.Fatalf("%d out, %d in", ev.OutStreams, ev.InStreams)
	}
	if err := c.ep.Send(c.now, []byte("x"), &assoc.SendInfo{Assoc: c.id, Stream: 3}); !errors.Is(err, assoc.ErrInvalid) {
		t.Fatalf("%v (SCTP-4-06)", err)
	}
}

// TestScriptManyStreamsOffered: a peer that offers 65535 streams costs
// nothing (SCTP-2-10, 6-07, 8-23).
func TestScriptManyStreamsOffered(t *testing.T) {
	c := newConv(t, withParams(func(p *assoc.Params) { p.InStreams, p.OutStreams = 65535, 65535 }))
	in := c.ownInit()
	in.os, in.mis = 65535, 65535
	c.readAll()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	c.injectVT(0, initChunk(in))
	c.takeInitAck(c.expectOwn(ctInitAck))
	c.inject(tlv32(ctCookieEcho, 0, c.cookie))
	c.expectOwn(ctCookieAck)
	ev := c.event(assoc.CommUp)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 512<<10 {
		t.Fatalf("%d bytes for one association", grown)
	}
	c.id = ev.Assoc
	c.inject(dataChunk(fB|fE, c.tsn, ev.InStreams-1, 0, 0, "far stream"))
	c.message("far stream")
	c.expectOwn(ctSack)
}

// TestScriptInitFlood: 10,000 INITs leave nothing behind (SCTP-2-27, 6-01,
// 8-06).
func TestScriptInitFlood(t *testing.T) {
	c := newConv(t)
	flood := func(n int) {
		for i := range n {
			in := c.ownInit()
			in.tag = uint32(i + 1)
			from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), uint16(1024+i))
			c.ep.Input(c.now, sctp.Packet{Peer: from, Local: c.eng.Addr(), Data: buildPacket(7000, 5000, 0, initChunk(in))})
			var p sctp.Packet
			for c.ep.Output(c.now, &p) {
			}
			if i%10 == 0 {
				c.now = c.now.Add(time.Millisecond)
			}
		}
	}
	flood(100)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	flood(10_000)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 256<<10 {
		t.Fatalf("%d bytes retained", grown)
	}
	if _, armed := c.ep.Next(); armed || !c.ep.Idle() {
		t.Fatal("an INIT leaves a timer or an association")
	}
	c.now = c.now.Add(time.Hour)
	c.establishServer() // and the door is still open
}

// TestScriptInitAckNotLarger: INIT ACK does not amplify (SCTP-6-03).
func TestScriptInitAckNotLarger(t *testing.T) {
	c := newConv(t)
	in := c.ownInit()
	for i := range uint16(100) {
		in.params = append(in.params, tlv16(0xf000+i, []byte("12345678"))...)
	}
	packet := buildPacket(7000, 5000, 0, initChunk(in))
	c.injectRaw(c.udp, packet)
	if p := c.expectOwn(ctInitAck); len(p.raw) > 3*len(packet) || len(p.raw) > 1472 {
		t.Fatalf("%d bytes for %d", len(p.raw), len(packet))
	}
	c.injectVT(0, initChunk(c.ownInit()))
	small := len(buildPacket(7000, 5000, 0, initChunk(c.ownInit())))
	if p := c.expectOwn(ctInitAck); len(p.raw) > 5*small {
		t.Fatalf("%d bytes for %d", len(p.raw), small)
	}
}

// TestScriptBigCookie: an INIT ACK above 1500 bytes is taken and its cookie
// echoed whole (SCTP-1-34).
func TestScriptBigCookie(t *testing.T) {
	c := newConv(t)
	c.connect()
	c.takeInit()
	big := bytes.Repeat([]byte("cookie"), 700)
	b := c.ownInit()
	b.params = tlv16(7, big)
	c.inject(initAckChunk(b))
	if p := c.expectOwn(ctCookieEcho); !bytes.Equal(p.chunks[0].value, big) {
		t.Fatal("altered")
	}
	c.inject(tlv32(ctCookieAck, 0, nil))
	c.event(assoc.CommUp)
}

// TestScriptStaleCookieError counts only in COOKIE-ECHOED (SCTP-2-26).
func TestScriptStaleCookieError(t *testing.T) {
	stale := tlv32(ctError, 0, tlv16(3, u32(1000)))
	c := newConv(t).toCookieEchoed()
	c.inject(stale)
	if p := c.discard(); len(p) > 0 {
		if !p[0].has(ctInit) {
			t.Fatalf("%v", p[0])
		}
		c.wantState("COOKIE-WAIT")
	} else {
		c.event(assoc.CannotStart)
	}
	c.forget()
	c = newConv(t).establishClient()
	c.inject(stale)
	c.wantState("ESTABLISHED")
	c.forget()
}

// TestScriptConnectTwice names the association that exists.
func TestScriptConnectTwice(t *testing.T) {
	for _, state := range states[1:] {
		c := inState(t, state)
		id, err := c.ep.Connect(c.now, []netip.AddrPort{c.peer}, nil)
		if !errors.Is(err, assoc.ErrAlreadyExists) || id != c.id {
			t.Errorf("%s: %d, %v", state, id, err)
		}
		c.forget()
	}
}

// TestScriptNewTags: every attempt has a new tag (SCTP-2-04, 2-29).
func TestScriptNewTags(t *testing.T) {
	c := newConv(t)
	seen := map[uint32]bool{}
	ids := map[assoc.ID]bool{}
	for range 20 {
		c.connect()
		c.takeInit()
		if seen[c.tag] || ids[c.id] {
			t.Fatal("a tag or an id is used twice")
		}
		seen[c.tag], ids[c.id] = true, true
		c.abort("")
		c.quiet() // the peer's tag is unknown: nothing is sent (SCTP-2-07)
		if len(c.events) != 1 {
			t.Fatalf("%d events", len(c.events))
		}
		c.events = nil
	}
}
