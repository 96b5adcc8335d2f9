package sctp

import (
	"slices"
	"sort"

	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

// span is a run of TSNs, both ends included.
type span struct{ first, last uint32 }

// inbound is the receiving side of an association.
type inbound struct {
	acked    uint32 // cumulative TSN ack: the last TSN received in sequence
	beyond   []span // received beyond it, ascending, isolated
	above    int    // TSNs in beyond
	dups     []uint32
	any      bool // DATA was received
	packets  int  // with DATA since the last SACK
	promised int  // what is left of the window advertised last

	held   int // payload bytes held: reassembly, reordering, unread, lent
	memory int // the same with overhead
	ready  int // of held: what the user could take, or keeps
	lent       // lend.go

	runs     []run    // incomplete messages, by TSN
	partials partials // or, with I-DATA, each by itself
	streams  map[uint16]*inStream
	waiting  int // ordered messages held in them
}

// inStream is a stream in which ordered messages arrive.
type inStream struct {
	next uint32 // number of the next message to deliver: SSN, or MID with I-DATA
	held *event // later ones, by number
}

// start sets the TSN that comes first.
func (b *inbound) start(tsn uint32, buffer int) {
	b.acked = tsn - 1
	b.promised = buffer
}

// highest is the highest TSN received.
func (b *inbound) highest() uint32 {
	if k := len(b.beyond); k > 0 {
		return b.beyond[k-1].last
	}
	return b.acked
}

func (b *inbound) has(tsn uint32) bool {
	if tsnLessEq(tsn, b.acked) {
		return true
	}
	i := b.search(tsn)
	return i < len(b.beyond) && !tsnLess(tsn, b.beyond[i].first)
}

// search returns the index of the first span that ends at tsn or later.
func (b *inbound) search(tsn uint32) int {
	return sort.Search(len(b.beyond), func(i int) bool { return !tsnLess(b.beyond[i].last, tsn) })
}

// received notes a TSN that has was false for.
func (b *inbound) received(tsn uint32) {
	if tsn == b.acked+1 {
		b.acked = tsn
		b.absorb()
		return
	}
	b.above++
	i := b.search(tsn)
	left := i > 0 && b.beyond[i-1].last+1 == tsn
	right := i < len(b.beyond) && b.beyond[i].first-1 == tsn
	switch {
	case left && right:
		b.beyond[i-1].last = b.beyond[i].last
		b.beyond = slices.Delete(b.beyond, i, i+1)
	case left:
		b.beyond[i-1].last = tsn
	case right:
		b.beyond[i].first = tsn
	default:
		b.beyond = slices.Insert(b.beyond, i, span{tsn, tsn})
	}
}

// skipTo goes on behind a TSN, whether what comes before it was received or not.
func (b *inbound) skipTo(tsn uint32) {
	b.acked = tsn
	b.absorb()
}

// absorb moves the cumulative ack over the spans that it has reached.
func (b *inbound) absorb() {
	n := 0
	for n < len(b.beyond) && tsnLessEq(b.beyond[n].first, b.acked+1) {
		s := b.beyond[n]
		b.above -= int(s.last - s.first + 1)
		if tsnLess(b.acked, s.last) {
			b.acked = s.last
		}
		n++
	}
	b.beyond = slices.Delete(b.beyond, 0, n)
	if len(b.beyond) == 0 {
		b.above = 0
	}
}

func (b *inbound) duplicate(tsn uint32) {
	if len(b.dups) < maxDuplicates {
		b.dups = append(b.dups, tsn)
	}
}

// handleData takes a DATA or I-DATA chunk (sections 6.2, 6.5). Which of them it
// has to be is settled with the association (RFC 8260 section 2.2.3).
func (a *association) handleData(in *arrival, c chunk.Raw) bool {
	d, err := chunk.ParseData(c)
	if err != nil {
		a.malformed("DATA chunk is too short")
		return false
	}
	if d.Interleaved != a.interleave && a.state >= established && (d.Interleaved || !a.linux) {
		a.violation("DATA where I-DATA was agreed on, or the other way round")
		return false
	}
	if a.state != established && a.state != shutdownPending && a.state != shutdownSent {
		return true
	}
	a.e.counters.DataIn++
	in.data = true
	a.replyTo = in.path
	if len(d.Payload) == 0 {
		a.abort(chunk.CauseNoUserData, chunk.TSNInfo(d.TSN), "DATA chunk without user data") // section 6.2
		return false
	}
	in.sackNow = in.sackNow || d.Flags&chunk.FlagImmediate != 0 || len(a.in.beyond) > 0
	if a.in.has(d.TSN) {
		a.e.counters.Duplicates++
		a.in.duplicate(d.TSN)
		in.dups = true
		return true
	}
	if !a.admit(d.TSN, len(d.Payload)) {
		a.e.counters.DataDropped++
		in.sackNow = true
		return true
	}
	a.accept(in, &d)
	return !a.dead
}

// accept notes an admitted chunk and keeps its payload.
func (a *association) accept(in *arrival, d *chunk.Data) {
	a.in.promised = max(0, a.in.promised-len(d.Payload))
	a.in.received(d.TSN)
	if d.Stream >= a.inStreams { // section 6.5, SCTP-3-21
		in.sackNow = true
		a.replyError(in, chunk.CauseInvalidStream, chunk.StreamInfo(d.Stream))
		return
	}
	a.reassemble(in, d)
}

// admit says whether there is room for a chunk that was not received yet
// (section 6.2; SCTP-3-20, SCTP-3-25). One that fills a gap is worth the
// highest one held.
func (a *association) admit(tsn uint32, n int) bool {
	if !a.in.near(tsn) {
		return false
	}
	for !a.hasSpace(n) {
		if !tsnLess(tsn, a.in.highest()) || !a.dropHighest() {
			return false
		}
	}
	return true
}

// near says that a TSN may be noted: not too many are, and it is not far ahead.
func (b *inbound) near(tsn uint32) bool {
	return tsn == b.acked+1 || tsn-b.acked <= maxTSNAhead && b.above < maxHeldChunks
}

// hasSpace allows for one packet beyond the window, as probes of a closed
// window are (SCTP-3-25), and where it is open for one chunk, however long: it may
// have been cut when there was more room.
func (a *association) hasSpace(n int) bool {
	return (a.in.held+n <= a.capacity()+a.primary.mtu || a.window() > 0) && a.hasMemory()
}

// capacity is the size of the buffer. It holds one message, however long, if that
// is all there is: who waits for its end could wait for ever otherwise (SCTP-3-24).
func (a *association) capacity() int {
	size := a.params.ReceiveBuffer
	if a.underWay() {
		size = max(size, a.params.MaxMessage+size/2)
	}
	return size
}

// underWay says that the next message has begun to arrive, and that what came
// before it is taken, or all but.
func (a *association) underWay() bool { return !a.unread() && a.in.begun() }

// begun says that the next message has begun to arrive.
func (b *inbound) begun() bool {
	return len(b.partials.runs) > 0 || len(b.runs) > 0 && b.runs[0].begins && !tsnLess(b.acked, b.runs[0].first)
}

// charge accounts for payload that is held, free for payload that no longer is.
func (b *inbound) charge(a *association, n, capacity int) {
	b.held += n
	a.account(capacity + objectOverhead)
}

func (b *inbound) free(a *association, n, capacity int) {
	b.held -= n
	a.account(-capacity - objectOverhead)
}

// drop gives the memory of a message that will not be delivered back.
func (a *association) drop(first *fragment) {
	for p := first; p != nil; p = p.next {
		a.in.free(a, len(p.buf), cap(p.buf))
	}
	a.e.freeFragments(first)
}

// release gives everything back that is not deliverable.
func (b *inbound) release(a *association) {
	a.dropRuns(b.runs)
	for _, runs := range b.partials.runs { // any order: all of it goes
		a.dropRuns(runs)
	}
	for _, s := range b.streams { // any order: all of it goes
		for ev := s.held; ev != nil; {
			next := ev.next
			a.discard(ev)
			ev = next
		}
	}
	b.runs, b.streams, b.beyond, b.dups = nil, nil, nil, nil
	b.partials = partials{}
	b.above, b.waiting = 0, 0
}

// dropHighest makes room by forgetting the highest TSN held. Only what is not
// yet acknowledged cumulatively nor delivered can be forgotten; it leaves the
// gap ack blocks with it (section 6.2, SCTP-3-26).
func (a *association) dropHighest() bool {
	b := &a.in
	if len(b.beyond) == 0 {
		return false
	}
	tsn := b.highest()
	if b.runs = a.cutTSN(b.runs, tsn); !b.has(tsn) {
		return true
	}
	for key, runs := range b.partials.runs { // any order: one of them at most has the TSN
		if a.keepPartial(key, a.cutTSN(runs, tsn)); !b.has(tsn) {
			return true
		}
	}
	for _, s := range b.streams { // any order: one of them at most has the TSN
		for at := &s.held; *at != nil; at = &(*at).next {
			if (*at).tsnEnd == tsn && tsnLess(b.acked, (*at).tsnLow) {
				a.dropHeld(at)
				return true
			}
		}
	}
	return false
}

// unreceive takes a TSN beyond the cumulative one out again.
func (b *inbound) unreceive(tsn uint32) {
	b.above--
	i := b.search(tsn)
	s := &b.beyond[i]
	switch {
	case s.first == s.last:
		b.beyond = slices.Delete(b.beyond, i, i+1)
	case s.first == tsn:
		s.first++
	case s.last == tsn:
		s.last--
	default:
		tail := span{tsn + 1, s.last}
		s.last = tsn - 1
		b.beyond = slices.Insert(b.beyond, i+1, tail)
	}
}
