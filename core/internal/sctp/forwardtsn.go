package sctp

import (
	"slices"

	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

// handleForwardTSN skips messages that the peer has given up (RFC 3758 section
// 3.6, SCTP-3-141).
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
	b.acked = f.CumTSN
	b.absorb()
	a.dropSkipped()
	for i := range f.Streams() {
		if sid, ssn := f.Stream(i); sid < a.inStreams {
			a.skip(a.inStream(sid), ssn)
		}
	}
	in.sackNow = in.sackNow || len(b.beyond) > 0
}

// dropSkipped drops the parts of messages that can no longer be completed: a
// fragment before the cumulative TSN is missing.
func (a *association) dropSkipped() {
	b := &a.in
	b.runs = slices.DeleteFunc(b.runs, func(r run) bool {
		if tsnLess(b.acked, r.firstTSN) || r.begins && !tsnLess(r.lastTSN, b.acked) {
			return false
		}
		a.drop(r.first)
		return true
	})
}

// skip delivers what is held of a stream up to ssn and goes on behind it.
func (a *association) skip(s *inStream, ssn uint16) {
	for s.held != nil && !ssnLess(ssn, s.held.info.SSN) {
		a.takeHeld(s)
	}
	if !ssnLess(ssn, s.next) {
		s.next = ssn + 1
	}
	a.inOrder(s)
}
