package sctp

import (
	"net/netip"
	"slices"
	"sort"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

// run is a part of a message: fragments with consecutive numbers, which are TSNs
// (section 6.9), or with I-DATA FSNs (RFC 8260 section 2.1).
type run struct {
	first, last  uint32
	ppid         uint32
	mid          uint32 // number of the message in its stream; an SSN without I-DATA
	stream       uint16
	unordered    bool
	begins, ends bool   // holds the first, the last fragment
	keyed        bool   // is in a list of runs of its message
	round        uint32 // I-DATA: of stall, when a fragment came last
	size         int
	head, tail   *fragment
	from         netip.AddrPort
}

// cutLast takes the last fragment off a run.
func (r *run) cutLast() *fragment {
	last := r.tail
	r.last--
	r.ends = false
	r.size -= len(last.buf)
	if r.head == last {
		r.head, r.tail = nil, nil
		return last
	}
	p := r.head
	for p.next != last {
		p = p.next
	}
	p.next, r.tail = nil, p
	return last
}

// joins says that other continues r in the same message.
func (r *run) joins(other *run) bool {
	return r.keyed || r.stream == other.stream && r.unordered == other.unordered && r.ppid == other.ppid &&
		(r.unordered || r.mid == other.mid)
}

// append adds a run that follows r.
func (r *run) append(next *run) {
	r.last, r.ends = next.last, next.ends
	r.tail.next = next.head
	r.tail = next.tail
	r.size += next.size
}

// newRun keeps the payload of a chunk.
func (a *association) newRun(in *arrival, d *chunk.Data) run {
	p := a.e.newFragment(d.Payload)
	p.tsn = d.TSN
	a.in.charge(a, len(p.buf), cap(p.buf))
	r := run{
		first: d.TSN, ppid: d.PPID, stream: d.Stream, mid: uint32(d.SSN),
		unordered: d.Flags&chunk.FlagUnordered != 0,
		begins:    d.Flags&chunk.FlagBegin != 0, ends: d.Flags&chunk.FlagEnd != 0,
		size: len(p.buf), head: p, tail: p,
		from: netip.AddrPortFrom(in.from.Addr(), a.peerPort),
	}
	if d.Interleaved {
		r.first, r.mid, r.keyed = a.fragment(d), d.MID, true
	}
	r.last = r.first
	return r
}

// reassemble keeps the payload of a chunk and delivers its message if that is
// complete (SCTP-3-22). Fragments that contradict each other end the
// association (SCTP-3-23).
func (a *association) reassemble(in *arrival, d *chunk.Data) {
	r, ok := a.newRun(in, d), true
	switch {
	case d.Interleaved:
		ok = a.interleaved(&r)
	case len(a.in.runs) == 0 && r.begins && r.ends:
		a.complete(&r)
	default:
		ok = a.insert(&r)
	}
	if !ok {
		a.violation("fragments of messages contradict each other")
	}
}

// insert puts a run among those of all messages, which follow each other by
// their TSNs. It returns false if they contradict each other.
func (a *association) insert(r *run) bool {
	b := &a.in
	runs, i, ok := insertRun(b.runs, r)
	b.runs = runs
	if !ok {
		return false
	}
	got := b.runs[i]
	if a.tooLong(got.size) {
		return true
	}
	if got.begins && got.ends {
		b.runs = slices.Delete(b.runs, i, i+1)
		a.complete(&got)
	}
	return a.dead || b.consistent()
}

// insertRun puts a run in its place in a list and joins it with its neighbours.
// It returns false if they cannot stand side by side, and where the result is.
func insertRun(runs []run, r *run) (_ []run, at int, ok bool) {
	i := sort.Search(len(runs), func(i int) bool { return tsnLess(r.first, runs[i].first) })
	runs = slices.Insert(runs, i, *r)
	if i+1 < len(runs) && runs[i+1].first == r.last+1 {
		if runs, ok = joinRuns(runs, i); !ok {
			return runs, i, false
		}
	}
	if i > 0 && runs[i-1].last+1 == r.first {
		n := len(runs)
		if runs, ok = joinRuns(runs, i-1); !ok {
			return runs, i, false
		}
		if len(runs) < n {
			i--
		}
	}
	return runs, i, true
}

// joinRuns merges run i with the next one, which follows it without a gap, unless
// a message ends between them.
func joinRuns(runs []run, i int) ([]run, bool) {
	r, next := &runs[i], &runs[i+1]
	switch {
	case r.ends && next.begins:
		return runs, true
	case r.ends || next.begins || !r.joins(next):
		return runs, false
	}
	r.append(next)
	return slices.Delete(runs, i+1, i+2), true
}

// tooLong ends the association if a message has become longer than this endpoint
// accepts (SCTP-3-24).
func (a *association) tooLong(size int) bool {
	if size <= a.params.MaxMessage {
		return false
	}
	a.abort(chunk.CauseOutOfResource, nil, "message is longer than this endpoint accepts")
	return true
}

// consistent says that no run is incomplete although every TSN before, or
// after it, has arrived.
func (b *inbound) consistent() bool {
	for i := range b.runs {
		r := &b.runs[i]
		if tsnLess(b.acked, r.first) {
			return true
		}
		if !r.begins || !r.ends && tsnLess(r.last, b.acked) {
			return false
		}
	}
	return true
}

// complete makes a message of a run that has its begin and end, and delivers
// it when its turn has come.
func (a *association) complete(r *run) {
	if a.tooLong(r.size) {
		a.drop(r.head)
		return
	}
	ev := a.newEvent(assoc.Message)
	ev.a = a
	ev.first, ev.last, ev.size = r.head, r.tail, r.size
	ev.tsnLow, ev.tsnEnd = r.head.tsns()
	ev.mid = r.mid
	ev.info.Stream, ev.info.SSN, ev.info.PPID = r.stream, uint16(r.mid), r.ppid
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

// tsns are the lowest and the highest TSN of a chain of fragments.
func (p *fragment) tsns() (low, high uint32) {
	low, high = p.tsn, p.tsn
	for p = p.next; p != nil; p = p.next {
		if tsnLess(p.tsn, low) {
			low = p.tsn
		}
		if tsnLess(high, p.tsn) {
			high = p.tsn
		}
	}
	return low, high
}

// order delivers an ordered message, and those that waited for it, or keeps
// it until its turn (section 6.6). It returns false if its number was used.
func (a *association) order(ev *event) bool {
	s := a.in.stream(ev.info.Stream)
	if ev.mid == s.next {
		a.deliver(ev)
		s.next = a.after(s.next)
		a.inOrder(s)
		return true
	}
	at := &s.held
	for *at != nil && a.before((*at).mid, ev.mid) {
		at = &(*at).next
	}
	if a.before(ev.mid, s.next) || *at != nil && (*at).mid == ev.mid {
		a.discard(ev)
		return false
	}
	ev.next, *at = *at, ev
	a.in.waiting++
	return true
}

// inOrder delivers the held messages whose turn has come.
func (a *association) inOrder(s *inStream) {
	for s.held != nil && s.held.mid == s.next {
		a.takeHeld(s)
		s.next = a.after(s.next)
	}
}

// before compares numbers of messages in a stream: of 16 bits, or with I-DATA 32.
func (a *association) before(x, y uint32) bool {
	if a.interleave {
		return tsnLess(x, y)
	}
	return ssnLess(uint16(x), uint16(y))
}

func (a *association) after(x uint32) uint32 {
	if a.interleave {
		return x + 1
	}
	return uint32(uint16(x + 1))
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

// stream returns the state of a stream, which exists from its first message
// on (SCTP-2-10, SCTP-3-27).
func (b *inbound) stream(sid uint16) *inStream {
	s := b.streams[sid]
	if s == nil {
		s = new(inStream)
		if b.streams == nil {
			b.streams = make(map[uint16]*inStream)
		}
		b.streams[sid] = s
	}
	return s
}
