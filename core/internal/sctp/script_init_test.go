package sctp_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// TestScriptInitTravelsAlone: an INIT with a verification tag, known or not, or
// with anything beside it, is answered by nobody, opens nothing and restarts
// nothing; what comes behind one in a packet is not looked at (SCTP-1-16).
func TestScriptInitTravelsAlone(t *testing.T) {
	heartbeat := tlv32(ctHeartbeat, 0, tlv16(1, []byte("nonce")))
	for name, packet := range map[string]func(c *conv) (vt uint32, chunks [][]byte){
		"unknown tag": func(c *conv) (uint32, [][]byte) { return 0xdeadbeef, [][]byte{initChunk(c.ownInit())} },
		"tag 1":       func(c *conv) (uint32, [][]byte) { return 1, [][]byte{initChunk(c.ownInit())} },
		"its own tag": func(c *conv) (uint32, [][]byte) { return c.peerTag, [][]byte{initChunk(c.ownInit())} },
		"our tag":     func(c *conv) (uint32, [][]byte) { return c.tag, [][]byte{initChunk(c.ownInit())} },
		"PAD behind":  func(c *conv) (uint32, [][]byte) { return 0, [][]byte{initChunk(c.ownInit()), tlv32(ctPad, 0, nil)} },
		"two of them": func(c *conv) (uint32, [][]byte) { return 0, [][]byte{initChunk(c.ownInit()), initChunk(c.ownInit())} },
		"unknown chunk behind": func(c *conv) (uint32, [][]byte) {
			return 0, [][]byte{initChunk(c.ownInit()), tlv32(0xbe, 0, nil)}
		},
		"HEARTBEAT behind, our tag": func(c *conv) (uint32, [][]byte) { return c.tag, [][]byte{initChunk(c.ownInit()), heartbeat} },
		"behind PAD, tag 0":         func(c *conv) (uint32, [][]byte) { return 0, [][]byte{tlv32(ctPad, 0, nil), initChunk(c.ownInit())} },
		"behind PAD, our tag": func(c *conv) (uint32, [][]byte) {
			return c.tag, [][]byte{tlv32(ctPad, 0, nil), initChunk(c.ownInit()), heartbeat}
		},
	} {
		for _, state := range []string{"CLOSED", "COOKIE-WAIT", "ESTABLISHED"} {
			t.Run(name+" in "+state, func(t *testing.T) {
				c := inState(t, state)
				if state == "CLOSED" {
					c.tag = 0x77777777
				}
				vt, chunks := packet(c)
				c.injectVT(vt, chunks...)
				c.quiet()
				if state == "CLOSED" {
					c.id++ // nothing was opened
				}
				c.wantState(state)
			})
		}
	}
}

// TestScriptSmallInitIsReported: also an INIT of 44 bytes, whose answer is larger
// than it in any case, is told of the parameter that it has and nobody knows. A
// report adds no more than that parameter did twice over (SCTP-1-31, SCTP-6-03).
func TestScriptSmallInitIsReported(t *testing.T) {
	answer := func(params []byte) (request, reply int, reports [][]byte) {
		c := newConv(t)
		in := c.ownInit()
		in.params = params
		packet := buildPacket(7000, 5000, 0, initChunk(in))
		c.injectRaw(c.udp, packet)
		p := c.expectOwn(ctInitAck)
		list, err := walkTLVs(parseInit(p.chunks[0].value).params)
		c.must(err)
		for _, q := range list {
			if q.typ == 8 {
				reports = append(reports, q.value)
			}
		}
		return len(packet), len(p.raw), reports
	}
	bareSize, bare, reports := answer(nil)
	if bareSize != 32 || len(reports) != 0 {
		t.Fatalf("%d bytes, reports %x", bareSize, reports)
	}
	for _, n := range []int{0, 1, 4, 8, 100, 1000} {
		unknown := tlv16(0xfffe, make([]byte, n))
		request, reply, reports := answer(unknown)
		if len(reports) != 1 || !bytes.HasPrefix(unknown, reports[0]) || len(reports[0]) != 4+n {
			t.Errorf("INIT of %d bytes: reports %x", request, reports)
		}
		if reply-bare > 2*(request-bareSize) {
			t.Errorf("INIT of %d bytes: the report adds %d bytes", request, reply-bare)
		}
	}
	var many []byte
	for range 3 {
		many = append(many, tlv16(0xfffe, nil)...)
	}
	if _, _, reports := answer(many); len(reports) != 3 {
		t.Errorf("%d reports of 3 parameters", len(reports))
	}
	fits := 1200 - 20 - 8 - bare - 8 // what a packet still has, for one parameter
	if _, reply, reports := answer(tlv16(0xfffe, make([]byte, fits))); len(reports) != 1 || reply != 1200-20-8 {
		t.Errorf("%d reports in an answer of %d bytes, where one fits", len(reports), reply)
	}
	if _, reply, reports := answer(tlv16(0xfffe, make([]byte, fits+1))); len(reports) != 0 || reply != bare {
		t.Errorf("%d reports in an answer of %d bytes, which is more than one packet", len(reports), reply)
	}
}

// TestScriptCookieFromTheFuture: a cookie that is not made yet is as good as one
// that is too old: only a clock that was set back, or somebody who has the key,
// can bring it (SCTP-2-24).
func TestScriptCookieFromTheFuture(t *testing.T) {
	for ahead, ok := range map[time.Duration]bool{0: true, 1: false, time.Second: false, time.Hour: false} {
		c := newConv(t)
		now := c.now
		c.now = now.Add(ahead)
		c.injectVT(0, initChunk(c.ownInit()))
		c.takeInitAck(c.expectOwn(ctInitAck))
		c.now = now
		c.inject(tlv32(ctCookieEcho, 0, c.cookie))
		if ok {
			c.expectOwn(ctCookieAck)
			c.event(assoc.CommUp)
			continue
		}
		list, err := walkTLVs(c.expectOwn(ctError).chunks[0].value)
		c.must(err)
		if len(list) != 1 || list[0].typ != 3 || be32(list[0].value) != 0 {
			t.Errorf("%v ahead: %+v, want a stale cookie that is not late", ahead, list)
		}
	}
}
