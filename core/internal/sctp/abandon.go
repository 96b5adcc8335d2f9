package sctp

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

// maxSkips bounds the streams that one FORWARD TSN lists; what does not fit
// waits for the next one (RFC 3758 section 3.5 C4).
const maxSkips = 64

// forwarding is what a sender keeps about messages that it has given up
// (RFC 3758 section 3.5).
type forwarding struct {
	path *path // that FORWARD TSN was sent on and is not acknowledged yet
	sent time.Time
}

// expired says that the lifetime of a message is over and that it can be given
// up. What was sent can be if the peer knows FORWARD TSN (SCTP-3-140), and not
// before it can get one.
func (a *association) expired(m *outMessage, now time.Time) bool {
	if m.expires.IsZero() || now.Before(m.expires) {
		return false
	}
	return m.taken == 0 || a.forwardTSN && a.state >= established
}

// giveUp abandons what would be sent next and is too old (RFC 3758 section 3.5
// A1).
func (a *association) giveUp(now time.Time) {
	o := &a.out
	for o.marked > 0 {
		i := o.marks()
		if !a.expired(o.chunks.at(i).m, now) {
			break
		}
		a.abandon(i)
	}
	if s := o.turn; s != nil && s.head.taken > 0 && a.expired(s.head, now) {
		a.abandonRest(s.head)
	}
}

// abandonRest gives a message up that is under way.
func (a *association) abandonRest(m *outMessage) {
	a.endEarly(m)
	a.abandon(a.out.chunks.len() - 1)
}

// endEarly gives a TSN to what is not sent of a message that is under way.
// Skipping it makes the peer forget the fragments that it holds, even if those
// are acknowledged.
func (a *association) endEarly(m *outMessage) {
	o := &a.out
	o.chunks.push(outChunk{m: m, path: a.primary})
	o.nextTSN++
	o.left -= m.size - m.taken
	m.open++
	s := o.streams[m.stream]
	o.end(s)
	if o.turn == s {
		o.pass()
	}
}

// abandon gives a message up that was sent, at least in part: all its chunks
// at once, of which the one at i is one; the user gets it back (RFC 3758 section 3.5 A3;
// SCTP-3-142, SCTP-3-143).
func (a *association) abandon(i int) {
	o := &a.out
	m := o.chunks.at(i).m
	if s := o.streams[m.stream]; s != nil && s.head == m {
		a.endEarly(m)
	}
	first := max(0, int(int32(m.firstTSN-o.acked-1)))
	for i, left := first, m.open; left > 0; i++ {
		if c := o.chunks.at(i); c.m == m {
			a.forget(c)
			left--
		}
	}
	o.firstMarked = o.marks()
	o.unacked--
	o.queued -= m.size + messageOverhead
	a.notifyFailed(m, 0, assoc.ErrTimeout)
	m.abandoned = true
	m.taken = m.size
	a.owe(dueForward)
	a.room()
}

// forget takes a chunk out of all accounts. It brings no credit.
func (a *association) forget(c *outChunk) {
	o := &a.out
	switch {
	case c.marked:
		c.marked = false
		o.marked--
	case c.acked:
		c.acked = false
		o.gapAcked--
	case c.n > 0:
		c.path.flight -= c.size()
		o.outstanding -= int(c.n)
		o.window += int(c.n)
		if c.path.flight == 0 && o.forwarding.path != c.path {
			a.stopTimer(&c.path.t3)
		}
	}
	c.path.stopTiming()
	c.gone = true
}

// marks is the index of the first chunk marked for retransmission.
func (o *outbound) marks() int {
	if o.marked == 0 {
		return 0
	}
	i := o.firstMarked
	for !o.chunks.at(i).marked {
		i++
	}
	return i
}

// abandonExpired gives up what a timeout would retransmit on path p and is too
// old for it (SCTP-3-142).
func (a *association) abandonExpired(now time.Time, p *path) {
	o := &a.out
	for i := 0; i < o.chunks.len(); i++ {
		c := o.chunks.at(i)
		if c.path == p && !c.gone && !c.acked && a.expired(c.m, now) {
			a.abandon(i)
		}
	}
}

// forward goes on after an acknowledgement: if abandoned chunks come next, the
// peer has to be told to skip them, once per round trip (RFC 3758 section 3.5
// C3 and F2; SCTP-3-142).
func (a *association) forward(now time.Time) {
	o := &a.out
	if o.chunks.len() == 0 || !o.chunks.at(0).gone {
		o.forwarding.path = nil
		a.owed &^= dueForward
		return
	}
	if p := o.forwarding.path; p == nil || now.Sub(o.forwarding.sent) >= p.srtt {
		a.owe(dueForward)
	}
}

// appendForward writes the FORWARD TSN that is due: up to the last of the
// abandoned chunks that come next, with the last SSN that is skipped in each
// stream. T3 watches over it (RFC 3758 section 3.5 C5).
func (a *association) appendForward(now time.Time, w *packetWriter, q *path) {
	o := &a.out
	a.owed &^= dueForward
	limit := min(maxSkips, (w.left()-chunk.ForwardTSNSize)/chunk.SkipSize(a.interleave))
	skips, n := a.e.skips[:0], 0
	for ; n < o.chunks.len() && o.chunks.at(n).gone; n++ {
		m := o.chunks.at(n).m
		if m.unordered && !a.interleave {
			continue
		}
		i := 0
		for i < len(skips) && (skips[i].Stream != m.stream || skips[i].Unordered != m.unordered) {
			i++
		}
		if i == len(skips) {
			if i >= limit {
				break
			}
			skips = append(skips, chunk.Skip{Stream: m.stream, Unordered: m.unordered})
		}
		skips[i].MID = m.mid
	}
	a.e.skips = skips
	if n == 0 {
		return
	}
	w.b = chunk.AppendForwardTSN(w.b, o.acked+uint32(n), skips, a.interleave)
	o.forwarding = forwarding{path: q, sent: now}
	if !q.t3.Armed() {
		a.startTimer(&q.t3, now, q.rto.value)
	}
}
