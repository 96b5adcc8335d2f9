package sctp

import (
	"slices"

	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

// handleForwardTSN skips messages that the peer has given up (RFC 3758 section
// 3.6, RFC 8260 section 2.3.1, SCTP-3-141).
func (a *association) handleForwardTSN(in *arrival, c chunk.Raw) {
	if a.state != established && a.state != shutdownPending && a.state != shutdownSent {
		return
	}
	f, err := chunk.ParseForwardTSN(c)
	if err != nil {
		a.malformed("FORWARD TSN chunk has a wrong length")
		return
	}
	in.data = true
	a.replyTo = in.path
	b := &a.in
	if tsnLessEq(f.CumTSN, b.acked) {
		in.sackNow = true
		return
	}
	if f.CumTSN-b.acked > maxTSNAhead {
		a.violation("FORWARD TSN skips more than a window")
		return
	}
	b.skipTo(f.CumTSN)
	a.dropSkipped()
	for i := range f.Streams() {
		s := f.Stream(i)
		if a.interleave {
			a.dropPartial(s.Stream, s.Unordered, s.MID)
		}
		if s.Stream < a.inStreams && !s.Unordered {
			a.skip(a.in.stream(s.Stream), s.MID)
		}
	}
	in.sackNow = in.sackNow || len(b.beyond) > 0
}

// dropSkipped drops the parts of messages that can no longer be completed: a
// fragment before the cumulative TSN is missing. With I-DATA the list says which
// they are.
func (a *association) dropSkipped() {
	b := &a.in
	b.runs = slices.DeleteFunc(b.runs, func(r run) bool {
		if tsnLess(b.acked, r.first) || r.begins && !tsnLess(r.last, b.acked) {
			return false
		}
		a.drop(r.head)
		return true
	})
}

// skip delivers what is held of a stream up to a number and goes on behind it.
func (a *association) skip(s *inStream, mid uint32) {
	for s.held != nil && !a.before(mid, s.held.mid) {
		a.takeHeld(s)
	}
	if !a.before(mid, s.next) {
		s.next = a.after(mid)
	}
	a.inOrder(s)
}
