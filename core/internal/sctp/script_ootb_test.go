package sctp_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp"
)

// Group SCTP-7-23: out of the blue, and verification tags.

const strangeTag = 0xcafe0001

// TestScriptOutOfTheBlue follows the eight rules of section 8.4 (SCTP-2-40,
// 2-41).
func TestScriptOutOfTheBlue(t *testing.T) {
	abort := tlv32(ctAbort, 0, nil)
	stale := tlv32(ctError, 0, tlv16(3, u32(0)))
	data := dataChunk(fB|fE, 1, 0, 0, 0, "x")
	for _, tt := range []struct {
		name   string
		chunks [][]byte
		want   byte // chunk type of the answer; 0 = none
	}{
		{"ABORT", [][]byte{abort}, 0},
		{"ABORT T", [][]byte{tlv32(ctAbort, 1, nil)}, 0},
		{"ABORT bundled", [][]byte{stale, abort}, 0},
		{"ABORT behind SHUTDOWN ACK", [][]byte{tlv32(ctShutdownAck, 0, nil), abort}, 0},
		{"ABORT behind HEARTBEAT", [][]byte{tlv32(ctHeartbeat, 0, tlv16(1, []byte("nonce"))), abort}, 0},
		{"COOKIE ECHO, nonsense", [][]byte{tlv32(ctCookieEcho, 0, []byte("nonsense cookie"))}, 0},
		{"SHUTDOWN ACK", [][]byte{tlv32(ctShutdownAck, 0, nil)}, ctShutdownComplete},
		{"SHUTDOWN COMPLETE", [][]byte{tlv32(ctShutdownComplete, 0, nil)}, 0},
		{"SHUTDOWN COMPLETE T", [][]byte{tlv32(ctShutdownComplete, 1, nil)}, 0},
		{"COOKIE ACK", [][]byte{tlv32(ctCookieAck, 0, nil)}, 0},
		{"ERROR stale cookie", [][]byte{stale}, 0},
		{"ERROR", [][]byte{tlv32(ctError, 0, tlv16(1, u32(0)))}, ctAbort},
		{"DATA", [][]byte{data}, ctAbort},
		{"SACK", [][]byte{sackChunk(1, 1500, nil)}, ctAbort},
		{"HEARTBEAT", [][]byte{tlv32(ctHeartbeat, 0, tlv16(1, []byte("nonce")))}, ctAbort},
		{"HEARTBEAT ACK", [][]byte{tlv32(ctHeartbeatAck, 0, tlv16(1, []byte("nonce")))}, ctAbort},
		{"SHUTDOWN", [][]byte{tlv32(ctShutdown, 0, u32(1))}, ctAbort},
		{"INIT ACK", [][]byte{initAckChunk(initBody{tag: 5, rwnd: 1500, os: 1, mis: 1, tsn: 1, params: tlv16(7, []byte("c"))})}, ctAbort},
		{"FORWARD TSN", [][]byte{tlv32(ctForwardTSN, 0, u32(1))}, ctAbort},
		{"unknown chunk", [][]byte{tlv32(0xfe, 0, []byte("what"))}, ctAbort},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newConv(t)
			before := fingerprint(c.ep)
			c.injectVT(strangeTag, tt.chunks...)
			switch tt.want {
			case 0:
				c.quiet()
			default:
				p := c.expect(tt.want)
				if p.vt != strangeTag || p.chunks[0].flags != 1 {
					t.Fatalf("%v: want the tag reflected and T", p)
				}
				if len(p.raw) > 12+4+len(tt.chunks[0])+len("text of a reason") {
					t.Fatalf("answer of %d bytes", len(p.raw))
				}
			}
			if what := changed(before, fingerprint(c.ep)); what != "" || !c.ep.Idle() {
				t.Fatal("something is remembered", what)
			}
		})
	}
}

// TestScriptNonUnicast: such sources are not answered, nor made peers
// (SCTP-2-40 rule 1).
func TestScriptNonUnicast(t *testing.T) {
	for _, from := range []string{"224.0.0.1:7000", "255.255.255.255:7000", "0.0.0.0:7000", "[ff02::1]:7000", "[::]:7000"} {
		c := newConv(t)
		c.injectRaw(netip.MustParseAddrPort(from), buildPacket(7000, 5000, 0, initChunk(c.ownInit())))
		c.injectRaw(netip.MustParseAddrPort(from), buildPacket(7000, 5000, strangeTag, dataChunk(fB|fE, 1, 0, 0, 0, "x")))
		c.quiet()
	}
	c := newConv(t)
	c.injectRaw(netip.AddrPortFrom(c.udp.Addr(), 0), buildPacket(7000, 5000, 0, initChunk(c.ownInit())))
	c.quiet() // UDP port 0 cannot be answered
}

// TestScriptOutOfTheBlueLimit: a flood of strays is not answered one by one
// for ever (SCTP-2-41).
func TestScriptOutOfTheBlueLimit(t *testing.T) {
	c := newConv(t)
	for i := range 10_000 {
		c.injectRaw(netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 9, byte(i >> 8), byte(i)}), 7000),
			buildPacket(7000, 5000, strangeTag, dataChunk(fB|fE, 1, 0, 0, 0, "x")))
	}
	if n := len(c.discard()); n == 0 || n > 1000 {
		t.Fatalf("%d answers", n)
	}
	if c.ep.Counters().RepliesLimited == 0 {
		t.Fatal("not counted")
	}
}

// TestScriptTBitMatrix: ABORT and SHUTDOWN COMPLETE with T and without, and
// each tag, in each state (SCTP-2-03, 8-01, 8-11).
func TestScriptTBitMatrix(t *testing.T) {
	for _, state := range states {
		for _, typ := range []byte{ctAbort, ctShutdownComplete} {
			for flag := range byte(2) {
				for _, tag := range []string{"own", "peer", "wrong", "zero"} {
					t.Run(fmt.Sprintf("%s/%s/T=%d/%s", state, chunkName(typ), flag, tag), func(t *testing.T) {
						tryTBit(t, state, typ, flag, tag)
					})
				}
			}
		}
	}
}

func tryTBit(t *testing.T, state string, typ, flag byte, tag string) {
	c := inState(t, state)
	vt := map[string]uint32{"own": c.tag, "peer": c.peerTag, "wrong": strangeTag, "zero": 0}[tag]
	accept := flag == 0 && tag == "own" || flag == 1 && tag == "peer" && state != "COOKIE-WAIT"
	if state == "CLOSED" || typ == ctShutdownComplete && state != "SHUTDOWN-ACK-SENT" {
		accept = false
	}
	before, status := fingerprint(c.ep), fmt.Sprint(c.status())
	c.injectVT(vt, tlv32(typ, flag, nil))
	c.quiet() // neither is ever answered (SCTP-8-12)
	if !accept {
		if what := changed(before, fingerprint(c.ep)); what != "" && tag != "own" {
			t.Fatal("it has an effect", what)
		}
		// With the right tag its address may count as heard of, no more.
		if after := fmt.Sprint(c.status()); after != status {
			t.Fatalf("%s, before %s", after, status)
		}
		c.noEvents()
		return
	}
	c.wantState("CLOSED")
	for len(c.events) > 0 && c.events[0].Kind == assoc.SendFailed {
		c.event(assoc.SendFailed)
	}
	switch {
	case typ == ctShutdownComplete:
		c.event(assoc.ShutdownComplete)
	case strings.HasPrefix(state, "COOKIE"):
		c.event(assoc.CannotStart)
	default:
		c.event(assoc.CommLost)
	}
	if !c.ep.Idle() {
		t.Fatal("not idle")
	}
}

// TestScriptAbortReason goes up to the user, and down from him (SCTP-2-55).
func TestScriptAbortReason(t *testing.T) {
	c := newConv(t).establishServer()
	c.inject(tlv32(ctAbort, 0, tlv16(12, []byte("out of beer"))[:15]))
	ev := c.event(assoc.CommLost)
	if ev.Cause != 12 || ev.Err == nil || !strings.Contains(ev.Err.Error(), "out of beer") {
		t.Fatalf("%+v", ev)
	}
	c = newConv(t).establishServer()
	c.send("on the wire")
	c.expectOwn(ctData)
	c.abort("closing time")
	p := c.expectOwn(ctAbort)
	list, err := walkTLVs(p.chunks[0].value)
	if err != nil || p.chunks[0].flags != 0 || len(list) != 1 || list[0].typ != 12 || string(list[0].value) != "closing time" {
		t.Fatalf("%v %+v", err, list)
	}
	c.event(assoc.SendFailed)
	c.event(assoc.CommLost)
	c.abortAgain(t)

	c = newConv(t).establishServer()
	c.abort(strings.Repeat("long ", 60000))
	if p := c.expectOwn(ctAbort); len(p.raw) > 1472 {
		t.Fatalf("%d bytes", len(p.raw))
	}
	c.event(assoc.CommLost)
}

func (c *conv) abortAgain(t *testing.T) {
	t.Helper()
	if err := c.ep.Abort(c.now, c.id, ""); err == nil {
		t.Fatal("an association that is gone can be aborted")
	}
	c.drain()
}

// TestScriptBrokenAbortCauses: causes that do not parse abort all the same
// (SCTP-1-40).
func TestScriptBrokenAbortCauses(t *testing.T) {
	for _, causes := range []string{"000c0003", "000cffff 61", "0001", "7fff0008 01020304"} {
		c := newConv(t).establishServer()
		c.inject(tlv32(ctAbort, 0, unhex(causes)))
		c.event(assoc.CommLost)
	}
}

// TestScriptWrongTagIsNotOutOfTheBlue: with the peer known a wrong tag is
// dropped, never answered (SCTP-2-12).
func TestScriptWrongTagIsNotOutOfTheBlue(t *testing.T) {
	for _, state := range states[1:] {
		for _, chunk := range [][]byte{
			dataChunk(fB|fE, 1, 0, 0, 0, "x"), sackChunk(1, 1500, nil), tlv32(ctHeartbeat, 0, tlv16(1, []byte("nonce"))),
			tlv32(ctShutdown, 0, u32(1)), tlv32(ctCookieAck, 0, nil), tlv32(ctError, 0, tlv16(1, u32(0))),
		} {
			c := inState(t, state)
			before := fingerprint(c.ep)
			c.injectVT(strangeTag, chunk)
			c.quiet()
			c.noEvents()
			if what := changed(before, fingerprint(c.ep)); what != "" {
				t.Errorf("%s: %s has an effect: %s", state, chunkName(chunk[0]), what)
			}
			c.forget()
		}
	}
}

// TestScriptForeignPort: the tag alone does not make a packet ours, the SCTP
// ports must fit too (SCTP-2-01).
func TestScriptForeignPort(t *testing.T) {
	for _, ports := range [][2]uint16{{7001, 5000}, {7000, 5001}} {
		c := newConv(t).establishServer()
		before := fingerprint(c.ep)
		for _, chunk := range [][]byte{tlv32(ctAbort, 0, nil), dataChunk(fB|fE, c.tsn, 0, 0, 0, "x"), tlv32(ctShutdown, 0, u32(c.engTSN-1))} {
			c.ep.Input(c.now, sctp.Packet{Peer: c.udp, Local: c.eng.Addr(), Data: buildPacket(ports[0], ports[1], c.tag, chunk)})
			var p sctp.Packet
			for c.ep.Output(c.now, &p) {
				if w, err := parseStrict(p.Data); err != nil || !w.has(ctAbort) || w.chunks[0].flags != 1 {
					t.Fatalf("%v %v", w, err)
				}
			}
		}
		if what := changed(before, fingerprint(c.ep)); what != "" {
			t.Fatal(what)
		}
	}
}

// TestScriptShutdownAckDuringSetup belongs to an association before and is
// answered whatever its tag; T1 goes on (SCTP-2-12).
func TestScriptShutdownAckDuringSetup(t *testing.T) {
	for _, state := range []string{"COOKIE-WAIT", "COOKIE-ECHOED"} {
		c := inState(t, state)
		c.injectVT(strangeTag, tlv32(ctShutdownAck, 0, nil))
		p := c.expect(ctShutdownComplete)
		if p.vt != strangeTag || p.chunks[0].flags != 1 {
			t.Errorf("%s: %v", state, p)
		}
		c.wantState(state)
		c.forget()
	}
}

// TestScriptNoPacketStorm lets two engines without association throw every
// chunk at each other: it ends at once (SCTP-8-12).
func TestScriptNoPacketStorm(t *testing.T) {
	for typ := range 256 {
		for flags := range byte(2) {
			a, b := newConv(t), newConv(t)
			chunk := tlv32(byte(typ), flags, make([]byte, 24))
			pending := []sctp.Packet{{Peer: a.udp, Data: buildPacket(7000, 5000, strangeTag, chunk)}}
			for n := 0; len(pending) > 0; n++ {
				if n > 3 {
					t.Fatalf("type %d: the storm does not end", typ)
				}
				to := []*conv{a, b}[n%2]
				p := pending[0]
				pending = pending[1:]
				to.ep.Input(to.now, sctp.Packet{Peer: to.udp, Data: p.Data})
				var q sctp.Packet
				for to.ep.Output(to.now, &q) {
					back := append([]byte(nil), q.Data...)
					copy(back, append(u16(7000), u16(5000)...)) // as if the ports were mirrored
					pending = append(pending, sctp.Packet{Data: seal(back)})
				}
			}
		}
	}
}
