package sctp_test

import (
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/sctp"
)

func resendEarly(_ *conv, cfg *sctp.Config) { cfg.EarlyResend = true }

// quickPath is a conversation whose path has a round trip of a millisecond.
// It returns how many DATA chunks were sent.
func quickPath(t *testing.T, opts ...option) (c *conv, sent uint32) {
	c = newConv(t, append(opts, resendEarly)...).establishServer()
	for ; sent < 30; sent++ {
		c.send("x")
		c.expectOwn(ctData)
		c.advance(time.Millisecond)
		c.inject(sackChunk(c.engTSN+sent, 1<<16, nil))
	}
	c.quiet()
	return c, sent
}

// TestEarlyResend: a lone message that is lost is sent again after six
// milliseconds, once; T3 follows in its own time and counts as ever
// (SCTP-3-62, SCTP-3-63, SCTP-7-13).
func TestEarlyResend(t *testing.T) {
	c, _ := quickPath(t)
	c.send("lost")
	c.expectOwn(ctData)
	c.advance(5 * time.Millisecond)
	c.quiet()
	c.advance(time.Millisecond)
	c.expectOwn(ctData)
	if n := c.ep.Counters(); n.EarlyRetransmissions != 1 || n.Timeouts != 0 || n.Retransmissions != 1 {
		t.Fatalf("%+v", n)
	}
	if s := c.status().Paths[0]; s.Errors != 0 || s.RTO != c.par.RTOMin {
		t.Fatalf("an early retransmission is no timeout: %+v", s)
	}
	c.advance(c.par.RTOMin - time.Millisecond)
	c.quiet()
	c.advance(time.Millisecond)
	c.expectOwn(ctData)
	if n := c.ep.Counters(); n.EarlyRetransmissions != 1 || n.Timeouts != 1 {
		t.Fatalf("%+v", n)
	}
	if s := c.status().Paths[0]; s.Errors != 1 || s.RTO != 2*c.par.RTOMin {
		t.Fatalf("a timeout is one: %+v", s)
	}
	c.advance(2*c.par.RTOMin - time.Millisecond)
	c.quiet() // no second early one before something is acknowledged
	c.forget()
}

// TestEarlyResendAgain: what is acknowledged allows the next one, but not as
// soon while no round trip could be measured.
func TestEarlyResendAgain(t *testing.T) {
	c, sent := quickPath(t)
	tsn := c.engTSN + sent
	lose := func(wait time.Duration) {
		t.Helper()
		c.send("lost")
		c.expectOwn(ctData)
		c.advance(wait - time.Millisecond)
		c.quiet()
		c.advance(time.Millisecond)
		c.expectOwn(ctData)
		c.inject(sackChunk(tsn, 1<<16, nil))
		c.quiet()
		tsn++
	}
	lose(6 * time.Millisecond)
	lose(24 * time.Millisecond)
	c.send("measured")
	c.expectOwn(ctData)
	c.inject(sackChunk(tsn, 1<<16, nil))
	tsn++
	lose(6 * time.Millisecond)
	if n := c.ep.Counters(); n.EarlyRetransmissions != 3 || n.Timeouts != 0 {
		t.Fatalf("%+v", n)
	}
	c.advance(500 * time.Millisecond) // nothing outstanding, nothing sent
	c.discard()
}

// TestEarlyResendIsUnlearned: where round trips have become longer than T3's
// time, messages are sent twice a few times and then no more.
func TestEarlyResendIsUnlearned(t *testing.T) {
	c, sent := quickPath(t)
	const long = 250 * time.Millisecond
	tsn := c.engTSN + sent
	for range 20 {
		c.send("x")
		c.advance(long)
		c.inject(sackChunk(tsn, 1<<16, nil))
		c.discard()
		tsn++
	}
	before := c.ep.Counters().Retransmissions
	for range 20 {
		c.send("x")
		c.expectOwn(ctData)
		c.advance(long)
		c.quiet()
		c.inject(sackChunk(tsn, 1<<16, nil))
		tsn++
	}
	if n := c.ep.Counters().Retransmissions - before; n != 0 || before > 5 {
		t.Fatalf("%d retransmissions of 20 messages, then %d", before, n)
	}
}

// TestEarlyResendLearns: where acknowledgements take 20 ms, it waits longer.
func TestEarlyResendLearns(t *testing.T) {
	c := newConv(t, resendEarly).establishServer()
	for i := range uint32(30) {
		c.send("x")
		c.expectOwn(ctData)
		c.advance(20 * time.Millisecond)
		c.inject(sackChunk(c.engTSN+i, 1<<16, nil))
	}
	if n := c.ep.Counters().Retransmissions; n != 0 {
		t.Fatalf("%d retransmissions without loss", n)
	}
	c.send("lost")
	c.expectOwn(ctData)
	c.advance(39 * time.Millisecond)
	c.quiet()
	c.advance(2 * time.Millisecond)
	c.expectOwn(ctData)
}

// TestEarlyResendOff: without the option T3 alone repairs.
func TestEarlyResendOff(t *testing.T) {
	c := newConv(t).establishServer()
	c.send("x")
	c.expectOwn(ctData)
	c.advance(time.Millisecond)
	c.inject(sackChunk(c.engTSN, 1<<16, nil))
	c.send("lost")
	c.expectOwn(ctData)
	c.advance(c.par.RTOMin - time.Millisecond)
	c.quiet()
	c.forget()
}
