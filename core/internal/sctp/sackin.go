package sctp

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

// handleSack processes a SACK in the order of SCTP-3-50 and SCTP-3-51
// (sections 6.2.1, 6.7, 7.2.4).
func (a *association) handleSack(in *arrival, c chunk.Raw) {
	switch a.state {
	case established, shutdownPending, shutdownReceived:
	default:
		return
	}
	s, err := chunk.ParseSack(c)
	if err != nil {
		a.e.counters.BadPacket++
		return
	}
	o := &a.out
	if tsnLess(s.CumTSN, o.acked) {
		return // older than what we know
	}
	if o.unsentAcked(&s) {
		a.violation("acknowledgement of a TSN that was never sent") // section 12.4
		return
	}
	for _, p := range a.paths {
		p.before, p.fresh, p.cut, p.oldest = p.flight, 0, false, false
	}
	o.heard = true
	advanced := s.CumTSN != o.acked
	if p := o.forwarding.path; p != nil && advanced { // as good as an acknowledgement of data
		a.errors = 0
		p.works()
	}
	repeated := o.repeated(&s)
	a.ackUpTo(in, s.CumTSN)
	newest, any := o.ackGaps(in.now, &s)
	a.afterAck(in, repeated)
	if any || o.recovering && advanced && s.Gaps() > 0 {
		a.countMisses(&s, newest, advanced)
	}
	o.windowSeen(int(s.Window))
	a.probed()
	a.forward(in.now)
	a.runT3(in)
	if o.recovering && tsnLessEq(o.recoverEnd, o.acked) {
		o.recovering = false
	}
	if advanced && a.t5.Armed() {
		a.guard(in.now)
	}
	a.refillBurst()
	a.drained(in.now)
}

// unsentAcked says that the SACK acknowledges something beyond what was sent.
func (o *outbound) unsentAcked(s *chunk.Sack) bool {
	highest := o.nextTSN - 1
	if tsnLess(highest, s.CumTSN) {
		return true
	}
	beyond := highest - s.CumTSN
	for i := range s.Gaps() {
		if g := s.Gap(i); g.Start <= g.End && uint32(g.End) > beyond {
			return true
		}
	}
	return false
}

// ackUpTo frees the chunks up to a cumulative TSN ack.
func (a *association) ackUpTo(in *arrival, tsn uint32) {
	for a.out.acked != tsn {
		a.settle(a.out.ackFirst(in.now))
	}
}

// ackFirst takes the first chunk out, and returns its message.
func (o *outbound) ackFirst(now time.Time) *outMessage {
	c := o.chunks.at(0)
	o.acked++
	switch {
	case c.gone:
	case c.acked:
		o.gapAcked--
	default:
		c.path.oldest = true
		o.credit(now, c, o.acked)
	}
	m := c.m
	o.chunks.pop()
	o.firstMarked = max(0, o.firstMarked-1)
	return m
}

// ackGaps marks what the gap ack blocks cover and takes back what earlier
// ones covered and these do not (SCTP-3-53). Blocks are expected in ascending
// order; what of them is not is ignored, so that the work is bounded by the
// chunks in flight (SCTP-3-54). It returns the highest TSN newly
// acknowledged by a block, if there is one.
func (o *outbound) ackGaps(now time.Time, s *chunk.Sack) (newest uint32, any bool) {
	next, covered := 0, 0 // index of the first chunk that was not looked at
	for i := range s.Gaps() {
		g := s.Gap(i)
		first, last := int(g.Start)-1, int(g.End)-1
		if g.Start == 0 || last < first || last < next {
			continue
		}
		first = max(first, next)
		for ; o.gapAcked > covered && next < first; next++ {
			o.renege(o.chunks.at(next))
		}
		for next = first; next <= last; next++ {
			c := o.chunks.at(next)
			if c.gone {
				continue
			}
			if !c.acked {
				o.credit(now, c, o.acked+1+uint32(next))
				c.acked = true
				o.gapAcked++
				newest, any = o.acked+1+uint32(next), true
			}
			covered++
		}
	}
	for ; o.gapAcked > covered && next < o.chunks.len(); next++ {
		o.renege(o.chunks.at(next))
	}
	return newest, any
}

// repeated is the size of the duplicates that a SACK reports, as far as their
// chunks are still known (section 7.2.2). A peer that makes them up gains no
// more than twice what it acknowledges.
func (o *outbound) repeated(s *chunk.Sack) (n int) {
	for i := range s.Dups() {
		if at := int(s.Dup(i) - o.acked - 1); at < o.chunks.len() {
			n += o.chunks.at(at).size()
		}
	}
	return n
}

// afterAck clears error counters and grows the windows of the paths that
// brought something new.
func (a *association) afterAck(in *arrival, repeated int) {
	for _, p := range a.paths {
		if p.fresh == 0 {
			continue
		}
		a.errors = 0 // sections 8.1, 8.2
		p.search.silence = 0
		p.works()
		p.grow(p.pmdcs(), a.out.recovering, min(repeated, p.fresh))
	}
}

// countMisses counts the chunks that the SACK reports missing and starts Fast
// Retransmit at the third report (section 7.2.4; SCTP-3-70, SCTP-3-71).
func (a *association) countMisses(s *chunk.Sack, newest uint32, advanced bool) {
	o := &a.out
	found := o.missed(s, newest, advanced)
	a.e.counters.FastRetransmissions += uint64(found)
	if found == 0 || o.recovering {
		return
	}
	for _, p := range a.paths {
		if p.cut {
			p.onLoss(p.pmdcs())
		}
	}
	o.recovering, o.recoverEnd = true, o.nextTSN-1
	o.forced = true
}

// missed marks what is reported missing for the third time, and returns how much.
// Only chunks below the highest TSN newly acknowledged count; in Fast Recovery,
// when the cumulative ack moves, all that are reported missing.
func (o *outbound) missed(s *chunk.Sack, newest uint32, advanced bool) (found int) {
	limit := newest
	if o.recovering && advanced {
		limit = s.CumTSN + uint32(s.Gap(s.Gaps()-1).End)
	}
	for i := range min(int(limit-o.acked-1), o.chunks.len()) {
		c := o.chunks.at(i)
		if c.acked || c.marked || c.fast || c.gone {
			continue
		}
		if c.misses++; c.misses >= 3 {
			c.fast, c.path.cut = true, true
			o.mark(c, i)
			found++
		}
	}
	return found
}

// windowSeen takes the advertised window (SCTP-3-52).
func (o *outbound) windowSeen(window int) {
	o.advertised, o.largest = window, max(o.largest, window)
	o.window = max(0, window-o.outstanding)
}

// probed ends the probing of a closed window that has opened.
func (a *association) probed() {
	if a.out.window >= a.maxPayload() {
		a.out.probeWait = 0
		a.stopTimer(&a.probe)
	}
}

// runT3 starts, restarts and stops the retransmission timers (section 6.3.2
// R2 to R4, SCTP-3-62).
func (a *association) runT3(in *arrival) {
	for _, p := range a.paths {
		switch {
		case p.flight == 0 && a.out.forwarding.path != p:
			p.early, p.resent = false, false
			p.stopT3()
		case p.oldest || !p.t3.Armed():
			p.resent = p.resent && !p.oldest
			p.startT3(in.now)
		}
	}
}
