package sctp_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// Group SCTP-7-26: retransmission timers and congestion control.

const (
	pmdcs    = 1460 // IPv4, MTU 1500, UDP
	payload1 = 1444
)

func fixedRTO(d time.Duration) option {
	return withParams(func(p *assoc.Params) { p.RTOInitial, p.RTOMin, p.RTOMax, p.AssocMaxRetrans = d, d, d, 8 })
}

// TestScriptRTOArithmetic compares SRTT and RTO with a table worked by
// section 6.3.1: RTTVAR before SRTT (SCTP-3-60, 8-17).
func TestScriptRTOArithmetic(t *testing.T) {
	c := newConv(t, withParams(func(p *assoc.Params) { p.RTOMin, p.RTOMax = 10*time.Millisecond, 10*time.Second })).establishServer()
	if s := c.status().Paths[0]; s.SRTT != 0 || s.RTO != c.par.RTOInitial {
		t.Fatalf("SRTT %v, RTO %v before any sample", s.SRTT, s.RTO)
	}
	for i, step := range []struct{ rtt, srtt, rto float64 }{ // milliseconds
		{100, 100, 300},
		{100, 100, 250},
		{180, 110, 302.5},
		{20, 98.75, 333.125},
		{98.75, 98.75, 274.53125},
	} {
		c.send("x")
		c.expectOwn(ctData)
		c.advance(time.Duration(step.rtt * 1e6))
		c.inject(sackChunk(c.engTSN+uint32(i), 1<<16, nil))
		s := c.status().Paths[0]
		near := func(got time.Duration, want float64) bool {
			return (got - time.Duration(want*1e6)).Abs() < 10*time.Microsecond
		}
		if !near(s.SRTT, step.srtt) || !near(s.RTO, step.rto) {
			t.Fatalf("step %d: SRTT %v, RTO %v, want %v", i, s.SRTT, s.RTO, step)
		}
	}
}

// TestScriptRTOClamp keeps the RTO between its bounds, which are parameters
// (SCTP-3-65).
func TestScriptRTOClamp(t *testing.T) {
	c := newConv(t).establishServer()
	for i, rtt := range []time.Duration{time.Millisecond, 5 * time.Second} {
		c.send("x")
		c.expectOwn(ctData)
		if i == 1 {
			c.must(c.ep.SetParams(c.id, assoc.Params{AssocMaxRetrans: 50, PathMaxRetrans: 50}))
		}
		if i == 0 {
			c.advance(rtt)
			c.inject(sackChunk(c.engTSN, 1<<16, nil))
			if r := c.status().Paths[0].RTO; r != c.par.RTOMin {
				t.Fatalf("RTO %v", r)
			}
			continue
		}
		c.advance(rtt)
		if r := c.status().Paths[0].RTO; r != c.par.RTOMax {
			t.Fatalf("RTO %v after many timeouts", r)
		}
		c.forget()
	}
}

// TestScriptKarn: no sample from what was sent twice; the RTO stays backed
// off until there is a valid one (SCTP-3-61, 3-64, 8-17).
func TestScriptKarn(t *testing.T) {
	c := newConv(t).establishServer()
	c.send("sent twice")
	c.expectOwn(ctData)
	c.expectAfter(300*time.Millisecond, ctData)
	c.advance(time.Millisecond)
	c.inject(sackChunk(c.engTSN, 1<<16, nil))
	if s := c.status().Paths[0]; s.SRTT != 0 || s.RTO != 600*time.Millisecond {
		t.Fatalf("SRTT %v, RTO %v", s.SRTT, s.RTO)
	}
	c.send("sent once")
	c.expectOwn(ctData)
	c.advance(40 * time.Millisecond)
	c.inject(sackChunk(c.engTSN+1, 1<<16, nil))
	if s := c.status().Paths[0]; s.SRTT != 40*time.Millisecond || s.RTO != 120*time.Millisecond {
		t.Fatalf("SRTT %v, RTO %v", s.SRTT, s.RTO)
	}
}

// TestScriptT3Rules (SCTP-3-62, 8-16).
func TestScriptT3Rules(t *testing.T) {
	rto := 200 * time.Millisecond
	ms := time.Millisecond
	t.Run("R1: sending does not restart it", func(t *testing.T) {
		c := newConv(t, fixedRTO(rto)).establishServer()
		c.send("lowest")
		c.expectOwn(ctData)
		for range 3 {
			c.advance(50 * ms)
			c.send("more")
			c.expectOwn(ctData)
		}
		p := c.expectAfter(50*ms, ctData)
		if p.datas()[0].tsn != c.engTSN {
			t.Fatalf("%v", p)
		}
		c.forget()
	})
	t.Run("steady traffic", func(t *testing.T) { // SCTP-8-16
		c := newConv(t, fixedRTO(rto)).establishServer()
		c.send("lost")
		c.expectOwn(ctData)
		resent := time.Duration(0)
		start := c.now
		for range 100 {
			c.advance(10 * ms)
			for _, p := range c.discard() {
				if p.datas()[0].tsn == c.engTSN {
					resent = p.at.Sub(start)
				}
			}
			if resent != 0 {
				break
			}
			c.send("more")
			c.discard()
		}
		if resent != rto {
			t.Fatalf("resent after %v", resent)
		}
		c.forget()
	})
	t.Run("R2: stops when all is acknowledged", func(t *testing.T) {
		c := newConv(t, fixedRTO(rto)).establishServer()
		c.send("a")
		c.expectOwn(ctData)
		c.inject(sackChunk(c.engTSN, 1<<16, nil))
		if at, ok := c.ep.Next(); ok {
			t.Fatalf("a timer is armed for +%v", at.Sub(c.now))
		}
	})
	t.Run("R3: restarts when the lowest is acknowledged", func(t *testing.T) {
		c := newConv(t, fixedRTO(rto)).establishServer()
		c.send("a")
		c.expectOwn(ctData)
		c.send("b")
		c.expectOwn(ctData)
		c.advance(150 * ms)
		c.inject(sackChunk(c.engTSN, 1<<16, nil))
		p := c.expectAfter(rto, ctData)
		if p.datas()[0].tsn != c.engTSN+1 {
			t.Fatalf("%v", p)
		}
		c.forget()
	})
	t.Run("other acknowledgements do not restart it", func(t *testing.T) {
		c := newConv(t, fixedRTO(rto)).establishServer()
		for range 3 {
			c.send("a")
			c.expectOwn(ctData)
		}
		c.advance(100 * ms)
		c.inject(sackChunk(c.engTSN-1, 1<<16, []uint16{2, 2}))
		c.advance(50 * ms)
		c.inject(sackChunk(c.engTSN-1, 1<<16, []uint16{2, 3}))
		p := c.expectAfter(50*ms, ctData)
		if p.datas()[0].tsn != c.engTSN {
			t.Fatalf("%v", p)
		}
		c.inject(sackChunk(c.engTSN+2, 1<<16, nil))
	})
}

// TestScriptBackOff: the timeout doubles to RTO.Max; the association dies at
// the failure after the limit, with everything returned (SCTP-3-63, 3-114,
// 8-14, 8-15).
func TestScriptBackOff(t *testing.T) {
	c := newConv(t).establishServer()
	c.send("into the void")
	c.expectOwn(ctData)
	for i, d := range []time.Duration{300, 600, 800} {
		p := c.expectAfter(d*time.Millisecond-time.Duration(min(i, 1))*time.Microsecond, ctData)
		if p.datas()[0].tsn != c.engTSN {
			t.Fatalf("%v", p)
		}
	}
	for len(c.events) > 0 { // path changes may be told
		c.event(assoc.PeerAddrChange)
	}
	c.advance(799 * time.Millisecond)
	c.wantState("ESTABLISHED")
	c.advance(2 * time.Millisecond)
	for len(c.events) > 2 {
		c.event(assoc.PeerAddrChange)
	}
	if ev := c.event(assoc.SendFailed); ev.Unsent || ev.data != "into the void" {
		t.Fatalf("%+v", ev)
	}
	c.event(assoc.CommLost)
	c.wantState("CLOSED")
	for _, p := range c.discard() { // a parting ABORT is allowed
		if !p.has(ctAbort) {
			t.Fatalf("%v", p)
		}
	}
}

// TestScriptErrorCounterResets: any acknowledged TSN clears it (SCTP-3-51,
// 8-15).
func TestScriptErrorCounterResets(t *testing.T) {
	c := newConv(t, fixedRTO(100*time.Millisecond)).establishServer()
	c.must(c.ep.SetParams(c.id, assoc.Params{AssocMaxRetrans: 3, PathMaxRetrans: 3}))
	for i := range 10 {
		c.send("again and again")
		c.discard()
		c.advance(350 * time.Millisecond) // three timeouts
		c.discard()
		c.inject(sackChunk(c.engTSN+uint32(i), 1<<16, nil))
		c.wantState("ESTABLISHED")
		if e := c.status().Paths[0].Errors; e != 0 {
			t.Fatalf("%d errors", e)
		}
	}
	c.forget()
}

// bulk queues much data without limit by bursts.
func bulk(t *testing.T, opts ...option) *conv {
	t.Helper()
	opts = append(opts, withParams(func(p *assoc.Params) {
		p.MaxBurst, p.SendBuffer, p.MaxMessage = 1000, 4<<20, 1<<20
	}))
	c := newConv(t, opts...)
	in := c.ownInit()
	in.rwnd = 1 << 24
	c.injectVT(0, initChunk(in))
	c.takeInitAck(c.expectOwn(ctInitAck))
	c.inject(tlv32(ctCookieEcho, 0, c.cookie))
	c.expectOwn(ctCookieAck)
	c.id = c.event(assoc.CommUp).Assoc
	for range 3 {
		c.must(c.ep.Send(c.now, []byte(strings.Repeat("B", 1<<20)), &assoc.SendInfo{Assoc: c.id}))
	}
	c.drain()
	return c
}

func (c *conv) cwnd() int { return c.status().Paths[0].Cwnd }

// TestScriptInitialWindow (SCTP-3-80, SCTP-3-86): 4404 or 4344 bytes whatever
// the path is like, one packet may overshoot.
func TestScriptInitialWindow(t *testing.T) {
	for _, tt := range []struct {
		opts []option
		cwnd int
	}{{nil, 4404}, {[]option{ipv6Peer}, 4344}} {
		c := bulk(t, tt.opts...)
		if c.cwnd() != tt.cwnd {
			t.Fatalf("cwnd %d, want %d", c.cwnd(), tt.cwnd)
		}
		if n := len(c.discard()); n != 4 {
			t.Fatalf("%d packets", n)
		}
	}
}

// TestScriptMaxBurst caps what one event releases, and the next one goes on
// (SCTP-3-12).
func TestScriptMaxBurst(t *testing.T) {
	c := bulk(t)
	c.must(c.ep.SetParams(c.id, assoc.Params{MaxBurst: 4}))
	acked := uint32(len(c.discard()))
	for range 8 { // grow
		c.inject(sackChunk(c.engTSN-1+acked, 1<<24, nil))
		n := len(c.discard())
		if n > 4 || n == 0 {
			t.Fatalf("%d packets in a burst", n)
		}
		acked += uint32(n)
	}
	c.forget()
}

// TestScriptSlowStart: one PMDCS per SACK, and only while the window is in
// full use (SCTP-3-81, 8-19).
func TestScriptSlowStart(t *testing.T) {
	c := newConv(t).establishServer()
	for i := range 20 {
		c.send("small")
		c.expectOwn(ctData)
		c.inject(sackChunk(c.engTSN+uint32(i), 1<<16, nil))
	}
	if c.cwnd() != 4404 {
		t.Fatalf("cwnd %d grew without need", c.cwnd())
	}
	c = bulk(t)
	sent := uint32(len(c.discard()))
	cwnd := c.cwnd()
	for range 5 {
		c.inject(sackChunk(c.engTSN-1+sent, 1<<24, nil))
		if c.cwnd() != cwnd+pmdcs {
			t.Fatalf("cwnd %d after %d", c.cwnd(), cwnd)
		}
		cwnd = c.cwnd()
		sent += uint32(len(c.discard()))
	}
	c.forget()
}

// TestScriptTimeoutCollapse: at T3 the window is one packet, which is all that
// flies until an acknowledgement; what was marked does not count as flight
// (SCTP-3-63, 7-05, 8-19).
func TestScriptTimeoutCollapse(t *testing.T) {
	c := bulk(t)
	c.discard()
	p := c.expectAfter(300*time.Millisecond, ctData)
	if d := p.datas(); len(d) != 1 || d[0].tsn != c.engTSN {
		t.Fatalf("%v", p)
	}
	if s := c.status().Paths[0]; s.Cwnd != pmdcs || s.InFlight != pmdcs {
		t.Fatalf("cwnd %d, flight %d", s.Cwnd, s.InFlight)
	}
	c.advance(100 * time.Millisecond)
	c.quiet()
	c.inject(sackChunk(c.engTSN, 1<<24, nil))
	// Slow start again, up to ssthresh = 4 PMDCS; what is marked goes first.
	next := c.engTSN + 1
	for range 3 {
		ps := c.discard()
		for _, p := range ps {
			for _, d := range p.datas() {
				if d.tsn != next {
					t.Fatalf("TSN %d, want %d", d.tsn, next)
				}
				next++
			}
		}
		c.inject(sackChunk(next-1, 1<<24, nil))
	}
	c.forget()
}

// TestScriptCongestionAvoidance grows by one PMDCS per window (SCTP-3-82).
func TestScriptCongestionAvoidance(t *testing.T) {
	c := bulk(t, fixedRTO(300*time.Millisecond))
	c.discard()
	c.expectAfter(300*time.Millisecond, ctData) // ssthresh = 4 PMDCS
	c.inject(sackChunk(c.engTSN, 1<<24, nil))
	for round := range 40 {
		before := c.cwnd()
		ps := c.discard()
		for i, p := range ps {
			if i%2 == 1 || i == len(ps)-1 {
				c.inject(sackChunk(p.datas()[0].tsn, 1<<24, nil))
			}
		}
		grown := c.cwnd() - before
		if before > 4*pmdcs && grown > pmdcs {
			t.Fatalf("round %d: cwnd grows from %d by %d", round, before, grown)
		}
		if round == 39 && c.cwnd() < 8*pmdcs {
			t.Fatalf("cwnd %d after 40 rounds", c.cwnd())
		}
	}
	c.forget()
}

// TestScriptIdleDecay halves the window for each idle RTO, to four PMDCS at
// least (SCTP-3-84, 8-19), and never raises it.
func TestScriptIdleDecay(t *testing.T) {
	c := bulk(t, fixedRTO(200*time.Millisecond))
	all := uint32((1<<20+payload1-1)/payload1) * 3
	acked := uint32(0)
	for acked < all {
		for _, p := range c.discard() {
			for range p.datas() {
				acked++
			}
		}
		c.inject(sackChunk(c.engTSN-1+acked, 1<<24, nil))
	}
	cwnd := c.cwnd()
	if cwnd < 32*pmdcs {
		t.Fatalf("cwnd %d", cwnd)
	}
	c.advance(time.Hour)
	c.send("after an hour")
	c.expectOwn(ctData)
	if c.cwnd() != 4*pmdcs {
		t.Fatalf("cwnd %d after an hour, %d before", c.cwnd(), cwnd)
	}
	c.forget()

	c = newConv(t).establishServer()
	c.advance(time.Hour)
	c.send("x")
	c.expectOwn(ctData)
	if c.cwnd() != 4404 {
		t.Fatalf("idle raised cwnd to %d", c.cwnd())
	}
	c.forget()
}

// TestScriptLossWithSmallWindow: a cut never raises the window, as the plain
// formula would from 4404 bytes to four PMDCS (SCTP-3-83).
func TestScriptLossWithSmallWindow(t *testing.T) {
	c := eight(t)
	for i := uint16(2); i < 5; i++ {
		c.gap(2, i)
	}
	c.expectOwn(ctData)
	if c.cwnd() > 4404 {
		t.Fatalf("cwnd %d after a loss", c.cwnd())
	}
	c.inject(sackChunk(c.engTSN+7, 1<<16, nil))
}

// TestScriptFastRetransmitRestartsT3, as it resends the lowest TSN (SCTP-3-62
// R1, 3-72).
func TestScriptFastRetransmitRestartsT3(t *testing.T) {
	c := newConv(t, fixedRTO(700*time.Millisecond)).establishServer()
	for i := range 5 {
		c.send(fmt.Sprint("message ", i))
		c.expectOwn(ctData)
	}
	c.advance(500 * time.Millisecond)
	for i := uint16(2); i < 5; i++ {
		c.gap(2, i)
	}
	c.expectOwn(ctData)
	c.expectAfter(700*time.Millisecond, ctData)
	c.inject(sackChunk(c.engTSN+4, 1<<16, nil))
}

// TestScriptImmediateBit: with a peer that may delay its SACKs for longer than
// our timeout, a lone message asks for one at once (SCTP-3-15, SCTP-3-65, 8-22).
func TestScriptImmediateBit(t *testing.T) {
	c := newConv(t)
	in := c.ownInit()
	in.params = unhex("000c0006 00050000 80000004 c0000004") // Linux
	c.injectVT(0, initChunk(in))
	c.takeInitAck(c.expectOwn(ctInitAck))
	c.inject(tlv32(ctCookieEcho, 0, c.cookie))
	c.expectOwn(ctCookieAck)
	c.id = c.event(assoc.CommUp).Assoc
	c.send("request")
	if d := c.expectOwn(ctData).datas()[0]; d.flags&fI == 0 {
		t.Fatalf("%+v", d)
	}
	c.inject(sackChunk(c.engTSN, 1<<16, nil))
	c.shutdownWithData(t)
}

// shutdownWithData: the last chunk of a shutdown asks too.
func (c *conv) shutdownWithData(t *testing.T) {
	t.Helper()
	c.must(c.ep.Send(c.now, []byte("last words"), &assoc.SendInfo{Assoc: c.id}))
	c.must(c.ep.Shutdown(c.now, c.id))
	c.drain()
	if d := c.expectOwn(ctData).datas()[0]; d.flags&fI == 0 {
		t.Fatalf("%+v", d)
	}
	c.forget()
}

// eight sends as many small packets, one TSN each.
func eight(t *testing.T) *conv {
	t.Helper()
	c := newConv(t, withParams(func(p *assoc.Params) { p.RTOInitial = 700 * time.Millisecond })).establishServer()
	for i := range 8 {
		c.send(fmt.Sprint("message ", i))
		c.expectOwn(ctData)
	}
	return c
}

func (c *conv) gap(blocks ...uint16) { c.t.Helper(); c.inject(sackChunk(c.engTSN-1, 1<<16, blocks)) }

// TestScriptFastRetransmit: at the third report of a missing TSN below the
// highest newly acknowledged one; once only (SCTP-3-70 to 3-72, 8-18).
func TestScriptFastRetransmit(t *testing.T) {
	c := eight(t)
	c.gap(2, 2)
	c.gap(2, 3)
	c.gap(2, 3) // nothing new: does not count
	c.gap(2, 3)
	c.quiet()
	c.gap(2, 4)
	p := c.expectOwn(ctData)
	if d := p.datas(); len(d) != 1 || d[0].tsn != c.engTSN || string(d[0].user) != "message 0" {
		t.Fatalf("%v", p)
	}
	if n := c.ep.Counters().FastRetransmissions; n != 1 {
		t.Fatalf("%d fast retransmissions", n)
	}
	for i := uint16(5); i <= 8; i++ {
		c.gap(2, i)
	}
	c.quiet() // not again: only T3 repairs it now
	c.advance(time.Second)
	resent := c.discard()
	if len(resent) == 0 || resent[0].datas()[0].tsn != c.engTSN {
		t.Fatalf("%v", resent)
	}
	c.inject(sackChunk(c.engTSN+7, 1<<16, nil))
	if s := c.status(); s.Unacked != 0 || s.Paths[0].InFlight != 0 {
		t.Fatalf("%+v", s)
	}
}

// TestScriptMissesStartAnew: after a timeout it takes three reports again: what was
// reported missing before was the chunk that has been sent again since (SCTP-3-63).
func TestScriptMissesStartAnew(t *testing.T) {
	c := eight(t)
	c.gap(2, 2)
	c.gap(2, 3)
	c.advance(time.Second) // T3
	c.discard()
	c.gap(2, 4)
	c.gap(2, 5)
	if n := c.ep.Counters().FastRetransmissions; n != 0 {
		t.Fatalf("%d fast retransmissions after two reports", n)
	}
	c.gap(2, 6)
	if n := c.ep.Counters().FastRetransmissions; n == 0 {
		t.Fatal("no fast retransmission after three reports")
	}
	c.forget()
}

// TestScriptHighestTSNNewlyAcked: TSNs above what a SACK newly acknowledges
// get no miss from it (SCTP-3-70, 8-18).
func TestScriptHighestTSNNewlyAcked(t *testing.T) {
	c := eight(t)
	c.gap(6, 6)       // one miss for 1 to 5
	c.gap(2, 2, 6, 6) // second for 1 only
	c.quiet()
	c.gap(2, 3, 6, 6) // third for 1 only
	p := c.expectOwn(ctData)
	if d := p.datas(); len(d) != 1 || d[0].tsn != c.engTSN {
		t.Fatalf("%v", p)
	}
	c.inject(sackChunk(c.engTSN+7, 1<<16, nil))
}

// TestScriptReorderingDepthTwo costs nothing (SCTP-8-18).
func TestScriptReorderingDepthTwo(t *testing.T) {
	c := eight(t)
	c.gap(2, 2)
	c.gap(2, 3)
	c.inject(sackChunk(c.engTSN+2, 1<<16, nil))
	c.inject(sackChunk(c.engTSN+2, 1<<16, []uint16{2, 2}))
	c.inject(sackChunk(c.engTSN+2, 1<<16, []uint16{2, 3}))
	c.inject(sackChunk(c.engTSN+7, 1<<16, nil))
	c.quiet()
	if n := c.ep.Counters().Retransmissions; n != 0 {
		t.Fatalf("%d retransmissions", n)
	}
}

// TestScriptFastRecovery cuts the window once, not for each further loss of
// the same window (SCTP-3-71).
func TestScriptFastRecovery(t *testing.T) {
	c := bulk(t)
	sent := uint32(len(c.discard()))
	for range 12 {
		c.inject(sackChunk(c.engTSN-1+sent, 1<<24, nil))
		sent += uint32(len(c.discard()))
	}
	cwnd := c.cwnd()
	cta := c.engTSN - 1 + sent - uint32((cwnd+pmdcs-1)/pmdcs)
	flight := uint16(sent - (cta - c.engTSN + 1))
	if flight < 12 {
		t.Fatalf("only %d in flight", flight)
	}
	// The first and the fifth of the window are lost.
	for i := uint16(0); i < 3; i++ {
		c.discard()
		cwnd = c.cwnd() + pmdcs // growth by the same SACK comes first (SCTP-3-72)
		c.inject(sackChunk(cta, 1<<24, []uint16{2, 2 + i}))
	}
	if want := max(cwnd/2, 4*pmdcs); c.cwnd() != want {
		t.Fatalf("cwnd %d, want %d", c.cwnd(), want)
	}
	first := c.discard()
	if len(first) == 0 || first[0].datas()[0].tsn != cta+1 {
		t.Fatalf("%v, want TSN %d", first, cta+1)
	}
	cut := c.cwnd()
	for i := uint16(6); i < 12; i++ {
		c.inject(sackChunk(cta, 1<<24, []uint16{2, 4, 6, i}))
	}
	if c.cwnd() != cut {
		t.Fatalf("cwnd %d after a second loss, %d after the first", c.cwnd(), cut)
	}
	c.forget()
}

// TestScriptSharedTimerOrder: equal deadlines fire in an order that does not
// depend on chance (SCTP-3-66).
func TestScriptSharedTimerOrder(t *testing.T) {
	var first []string
	for round := range 5 {
		c := newConv(t, fixedRTO(20*time.Millisecond)).establishServer()
		c.data("a")
		c.data("b")
		c.discard()
		c.data("delays a SACK by 20 ms")
		c.must(c.ep.Send(c.now, []byte("x"), &assoc.SendInfo{Assoc: c.id}))
		c.drain()
		c.discard()
		c.data("delays a SACK by 20 ms")
		c.advance(20 * time.Millisecond)
		var seen []string
		for _, p := range c.discard() {
			seen = append(seen, p.String())
		}
		if round == 0 {
			first = seen
		} else if fmt.Sprint(first) != fmt.Sprint(seen) {
			t.Fatalf("%v, then %v", first, seen)
		}
		c.forget()
	}
}

// TestScriptKarnAfterReneging: what was gap-acknowledged once is measured then and
// not again, whether the peer takes it back and acknowledges it later, or it is
// sent once more; nor is a fast retransmission (SCTP-3-61, 3-53).
func TestScriptKarnAfterReneging(t *testing.T) {
	const rtt = 40 * time.Millisecond
	begin := func(t *testing.T, n int) *conv {
		c := newConv(t, withParams(func(p *assoc.Params) { p.MaxBurst = 10 })).establishServer()
		for range n {
			c.send("message")
			c.expectOwn(ctData)
		}
		c.advance(rtt)
		return c
	}
	srtt := func(c *conv, want time.Duration) {
		c.t.Helper()
		if s := c.status().Paths[0]; s.SRTT != want {
			c.t.Fatalf("SRTT %v, want %v", s.SRTT, want)
		}
	}
	none := func(c *conv) { c.inject(sackChunk(c.engTSN-1, 1<<16, nil)) }
	for name, again := range map[string]func(c *conv){
		"acknowledged again": func(c *conv) {
			c.advance(100 * time.Millisecond)
			c.inject(sackChunk(c.engTSN+1, 1<<16, nil))
		},
		"sent again": func(c *conv) {
			c.advance(time.Second)
			for _, p := range c.discard() {
				if len(p.datas()) != 2 {
					c.t.Fatalf("%v", p)
				}
			}
			c.advance(time.Millisecond)
			c.inject(sackChunk(c.engTSN+1, 1<<16, nil))
		},
		"sent again, acknowledged by a gap": func(c *conv) {
			c.advance(time.Second)
			c.discard()
			c.inject(sackChunk(c.engTSN-1, 1<<16, []uint16{2, 2}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := begin(t, 2)
			c.inject(sackChunk(c.engTSN, 1<<16, nil)) // the first one is timed
			srtt(c, rtt)
			c.engTSN += 2
			c.send("timed")
			c.expectOwn(ctData)
			c.advance(rtt)
			c.inject(sackChunk(c.engTSN-2, 1<<16, []uint16{2, 2}))
			srtt(c, rtt)
			c.engTSN--
			none(c) // takes it back
			again(c)
			srtt(c, rtt)
			c.forget()
		})
	}
	t.Run("sent again fast", func(t *testing.T) {
		c := begin(t, 4) // the first one is timed, and lost
		for last := uint16(2); last <= 4; last++ {
			c.inject(sackChunk(c.engTSN-1, 1<<16, []uint16{2, last}))
		}
		c.expectOwn(ctData)
		c.advance(rtt)
		c.inject(sackChunk(c.engTSN+3, 1<<16, nil))
		srtt(c, 0)
	})
}
