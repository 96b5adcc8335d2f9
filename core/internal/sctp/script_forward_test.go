package sctp_test

import (
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// The receiving half of group SCTP-7-30: FORWARD TSN.

// prSCTP has an association on which both sides know FORWARD TSN.
func prSCTP(t *testing.T) *conv {
	t.Helper()
	c := newConv(t)
	in := c.ownInit()
	in.params = tlv16(0xc000, nil)
	c.injectVT(0, initChunk(in))
	c.takeInitAck(c.expectOwn(ctInitAck))
	c.inject(tlv32(ctCookieEcho, 0, c.cookie))
	c.expectOwn(ctCookieAck)
	c.id = c.event(assoc.CommUp).Assoc
	c.data("first")
	c.message("first")
	c.expectOwn(ctSack)
	return c
}

func forwardTSN(cta uint32, streams ...uint16) []byte {
	return tlv32(ctForwardTSN, 0, cat(u32(cta), u16(streams...)))
}

// TestScriptForwardTSN skips what the peer gave up, and goes on (SCTP-3-141).
func TestScriptForwardTSN(t *testing.T) {
	c := prSCTP(t)
	base := c.tsn
	c.inject(dataChunk(fB, base+1, 0, 2, 0, "half a message")) // base is lost
	c.discard()
	c.inject(dataChunk(fB|fE, base+3, 0, 3, 0, "held")) // and base+2
	c.expectSack()
	c.noEvents()
	c.inject(forwardTSN(base+2, 0, 2))
	c.message("held")
	c.advance(time.Second)
	if s := c.expectSack(); s.cta != base+3 || len(s.blocks) != 0 {
		t.Fatalf("%+v", s)
	}
	c.inject(dataChunk(fB|fE, base+4, 0, 4, 0, "goes on"))
	c.message("goes on")
	c.advance(time.Second)
	c.discard()
	c.inject(forwardTSN(base-5, 0, 1)) // old news: a SACK tells (SHOULD)
	if s := c.expectSack(); s.cta != base+4 {
		t.Fatalf("%+v", s)
	}
	c.inject(forwardTSN(base+5, 99, 1)) // no such stream: skipped
	c.inject(dataChunk(fB|fE, base+6, 0, 5, 0, "and on"))
	c.message("and on")
	c.advance(time.Second)
	c.discard()
	c.wantState("ESTABLISHED")
}

// TestScriptForwardTSNTooFar ends the association instead of wedging it.
func TestScriptForwardTSNTooFar(t *testing.T) {
	c := prSCTP(t)
	c.inject(forwardTSN(c.tsn + 100_000))
	c.expectOwn(ctAbort)
	c.event(assoc.CommLost)
}

// TestScriptForwardTSNNotNegotiated is an unknown chunk of class 11
// (SCTP-3-140).
func TestScriptForwardTSNNotNegotiated(t *testing.T) {
	c := started(t)
	c.inject(forwardTSN(c.tsn+5, 0, 9), c.nextData("behind it"))
	c.message("behind it")
	c.advance(time.Second)
	reported := false
	for _, p := range c.discard() {
		if e, ok := p.chunk(ctError); ok {
			list, _ := walkTLVs(e.value)
			reported = list[0].typ == 6
		}
		if k, ok := p.chunk(ctSack); ok && parseSack(k).cta != c.tsn-1 {
			t.Fatalf("%v", p)
		}
	}
	if !reported {
		t.Fatal("not reported")
	}
}
