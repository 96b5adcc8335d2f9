package sctp_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp"
)

// allChunks is one of each chunk, as seeds.
func allChunks() [][]byte {
	init := initBody{tag: 9, rwnd: 1500, os: 1, mis: 1, tsn: 7}
	ack := init
	ack.params = tlv16(7, []byte("cookie"))
	return [][]byte{
		dataChunk(fB|fE, peerISN, 0, 0, 0, "data"), initChunk(init), initAckChunk(ack),
		sackChunk(0xfffffffd, 1500, []uint16{2, 3}, 5), tlv32(ctHeartbeat, 0, tlv16(1, []byte("nonce"))),
		tlv32(ctHeartbeatAck, 0, tlv16(1, make([]byte, 20))), tlv32(ctAbort, 0, tlv16(12, []byte("why"))),
		tlv32(ctAbort, 1, nil), tlv32(ctShutdown, 0, u32(0xfffffffd)), tlv32(ctShutdownAck, 0, nil),
		tlv32(ctError, 0, tlv16(6, []byte{1, 2, 3, 4})), tlv32(ctCookieEcho, 0, make([]byte, 90)), tlv32(ctCookieAck, 0, nil),
		tlv32(ctShutdownComplete, 1, nil), tlv32(ctForwardTSN, 0, cat(u32(peerISN+3), u16(0, 0))), tlv32(0xfe, 0, []byte("?")),
		iDataChunk(fB, peerISN, 0, 0, 0, "i-data"), iDataChunk(fE, peerISN+1, 0, 0, 1, "i-data"), iDataChunk(fB|fE|fU, peerISN+2, 1, 7, 0, "i-data"),
		tlv32(ctIForwardTSN, 0, cat(u32(peerISN+3), u16(0, 0), u32(0), u16(1, 1), u32(7))),
	}
}

// FuzzEndpointInput: packets of somebody who is not on the path. Whatever
// they hold, the association next to them does not change by a bit
// (SCTP-6-11 f blind, 7-08).
func FuzzEndpointInput(f *testing.F) {
	for i, c := range allChunks() {
		f.Add(uint32(i), uint8(i), c)
		f.Add(uint32(0), uint8(0), cat(c, c))
	}
	f.Fuzz(func(t *testing.T, vt uint32, how uint8, chunks []byte) {
		c := newConv(t).establishServer()
		c.send("outstanding")
		c.expectOwn(ctData)
		if vt == c.tag || vt == c.peerTag || len(chunks) > 1<<16-100 {
			return
		}
		before := fingerprint(c.ep)
		packet := buildPacket(7000, 5000, vt, chunks)
		from := netip.AddrPortFrom(c.udp.Addr(), c.udp.Port()+uint16(how&1))
		if how&2 != 0 { // raw bytes, any checksum
			packet = chunks
		}
		if how&4 != 0 {
			from = netip.MustParseAddrPort("203.0.113.66:7000")
		}
		c.ep.Input(c.now, sctp.Packet{Peer: from, Local: c.eng.Addr(), Data: packet})
		answers := 0
		var p sctp.Packet
		for c.ep.Output(c.now, &p) {
			if _, err := parseStrict(bytes.Clone(p.Data)); err != nil {
				t.Fatalf("answers % x: %v", p.Data, err)
			}
			if answers++; answers > 1 {
				t.Fatal("two answers to one packet (SCTP-1-18)")
			}
			if len(p.Data) > 3*len(packet)+400 {
				t.Fatalf("%d bytes for %d (SCTP-6-03)", len(p.Data), len(packet))
			}
		}
		// An INIT may have made tie tags, which is not the association's
		// business; all else must be as before.
		if what := changed(before, fingerprint(c.ep)); what != "" && !bytes.Contains(packet, []byte{ctInit}) {
			t.Fatalf("changed by an outsider: %s", what)
		}
		c.readAll()
		c.noEvents()
		c.data("still here")
		c.message("still here")
		c.discard()
	})
}

// FuzzInsider: a peer that knows the tags sends whatever it likes, as a list
// of packets, at any pace. The engine may end the association, but not panic,
// hang, or hold more than its limits (SCTP-6-10, 6-11 d-f).
func FuzzInsider(f *testing.F) {
	for i, c := range allChunks() {
		f.Add(uint8(i), c)
	}
	f.Add(uint8(3), cat(dataChunk(fB, peerISN, 0, 0, 0, "a"), dataChunk(0, peerISN+1, 0, 0, 0, "b"), dataChunk(fE, peerISN+2, 0, 0, 0, "c")))
	f.Add(uint8(3), cat(sackChunk(0xfffffffd, 3000, []uint16{2, 2}), sackChunk(0xfffffffd, 3000, []uint16{2, 3}), sackChunk(0xfffffffd, 3000, []uint16{2, 4})))
	f.Add(uint8(5), cat(tlv32(ctShutdown, 0, u32(0xfffffffe)), tlv32(ctShutdownComplete, 0, nil)))
	f.Add(uint8(0x43), cat(iDataChunk(fB, peerISN, 0, 0, 0, "a"), iDataChunk(fB, peerISN+1, 1, 0, 0, "b"), iDataChunk(fE, peerISN+3, 0, 0, 1, "c"),
		tlv32(ctIForwardTSN, 0, cat(u32(peerISN+2), u16(1, 0), u32(0)))))
	f.Fuzz(func(t *testing.T, how uint8, stream []byte) {
		var opts []option
		if how&0x40 != 0 {
			opts = append(opts, interleaving)
		}
		c := inState(t, states[1+int(how)%7], opts...)
		t.Cleanup(c.forget)
		for i := range 6 {
			_ = c.ep.Send(c.now, bytes.Repeat([]byte{byte(i)}, 700*i+1), &assoc.SendInfo{Assoc: c.id, Stream: uint16(i % 3), Unordered: i == 4})
		}
		c.drain()
		for n := 0; len(stream) >= 4 && n < 200; n++ {
			size := min(max(4, int(be16(stream[2:]))+3)&^3, len(stream))
			one := stream[:size]
			if how&0x80 != 0 {
				one = stream
				size = len(stream)
			}
			c.inject(one)
			if n%3 == int(how>>3)%3 {
				c.advance(time.Duration(how) * time.Millisecond)
			}
			c.checkHonest()
			stream = stream[size:]
		}
		c.advance(3 * time.Second)
		c.checkHonest()
		if c.status().State != "CLOSED" {
			_ = c.ep.Abort(c.now, c.id, "enough")
			c.drain()
		}
		c.ep.Close(c.now)
		c.drain()
		c.advance(5 * time.Minute)
		if _, armed := c.ep.Next(); armed || !c.ep.Idle() {
			t.Fatal("not idle at the end (SCTP-7-09)")
		}
		c.checkEvents()
		c.forget()
	})
}

// checkHonest looks at what the engine says of itself.
func (c *conv) checkHonest() {
	c.t.Helper()
	s := c.status()
	for _, p := range s.Paths {
		if p.InFlight < 0 || p.Cwnd < pmdcs-40 || p.RTO <= 0 {
			c.t.Fatalf("%+v", s)
		}
	}
	if _, armed := c.ep.Next(); !armed && s.State != "CLOSED" && (s.State != "ESTABLISHED" || s.Unacked+s.Unsent > 0) {
		c.t.Fatalf("no timer in %+v (SCTP-7-03)", s)
	}
	for _, p := range c.discard() {
		if len(p.raw) > 1472 && !p.has(ctCookieEcho) {
			c.t.Fatalf("packet of %d bytes", len(p.raw))
		}
	}
}

// checkEvents wants one end for the association and nothing after it.
func (c *conv) checkEvents() {
	c.t.Helper()
	ends := map[assoc.ID]int{}
	for _, ev := range c.events {
		if ends[ev.Assoc] > 0 {
			c.t.Fatalf("%+v after the end", ev)
		}
		switch ev.Kind {
		case assoc.CommLost, assoc.CannotStart, assoc.ShutdownComplete:
			ends[ev.Assoc]++
		}
	}
	if ends[c.id] != 1 {
		c.t.Fatalf("%d ends (SCTP-4-02)", ends[c.id])
	}
}

// FuzzCookie: no cookie but the one given opens an association (SCTP-6-11 c).
func FuzzCookie(f *testing.F) {
	f.Add([]byte("cookie"))
	f.Add(make([]byte, 90))
	f.Fuzz(func(t *testing.T, mask []byte) {
		c := newConv(t)
		c.injectVT(0, initChunk(c.ownInit()))
		c.takeInitAck(c.expectOwn(ctInitAck))
		forged := bytes.Clone(c.cookie)
		for i, b := range mask {
			if i < len(forged) {
				forged[i] ^= b
			}
		}
		if len(mask) > 0 && mask[0] == 'L' {
			forged = forged[:min(len(mask), len(forged))]
		}
		if bytes.Equal(forged, c.cookie) {
			return
		}
		for _, cookie := range [][]byte{forged, mask} {
			if len(cookie) > 60_000 {
				return
			}
			c.inject(tlv32(ctCookieEcho, 0, cookie))
			c.quiet()
			c.noEvents()
		}
		c.inject(tlv32(ctCookieEcho, 0, c.cookie))
		c.expectOwn(ctCookieAck)
		c.event(assoc.CommUp)
	})
}

// heapGrowth measures what a call leaves behind.
func heapGrowth(f func()) int64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	f()
	runtime.GC()
	runtime.ReadMemStats(&after)
	return int64(after.HeapAlloc) - int64(before.HeapAlloc)
}

// TestScriptFragmentFlood: an insider that sends only fragments, each alone
// or with one byte, on every stream, holds bounded memory (SCTP-3-43, 6-07,
// 6-08).
func TestScriptFragmentFlood(t *testing.T) {
	for name, flood := range map[string]func(c *conv, i int) []byte{
		"never a B": func(c *conv, i int) []byte { return dataChunk(0, c.tsn+1+uint32(i), uint16(i%16), 0, 0, "x") },
		"every second": func(c *conv, i int) []byte {
			return dataChunk(fB|fE, c.tsn+1+2*uint32(i), uint16(i%16), uint16(i), 0, "x")
		},
		"unordered B": func(c *conv, i int) []byte { return dataChunk(fB|fU, c.tsn+1+2*uint32(i), 0, 0, 0, "x") },
		"SSN too far": func(c *conv, i int) []byte {
			return dataChunk(fB|fE, c.tsn+uint32(i), uint16(i%16), 1000+uint16(i), 0, "x")
		},
		"all in order": func(c *conv, i int) []byte {
			return dataChunk(map[bool]byte{true: fB}[i == 0], c.tsn+uint32(i), 0, 0, 0, "x")
		},
		"nobody reads": func(c *conv, i int) []byte { return dataChunk(fB|fE, c.tsn+uint32(i), 0, uint16(i), 0, "x") },
		"big and ahead": func(c *conv, i int) []byte {
			return dataChunk(0, c.tsn+1+uint32(i), 0, 0, 0, string(make([]byte, 1400)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newConv(t).establishServer()
			c.mute = true
			grown := heapGrowth(func() {
				for i := range 12_000 {
					c.inject(flood(c, i))
					c.out = nil
					if c.status().State == "CLOSED" {
						break
					}
				}
			})
			// ReceiveBuffer is 64 KiB; the book-keeping of tiny chunks may cost
			// some times that, but not without end.
			if grown > 1<<20 {
				t.Fatalf("%d bytes held", grown)
			}
			c.forget()
			runtime.KeepAlive(c)
		})
	}
}

// TestScriptSharedReceiveMemory: many associations together stay below the
// endpoint's limit (SCTP-6-07).
func TestScriptSharedReceiveMemory(t *testing.T) {
	c := newConv(t, func(_ *conv, cfg *sctp.Config) { cfg.MaxReceiveMemory = 1 << 20; cfg.MaxAssocsPerPeer = 1000 },
		withParams(func(p *assoc.Params) { p.ReceiveBuffer, p.MaxMessage = 1<<20, 1<<19 }))
	c.mute = true
	chunk := string(make([]byte, 1400))
	grown := heapGrowth(func() {
		for a := range uint16(20) {
			c.peer = netip.AddrPortFrom(c.peer.Addr(), 7000+a)
			c.peerTag, c.tsn = 0x1000+uint32(a), 1
			c.injectVT(0, initChunk(c.ownInit()))
			if !c.out[0].has(ctInitAck) {
				c.out = nil
				continue
			}
			c.takeInitAck(c.out[0])
			c.out = nil
			c.inject(tlv32(ctCookieEcho, 0, c.cookie))
			for i := range uint32(300) {
				c.inject(dataChunk(0, c.tsn+1+i, 0, 0, 0, chunk))
				c.out = nil
			}
		}
	})
	if grown > 5<<20 {
		t.Fatalf("%d bytes held, limit 1 MiB", grown)
	}
	runtime.KeepAlive(c)
	c.forget()
}

// TestScriptControlFlood: ERROR and HEARTBEAT without end do not pile up
// (SCTP-6-06, 4-09).
func TestScriptControlFlood(t *testing.T) {
	c := newConv(t).establishServer()
	c.mute = true
	grown := heapGrowth(func() {
		for i := range 20_000 {
			c.ep.Input(c.now, sctp.Packet{Peer: c.udp, Data: buildPacket(7000, 5000, c.tag,
				tlv32(ctHeartbeat, 0, tlv16(1, make([]byte, 1000))), tlv32(0xfe, 0, []byte(fmt.Sprint(i))), tlv32(ctError, 0, tlv16(6, []byte("what"))))})
			if i%1000 == 0 {
				var p sctp.Packet
				for c.ep.Output(c.now, &p) {
				}
			}
		}
	})
	if grown > 1<<20 {
		t.Fatalf("%d bytes held", grown)
	}
	runtime.KeepAlive(c)
	c.forget()
}
