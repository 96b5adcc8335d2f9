package sctp

import "github.com/librserpool/librserpool/core/internal/sctp/chunk"

// Linux (6.1) gives the second fragment of a message the number 0, where RFC 8260
// section 2.1 has 1, and expects that; and what it has cut before it knew that the
// peer interleaves it sends as DATA. It is known by what it announces: FORWARD TSN
// and I-DATA, but not I-FORWARD-TSN, which who does as RFC 8260 section 2.3.1 says
// announces too (SCTP-3-155).

// fragment is the number of a fragment in its message.
func (a *association) fragment(d *chunk.Data) uint32 {
	if a.linux && d.Flags&chunk.FlagBegin == 0 {
		return d.FSN + 1
	}
	return d.FSN
}

// messageKey names a message of which I-DATA fragments arrive (RFC 8260 section
// 2.2.3).
type messageKey struct {
	stream    uint16
	unordered bool
	mid       uint32
}

// partials are the messages that are incomplete, each with its runs by FSN.
type partials struct {
	runs  map[messageKey][]run
	spare [][]run // lists that are empty again
}

// interleaved takes a fragment that came in I-DATA. Those of a message are put
// together by their FSNs, whatever their TSNs (SCTP-3-152). It returns false if
// fragments contradict each other.
func (a *association) interleaved(r *run) bool {
	if !r.unordered && tsnLess(r.mid, a.in.stream(r.stream).next) {
		a.drop(r.head) // of a message that was skipped before this came
		return true
	}
	if r.begins && r.ends {
		a.complete(r)
		return true
	}
	b := &a.in.partials
	key := messageKey{r.stream, r.unordered, r.mid}
	runs, i, ok := insertRun(b.take(key), r)
	b.runs[key] = runs
	if !ok || !oneMessage(runs) {
		return false
	}
	runs[i].round = a.stall.round
	size := 0
	for i := range runs {
		size += runs[i].size
	}
	if a.tooLong(size) {
		return true
	}
	if got := runs[i]; got.begins && got.ends {
		b.forget(key)
		a.complete(&got)
	}
	return true
}

// take returns the runs of a message.
func (b *partials) take(key messageKey) []run {
	if b.runs == nil {
		b.runs = make(map[messageKey][]run)
	}
	runs, known := b.runs[key]
	if k := len(b.spare); !known && k > 0 {
		runs, b.spare = b.spare[k-1], b.spare[:k-1]
	}
	return runs
}

// keptRuns is how many empty lists are kept.
const keptRuns = 16

// forget takes a message out that is complete or given up.
func (b *partials) forget(key messageKey) {
	runs := b.runs[key]
	delete(b.runs, key)
	if len(b.spare) < keptRuns {
		clear(runs)
		b.spare = append(b.spare, runs[:0])
	}
}

// deserted says that a message has not gone on for so many rounds of stall.
func (b *partials) deserted(round, rounds uint32) bool {
	for _, runs := range b.runs { // any order: whether there is one
		last := uint32(0)
		for i := range runs {
			last = max(last, runs[i].round)
		}
		if round-last >= rounds {
			return true
		}
	}
	return false
}

// excuse lets the time of all messages begin anew.
func (b *partials) excuse(round uint32) {
	for _, runs := range b.runs { // any order: each by itself
		for i := range runs {
			runs[i].round = round
		}
	}
}

// oneMessage says that runs can be parts of one message: it begins with fragment
// number 0, and nothing follows the one that ends it.
func oneMessage(runs []run) bool {
	for i := range runs {
		r := &runs[i]
		if r.begins != (r.first == 0) {
			return false
		}
		if i+1 < len(runs) && (r.ends || !tsnLess(r.last, runs[i+1].first)) {
			return false
		}
	}
	return true
}

// dropPartial drops what has arrived of messages that the peer has given up.
func (a *association) dropPartial(stream uint16, unordered bool, mid uint32) {
	for key, runs := range a.in.partials.runs { // any order: all that match go
		if key.stream != stream || key.unordered != unordered || tsnLess(mid, key.mid) {
			continue
		}
		a.dropRuns(runs)
		a.in.partials.forget(key)
	}
}

func (a *association) dropRuns(runs []run) {
	for i := range runs {
		a.drop(runs[i].head)
	}
}
