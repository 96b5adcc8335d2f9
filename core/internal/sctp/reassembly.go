package sctp

import (
	"net/netip"
	"slices"
	"sort"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

// run is a part of a message: fragments with consecutive TSNs (section 6.9).
type run struct {
	firstTSN, lastTSN uint32
	ppid              uint32
	stream, ssn       uint16
	unordered         bool
	begins, ends      bool // holds the first, the last fragment
	size              int
	first, last       *piece
	from              netip.AddrPort
}

// cutLast takes the last fragment off a run.
func (r *run) cutLast() *piece {
	last := r.last
	r.lastTSN--
	r.ends = false
	r.size -= len(last.buf)
	if r.first == last {
		r.first, r.last = nil, nil
		return last
	}
	p := r.first
	for p.next != last {
		p = p.next
	}
	p.next, r.last = nil, p
	return last
}

// joins says that other continues r in the same message.
func (r *run) joins(other *run) bool {
	return r.stream == other.stream && r.unordered == other.unordered && r.ppid == other.ppid &&
		(r.unordered || r.ssn == other.ssn)
}

// append adds a run that follows r.
func (r *run) append(next *run) {
	r.lastTSN, r.ends = next.lastTSN, next.ends
	r.last.next = next.first
	r.last = next.last
	r.size += next.size
}

// reassemble keeps the payload of a chunk and delivers its message if that is
// complete (SCTP-3-22). Fragments that contradict each other end the
// association (SCTP-3-23).
func (a *association) reassemble(in *arrival, d *chunk.Data) {
	p := a.e.newPiece(d.Payload)
	a.in.charge(a, len(p.buf), cap(p.buf))
	r := run{
		firstTSN: d.TSN, lastTSN: d.TSN, ppid: d.PPID, stream: d.Stream, ssn: d.SSN,
		unordered: d.Flags&chunk.FlagUnordered != 0,
		begins:    d.Flags&chunk.FlagBegin != 0, ends: d.Flags&chunk.FlagEnd != 0,
		size: len(p.buf), first: p, last: p,
		from: netip.AddrPortFrom(in.from.Addr(), a.peerPort),
	}
	if len(a.in.runs) == 0 && r.begins && r.ends {
		a.complete(&r)
		return
	}
	if !a.insert(&r) {
		a.violation("fragments of messages contradict each other")
	}
}

// insert joins a run with its neighbours. It returns false if they cannot
// stand side by side. r is the result if that is a complete message.
func (a *association) insert(r *run) bool {
	b := &a.in
	i := sort.Search(len(b.runs), func(i int) bool { return tsnLess(r.firstTSN, b.runs[i].firstTSN) })
	b.runs = slices.Insert(b.runs, i, *r)
	if i+1 < len(b.runs) && b.runs[i+1].firstTSN == r.lastTSN+1 && !b.join(i) {
		return false
	}
	if i > 0 && b.runs[i-1].lastTSN+1 == r.firstTSN {
		if !b.join(i - 1) {
			return false
		}
		if b.runs[i-1].lastTSN != r.firstTSN-1 {
			i--
		}
	}
	got := b.runs[i]
	if got.size > a.params.MaxMessage {
		a.abort(chunk.CauseOutOfResource, nil, "message is longer than this endpoint accepts") // SCTP-3-24
		return true
	}
	if got.begins && got.ends {
		b.runs = slices.Delete(b.runs, i, i+1)
		a.complete(&got)
	}
	return a.dead || b.consistent()
}

// join merges run i with the next one, which follows it without a gap, unless
// a message ends between them.
func (b *inbound) join(i int) bool {
	r, next := &b.runs[i], &b.runs[i+1]
	switch {
	case r.ends && next.begins:
		return true
	case r.ends || next.begins || !r.joins(next):
		return false
	}
	r.append(next)
	b.runs = slices.Delete(b.runs, i+1, i+2)
	return true
}

// consistent says that no run is incomplete although every TSN before, or
// after it, has arrived.
func (b *inbound) consistent() bool {
	for i := range b.runs {
		r := &b.runs[i]
		if tsnLess(b.acked, r.firstTSN) {
			return true
		}
		if !r.begins || !r.ends && tsnLess(r.lastTSN, b.acked) {
			return false
		}
	}
	return true
}

// complete makes a message of a run that has its begin and end, and delivers
// it when its turn has come.
func (a *association) complete(r *run) {
	if r.size > a.params.MaxMessage {
		a.drop(r.first)
		a.abort(chunk.CauseOutOfResource, nil, "message is longer than this endpoint accepts")
		return
	}
	ev := a.newEvent(assoc.Message)
	ev.a = a
	ev.first, ev.last, ev.size = r.first, r.last, r.size
	ev.tsnLow, ev.tsnEnd = r.firstTSN, r.lastTSN
	ev.info.Stream, ev.info.SSN, ev.info.PPID = r.stream, r.ssn, r.ppid
	ev.info.Unordered, ev.info.From = r.unordered, r.from
	if r.unordered {
		ev.info.SSN = 0 // means nothing (section 6.6)
		a.deliver(ev)
		return
	}
	if !a.order(ev) {
		a.violation("stream sequence number used twice")
	}
}

// order delivers an ordered message, and those that waited for it, or keeps
// it until its turn (section 6.6). It returns false if its SSN was used.
func (a *association) order(ev *event) bool {
	s := a.inStream(ev.info.Stream)
	ssn := ev.info.SSN
	if ssn == s.next {
		a.deliver(ev)
		s.next++
		a.inOrder(s)
		return true
	}
	at := &s.held
	for *at != nil && ssnLess((*at).info.SSN, ssn) {
		at = &(*at).next
	}
	if ssnLess(ssn, s.next) || *at != nil && (*at).info.SSN == ssn {
		a.discard(ev)
		return false
	}
	ev.next, *at = *at, ev
	a.in.waiting++
	return true
}

// inOrder delivers the held messages whose turn has come.
func (a *association) inOrder(s *inStream) {
	for s.held != nil && s.held.info.SSN == s.next {
		a.takeHeld(s)
		s.next++
	}
}

// takeHeld delivers the first of the held messages.
func (a *association) takeHeld(s *inStream) {
	ev := s.held
	s.held, ev.next = ev.next, nil
	a.in.waiting--
	a.deliver(ev)
}

// deliver gives a message to the user.
func (a *association) deliver(ev *event) {
	a.in.ready += ev.size
	a.push(ev)
}

// inStream returns the state of a stream, which exists from its first message
// on (SCTP-2-10, SCTP-3-27).
func (a *association) inStream(sid uint16) *inStream {
	s := a.in.streams[sid]
	if s == nil {
		s = new(inStream)
		if a.in.streams == nil {
			a.in.streams = make(map[uint16]*inStream)
		}
		a.in.streams[sid] = s
	}
	return s
}
