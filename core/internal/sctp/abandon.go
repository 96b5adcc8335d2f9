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
	a.out.endEarly(m, a.primary)
	a.abandon(a.out.chunks.len() - 1)
}

// endEarly gives a TSN to what is not sent of a message that is under way.
// Skipping it makes the peer forget the fragments that it holds, even if those
// are acknowledged.
func (o *outbound) endEarly(m *outMessage, p *path) {
	o.chunks.push(outChunk{m: m, path: p})
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
		o.endEarly(m, a.primary)
	}
	o.withdraw(m)
	a.notifyFailed(m, 0, assoc.ErrTimeout)
	m.abandoned = true
	m.taken = m.size
	a.owe(dueForward)
	a.room()
}

// withdraw takes all chunks of a message, and the message, out of the accounts.
func (o *outbound) withdraw(m *outMessage) {
	first := max(0, int(int32(m.firstTSN-o.acked-1)))
	for i, left := first, m.open; left > 0; i++ {
		if c := o.chunks.at(i); c.m == m {
			o.forget(c)
			left--
		}
	}
	o.firstMarked = o.marks()
	o.unacked--
	o.queued -= m.size + messageOverhead
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
	if o.forwarding.again(now) {
		a.owe(dueForward)
	}
}

// again says that a FORWARD TSN is not under way.
func (f *forwarding) again(now time.Time) bool {
	return f.path == nil || now.Sub(f.sent) >= f.path.srtt
}

// appendForward writes the FORWARD TSN that is due. T3 watches over it (RFC 3758
// section 3.5 C5).
func (a *association) appendForward(now time.Time, w *packetWriter, q *path) {
	o := &a.out
	a.owed &^= dueForward
	limit := min(maxSkips, (w.left()-chunk.ForwardTSNSize)/chunk.SkipSize(a.interleave))
	skips, n := o.skips(a.e.skips[:0], limit, a.interleave)
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

// skips appends the streams of the abandoned chunks that come next, each with the
// last number that is skipped in it, up to a limit of streams. It returns how many
// chunks that covers.
func (o *outbound) skips(skips []chunk.Skip, limit int, interleave bool) (_ []chunk.Skip, n int) {
	for ; n < o.chunks.len() && o.chunks.at(n).gone; n++ {
		m := o.chunks.at(n).m
		if m.unordered && !interleave {
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
	return skips, n
}
