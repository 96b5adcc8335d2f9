package sctp_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp"
)

// Group SCTP-7-20: the wire.

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		panic(err)
	}
	return b
}

// TestScriptGoldenBytes pins what the engine emits to bytes worked out by
// hand, and the test's own encoder to the vector of SCTP-1-04 (SCTP-8-02).
func TestScriptGoldenBytes(t *testing.T) {
	if got, want := buildPacket(1, 2, 0x01020304, tlv32(ctCookieAck, 0, nil)), unhex("00010002 01020304 8f1f018b 0b000004"); !bytes.Equal(got, want) {
		t.Fatalf("% x", got)
	}
	c := newConv(t).establishServer()
	golden := func(p emitted, want string) {
		t.Helper()
		w := unhex(want)
		if !bytes.Equal(p.raw[12:], w) {
			t.Fatalf("got  % x\nwant % x", p.raw[12:], w)
		}
	}
	c.sendInfo("abcde", assoc.SendInfo{Stream: 3, PPID: 0x11223344, Unordered: true, SackNow: true})
	golden(c.expectOwn(ctData), "000f0015 fffffffe 0003 0000 11223344 6162636465 000000")
	c.inject(sackChunk(0xfffffffe, 65536, nil))
	c.data("x")
	c.message("x")
	golden(c.expectOwn(ctSack), "03000010 fffffff0 0000ffff 0000 0000")
	c.inject(tlv32(ctHeartbeat, 0, tlv16(1, []byte("0123456"))))
	golden(c.expectOwn(ctHeartbeatAck), "05000010 0001000b 30313233343536 00")
	c.shutdown()
	golden(c.expectOwn(ctShutdown), "07000008 fffffff0")
	c.inject(tlv32(ctShutdownAck, 0, nil))
	golden(c.expectOwn(ctShutdownComplete), "0e000004")
	c.event(assoc.ShutdownComplete)
}

// TestScriptReceivedPadding: missing padding of the last chunk, padding of
// any content, and any remainder of the payload length (SCTP-1-10).
func TestScriptReceivedPadding(t *testing.T) {
	for n := 1; n <= 8; n++ {
		c := newConv(t).establishServer()
		user := strings.Repeat("p", n)
		whole := c.nextData(user)
		for i := 16 + n; i < len(whole); i++ {
			whole[i] = 0xee // padding content is ignored
		}
		c.inject(whole)
		c.message(user)
		c.expectOwn(ctSack)
		c.inject(c.nextData(user)[:16+n]) // no padding at the end
		c.message(user)
		c.advance(time.Second)
		if s := parseSack(c.expectOwn(ctSack).chunks[0]); s.cta != c.tsn-1 {
			t.Fatalf("%+v", s)
		}
	}
}

// TestScriptPartialChunk: what comes before a broken chunk counts, the rest
// is dropped; a length below 4 stops the walk (SCTP-1-12).
func TestScriptPartialChunk(t *testing.T) {
	for length := range 4 {
		t.Run(fmt.Sprint("length ", length), func(t *testing.T) {
			c := newConv(t).establishServer()
			c.inject(c.nextData("good"), []byte{ctHeartbeat, 0, 0, byte(length)}, tlv32(ctHeartbeat, 0, tlv16(1, []byte("nonce"))))
			c.message("good")
			c.expectOwn(ctSack)
		})
	}
	c := newConv(t).establishServer()
	broken := dataChunk(fB|fE, c.tsn+1, 0, 1, 0, "12345678")
	c.inject(c.nextData("good"), broken[:len(broken)-4])
	c.message("good")
	if s := parseSack(c.expectOwn(ctSack).chunks[0]); s.cta != peerISN {
		t.Fatalf("%+v", s)
	}
}

// TestScriptImpossibleLengths: a chunk of known type that is too short ends the
// association; what is about to end or begin one is dropped, as is a SACK, and
// what is too long is read as far as it goes (SCTP-1-13, SCTP-3-50).
func TestScriptImpossibleLengths(t *testing.T) {
	const dropped, aborted = false, true
	for _, tt := range []struct {
		name, state string
		chunk       func(c *conv) []byte
		want        bool
	}{
		{"DATA", "ESTABLISHED", func(*conv) []byte { return tlv32(ctData, fB|fE, make([]byte, 11)) }, aborted},
		{"SHUTDOWN", "ESTABLISHED", func(*conv) []byte { return tlv32(ctShutdown, 0, make([]byte, 3)) }, aborted},
		{"FORWARD TSN", "ESTABLISHED", func(*conv) []byte { return tlv32(ctForwardTSN, 0, make([]byte, 3)) }, aborted},
		{"FORWARD TSN with half a stream", "ESTABLISHED", func(*conv) []byte { return tlv32(ctForwardTSN, 0, make([]byte, 6)) }, aborted},
		{"SACK", "ESTABLISHED", func(*conv) []byte { return tlv32(ctSack, 0, make([]byte, 11)) }, dropped},
		{"ABORT", "ESTABLISHED", func(*conv) []byte { return []byte{ctAbort, 0, 0, 3} }, dropped},
		{"SHUTDOWN COMPLETE", "SHUTDOWN-ACK-SENT", func(*conv) []byte { return []byte{ctShutdownComplete, 0, 0, 3} }, dropped},
		{"COOKIE ACK", "COOKIE-ECHOED", func(*conv) []byte { return []byte{ctCookieAck, 0, 0, 3} }, dropped},
		{"INIT ACK", "COOKIE-WAIT", func(c *conv) []byte { return tlv32(ctInitAck, 0, c.ownInit().bytes()[:12]) }, dropped},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := inState(t, tt.state, func(c *conv, _ *sctp.Config) { c.offers = tlv16(0xc000, nil) })
			c.inject(tt.chunk(c))
			if tt.want == dropped {
				c.quiet()
				c.wantState(tt.state)
				return
			}
			p := c.expectOwn(ctAbort)
			if list, err := walkTLVs(p.chunks[0].value); err != nil || len(list) != 1 || list[0].typ != 13 {
				t.Fatalf("%v: want cause 13", p)
			}
			c.event(assoc.CommLost)
		})
	}
	c := inState(t, "SHUTDOWN-ACK-SENT")
	c.inject(tlv32(ctShutdownComplete, 0, []byte("surplus")))
	c.event(assoc.ShutdownComplete)
	c = inState(t, "COOKIE-ECHOED")
	c.inject(tlv32(ctCookieAck, 0, []byte("surplus")))
	c.event(assoc.CommUp)
	c.inject(tlv32(ctShutdown, 0, cat(u32(c.engTSN-1), []byte("surplus"))))
	c.expectOwn(ctShutdownAck)
	c.event(assoc.ShutdownEvent)
}

// TestScriptUnknownChunks: the two top bits decide about the rest of the
// packet and the report; DATA before it always counts (SCTP-1-15, 1-19, 8-04).
func TestScriptUnknownChunks(t *testing.T) {
	for _, tt := range []struct {
		typ          byte
		skip, report bool
	}{{0x3e, false, false}, {0x7e, false, true}, {0xbe, true, false}, {0xfe, true, true}} {
		t.Run(fmt.Sprintf("%#x", tt.typ), func(t *testing.T) {
			c := newConv(t).establishServer()
			unknown := tlv32(tt.typ, 0x55, []byte("strange"))
			c.inject(c.nextData("before"), unknown, c.nextData("after"))
			c.message("before")
			if tt.skip {
				c.message("after")
			}
			var sack wireSack
			if tt.report {
				p := c.discard()
				if len(p) != 1 && len(p) != 2 {
					t.Fatalf("%v", p)
				}
				found := false
				for _, q := range p {
					if e, ok := q.chunk(ctError); ok {
						list, err := walkTLVs(e.value)
						c.must(err)
						if len(list) != 1 || list[0].typ != 6 || !bytes.HasPrefix(unknown, list[0].value) || len(list[0].value) < 11 {
							t.Fatalf("%+v", list)
						}
						found = true
					}
					if k, ok := q.chunk(ctSack); ok {
						sack = parseSack(k)
					}
				}
				if !found {
					t.Fatal("no report")
				}
			} else {
				sack = parseSack(c.expectOwn(ctSack).chunks[0])
			}
			if want := peerISN + map[bool]uint32{true: 1}[tt.skip]; sack.cta != want {
				t.Fatalf("CTA %d, want %d", sack.cta, want)
			}
		})
	}
}

// TestScriptExtensionChunks: chunks of extensions that were not negotiated
// cost no DATA (SCTP-1-19).
func TestScriptExtensionChunks(t *testing.T) {
	for _, typ := range []byte{ctPad, ctAuth, 0xc1, 0x80, 0x82, 12, 13} {
		t.Run(fmt.Sprintf("%#x", typ), func(t *testing.T) {
			c := newConv(t).establishServer()
			c.inject(c.nextData("before"), tlv32(typ, 0, []byte("12345678")))
			c.message("before")
			c.discard()
			c.data("next")
			c.message("next")
			c.advance(time.Second)
			c.discard()
			c.wantState("ESTABLISHED")
			c.noEvents()
		})
	}
}

// TestScriptUnknownParameters: whatever the class of an unknown parameter,
// the handshake goes on; the reports are right (SCTP-1-30, 1-31, 8-03).
func TestScriptUnknownParameters(t *testing.T) {
	for _, tt := range []struct {
		typ          uint16
		stop, report bool
	}{{0x3ffe, true, false}, {0x7ffe, true, true}, {0xbffe, false, false}, {0xfffe, false, true}} {
		t.Run(fmt.Sprintf("INIT %#x", tt.typ), func(t *testing.T) {
			c := newConv(t)
			first, second := tlv16(tt.typ, []byte("what")), tlv16(0xfffd, []byte("ever!"))
			in := c.ownInit()
			in.params = cat(first, second[:9])
			c.injectVT(0, initChunk(in))
			p := c.expectOwn(ctInitAck)
			list, err := walkTLVs(parseInit(p.chunks[0].value).params)
			c.must(err)
			var reports [][]byte
			for _, q := range list {
				if q.typ == 8 {
					reports = append(reports, q.value)
				}
			}
			var want [][]byte
			if tt.report {
				want = append(want, first)
			}
			if !tt.stop {
				want = append(want, second[:9])
			}
			if fmt.Sprintf("%x", reports) != fmt.Sprintf("%x", want) {
				t.Fatalf("reports %x, want %x", reports, want)
			}
			c.takeInitAck(p)
			c.inject(tlv32(ctCookieEcho, 0, c.cookie))
			c.expectOwn(ctCookieAck)
			c.event(assoc.CommUp)
		})
		t.Run(fmt.Sprintf("INIT ACK %#x", tt.typ), func(t *testing.T) {
			c := newConv(t)
			c.connect()
			c.takeInit()
			b := c.ownInit()
			b.params = cat(tlv16(7, peerCookie), tlv16(tt.typ, []byte("what")))
			c.inject(initAckChunk(b))
			p := c.discard()
			if len(p) == 0 || p[0].chunks[0].typ != ctCookieEcho {
				t.Fatalf("no COOKIE ECHO: %v", p)
			}
			c.inject(tlv32(ctCookieAck, 0, nil))
			c.event(assoc.CommUp)
			p = append(p, c.discard()...)
			reported := false
			for _, q := range p {
				if e, ok := q.chunk(ctError); ok {
					reported = true
					if list, err := walkTLVs(e.value); err != nil || len(list) != 1 || list[0].typ != 8 || !bytes.Equal(list[0].value, tlv16(tt.typ, []byte("what"))) {
						t.Fatalf("%v %+v", err, list)
					}
				}
			}
			if reported != tt.report {
				t.Fatalf("reported %v", reported)
			}
		})
	}
}

// TestScriptForeignInits replays the parameters of INITs captured from Linux
// and usrsctp (SCTP-8-03, 8-05): 0x000C, 0x8000, 0xC000, and with extensions
// a 9-byte 0x8008 in the middle, AUTH parameters, a final padding uncounted.
func TestScriptForeignInits(t *testing.T) {
	linux := "000c0006 00050000 80000004 c0000004"
	for name, params := range map[string]string{
		"linux":            linux,
		"linux extensions": linux + "8008000a c180820fc000 0000 80020024" + strings.Repeat("ab", 32) + "80040006 00010000 80030006 80c1",
		"usrsctp":          "c0000004 80080009 c0c180820f 000000 80020024" + strings.Repeat("cd", 32) + "80040006 00010000 80030005 c1000000 000c0008 00050006 00050008 7f000001 0005000 8 c0000202",
		"adaptation":       "c0060008 00000001",
		"zero checksum":    "80010008 00000001 000c0006 000b",
	} {
		t.Run(name, func(t *testing.T) {
			c := newConv(t)
			in := c.ownInit()
			in.params = unhex(params)
			c.injectVT(0, initChunk(in))
			p := c.expectOwn(ctInitAck)
			if list, _ := walkTLVs(parseInit(p.chunks[0].value).params); len(list) > 0 {
				if v, ok := findTLV(list, 8); ok && (v[0] == 0x80 || v[1] == 0x0c || v[1] == 5) {
					t.Fatalf("reports the known parameter % x", v)
				}
			}
			c.takeInitAck(p)
			c.inject(tlv32(ctCookieEcho, 0, c.cookie))
			c.expectOwn(ctCookieAck)
			c.id = c.event(assoc.CommUp).Assoc
			c.data("hello")
			c.message("hello")
			c.expectOwn(ctSack)
		})
	}
}

// TestScriptBrokenParameters: lengths below 4 or beyond the chunk make the
// whole INIT malformed (SCTP-1-33).
func TestScriptBrokenParameters(t *testing.T) {
	for _, params := range []string{"80000003", "80000000", "8000000c 01020304", "c0000004 8000"} {
		c := newConv(t)
		in := c.ownInit()
		in.params = unhex(params)
		c.injectVT(0, initChunk(in))
		if len(c.out) > 0 && c.out[0].has(ctInitAck) && params != "c0000004 8000" {
			t.Errorf("%s: answered with %v", params, c.out[0])
		}
		c.discard()
	}
}

// TestScriptDropped are packets that must vanish without a trace (SCTP-1-01,
// 1-03, 1-06, 1-16, 6-04, 7-08).
func TestScriptDropped(t *testing.T) {
	for name, build := range map[string]func(c *conv) []byte{
		"bad checksum": func(c *conv) []byte {
			p := buildPacket(7000, 5000, c.tag, c.nextData("x"))
			p[8] ^= 1
			return p
		},
		"checksum zero": func(c *conv) []byte {
			p := buildPacket(7000, 5000, c.tag, c.nextData("x"))
			copy(p[8:], []byte{0, 0, 0, 0})
			return p
		},
		"checksum big endian": func(c *conv) []byte {
			p := buildPacket(7000, 5000, c.tag, c.nextData("x"))
			p[8], p[9], p[10], p[11] = p[11], p[10], p[9], p[8]
			return p
		},
		"source port 0":      func(c *conv) []byte { return buildPacket(0, 5000, c.tag, c.nextData("x")) },
		"destination port 0": func(c *conv) []byte { return buildPacket(7000, 0, c.tag, c.nextData("x")) },
		"wrong tag":          func(c *conv) []byte { return buildPacket(7000, 5000, c.tag^1, c.nextData("x")) },
		"tag 0":              func(c *conv) []byte { return buildPacket(7000, 5000, 0, c.nextData("x")) },
		"peer's tag":         func(c *conv) []byte { return buildPacket(7000, 5000, c.peerTag, c.nextData("x")) },
		"header only":        func(c *conv) []byte { return seal(buildPacket(7000, 5000, c.tag)[:12]) },
		"empty":              func(c *conv) []byte { return nil },
		"eleven bytes":       func(c *conv) []byte { return make([]byte, 11) },
		"INIT with a tag":    func(c *conv) []byte { return buildPacket(7000, 5000, c.tag, initChunk(c.ownInit())) },
		"INIT and DATA":      func(c *conv) []byte { return buildPacket(7000, 5000, 0, initChunk(c.ownInit()), c.nextData("x")) },
		"DATA and INIT":      func(c *conv) []byte { return buildPacket(7000, 5000, 0, c.nextData("x"), initChunk(c.ownInit())) },
		"INIT with tag 0":    func(c *conv) []byte { b := c.ownInit(); b.tag = 0; return buildPacket(7000, 5000, 0, initChunk(b)) },
		"SHUTDOWN wrong tag": func(c *conv) []byte { return buildPacket(7000, 5000, c.tag+1, tlv32(ctShutdown, 0, u32(c.engTSN-1))) },
		"HEARTBEAT wrong tag": func(c *conv) []byte {
			return buildPacket(7000, 5000, c.tag+1, tlv32(ctHeartbeat, 0, tlv16(1, []byte("n"))))
		},
		"COOKIE ACK out of place": func(c *conv) []byte { return buildPacket(7000, 5000, c.tag, tlv32(ctCookieAck, 0, nil)) },
		"ABORT short":             func(c *conv) []byte { return buildPacket(7000, 5000, c.tag, []byte{6, 0, 0, 3}) },
		"ABORT beyond packet":     func(c *conv) []byte { return buildPacket(7000, 5000, c.tag, []byte{6, 0, 0, 8}) },
		"SHUTDOWN ACK in ES":      func(c *conv) []byte { return buildPacket(7000, 5000, c.tag, tlv32(ctShutdownAck, 0, nil)) },
		"INIT ACK in ES":          func(c *conv) []byte { return buildPacket(7000, 5000, c.tag, c.ownInitAck()) },
		"forged HEARTBEAT ACK": func(c *conv) []byte {
			return buildPacket(7000, 5000, c.tag, tlv32(ctHeartbeatAck, 0, tlv16(1, make([]byte, 40))))
		},
		"HEARTBEAT ACK, no info": func(c *conv) []byte { return buildPacket(7000, 5000, c.tag, tlv32(ctHeartbeatAck, 0, nil)) },
		"old SACK": func(c *conv) []byte {
			return buildPacket(7000, 5000, c.tag, sackChunk(c.engTSN-2, 0, nil))
		},
		"SACK of a wrong length": func(c *conv) []byte {
			k := sackChunk(c.engTSN-1, 1<<16, nil)
			k[13] = 9 // nine blocks that are not there
			return buildPacket(7000, 5000, c.tag, k)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newConv(t).establishServer()
			c.send("outstanding")
			c.expectOwn(ctData)
			packet := build(c)
			before := fingerprint(c.ep)
			// From another UDP port: it must not be followed (SCTP-5-02).
			from := netip.AddrPortFrom(c.udp.Addr(), c.udp.Port()+1)
			if strings.HasSuffix(name, "in ES") || strings.Contains(name, "HEARTBEAT ACK") || strings.HasPrefix(name, "ABORT") ||
				strings.Contains(name, "out of place") || strings.Contains(name, "SACK") {
				from = c.udp // its tag is right
			}
			c.injectRaw(from, packet)
			if from != c.udp && (strings.Contains(name, "wrong tag") || name == "peer's tag") {
				// Somebody else's at that address, out of the blue (SCTP-2-05).
				if p := c.out[0]; len(c.discard()) != 1 || p.to != from || !bytes.Equal(p.types(), []byte{ctAbort}) || p.chunks[0].flags != 1 {
					t.Fatalf("answered with %v to %v", p, p.to)
				}
				c.injectRaw(c.udp, packet)
			}
			c.quiet()
			if what := changed(before, fingerprint(c.ep)); what != "" && name != "SACK of a wrong length" {
				t.Fatal("the engine remembers it", what)
			}
		})
	}
}

// TestScriptHeartbeatFlood: many HEARTBEATs in one packet give one reply
// packet (SCTP-1-18, 7-20).
func TestScriptHeartbeatFlood(t *testing.T) {
	c := newConv(t).establishServer()
	var beats [][]byte
	for range 300 {
		beats = append(beats, tlv32(ctHeartbeat, 0, tlv16(1, []byte("nonce"))))
	}
	c.inject(beats...)
	if p := c.discard(); len(p) != 1 {
		t.Fatalf("%d reply packets", len(p))
	}
}

// TestScriptOneReply: whatever one packet asks for, the answers are one packet, no
// larger than the path takes, beside a SACK; those that it has no room for are
// dropped (SCTP-1-18).
func TestScriptOneReply(t *testing.T) {
	beat := func(n int) []byte { return tlv32(ctHeartbeat, 0, tlv16(1, make([]byte, n))) }
	unknown := func(n int) []byte { return tlv32(0xfe, 0, make([]byte, n)) }
	for name, chunks := range map[string][][]byte{
		"large HEARTBEATs":      {beat(700), beat(700), beat(700), beat(700)},
		"unknown chunks":        {unknown(500), unknown(500), unknown(500), unknown(500)},
		"an unknown large one":  {unknown(8000)},
		"both":                  {beat(300), unknown(300), beat(300), unknown(300), beat(300), unknown(300)},
		"streams that are none": {dataChunk(fB|fE, peerISN, 99, 0, 0, "x"), beat(1400), dataChunk(fB|fE, peerISN+1, 99, 1, 0, "x"), beat(1400)},
	} {
		t.Run(name, func(t *testing.T) {
			c := newConv(t).establishServer()
			c.inject(chunks...)
			replies, rest := 0, c.discard()
			for _, p := range rest {
				if len(p.raw) > 1472 {
					t.Errorf("a packet of %d bytes", len(p.raw))
				}
				if p.has(ctHeartbeatAck) || p.has(ctError) {
					replies++
				}
			}
			if replies != 1 || len(chunks) > 1 && c.ep.Counters().RepliesLimited == 0 {
				t.Errorf("%d packets with answers, %d answers dropped: %v", replies, c.ep.Counters().RepliesLimited, rest)
			}
			c.forget()
		})
	}
}

// TestScriptOrderInPacket: control before DATA, COOKIE ACK before all, then what
// answers, then SACK, then SHUTDOWN (SCTP-1-17).
func TestScriptOrderInPacket(t *testing.T) {
	beat := tlv32(ctHeartbeat, 0, tlv16(1, []byte("nonce")))
	c := newConv(t)
	c.injectVT(0, initChunk(c.ownInit()))
	c.takeInitAck(c.expectOwn(ctInitAck))
	c.inject(tlv32(ctCookieEcho, 0, c.cookie), beat, c.nextData("early"))
	c.expectOwn(ctCookieAck, ctHeartbeatAck, ctSack)
	c.id = c.event(assoc.CommUp).Assoc
	c.message("early")
	c.must(c.ep.Send(c.now, []byte("waits"), &assoc.SendInfo{Assoc: c.id}))
	c.inject(beat, c.nextData("one"), c.nextData("another"), tlv32(0xfe, 0, nil), dataChunk(fB|fE, c.tsn+1, 0, 9, 0, "gap"))
	c.expectOwn(ctHeartbeatAck, ctError, ctSack, ctData)
	c.message("one")
	c.message("another")
	c.inject(sackChunk(c.engTSN, 1<<16, nil))
	c.shutdown()
	c.expectOwn(ctShutdown)
	c.inject(beat, dataChunk(fB|fE, c.tsn+2, 0, 10, 0, "another gap"))
	c.expectOwn(ctHeartbeatAck, ctSack, ctShutdown)
	// As much as fits, and no more.
	c = newConv(t).establishServer()
	c.must(c.ep.Send(c.now, make([]byte, 1400), &assoc.SendInfo{Assoc: c.id}))
	c.inject(tlv32(ctHeartbeat, 0, tlv16(1, make([]byte, 60))))
	c.expectOwn(ctHeartbeatAck)
	if p := c.expectOwn(ctData); len(p.raw) > 1472 {
		t.Fatalf("%d bytes", len(p.raw))
	}
	c.forget()
}

// TestScriptHeartbeatEcho: the Info comes back unchanged, whatever it is
// (SCTP-3-111).
func TestScriptHeartbeatEcho(t *testing.T) {
	c := newConv(t).establishServer()
	for _, info := range [][]byte{tlv16(1, []byte("some nonce")), tlv16(0x7777, []byte("odd")), {}, cat(tlv16(1, []byte("abcd")), tlv16(0x1234, []byte("more")))} {
		c.inject(tlv32(ctHeartbeat, 0, info))
		if p := c.expectOwn(ctHeartbeatAck); !bytes.Equal(pad4(bytes.Clone(p.chunks[0].value)), info) {
			t.Fatalf("% x came back as % x", info, p.chunks[0].value)
		}
	}
}
