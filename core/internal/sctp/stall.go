package sctp

import (
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

// Received data that cannot be delivered, because something before it is
// missing, is not kept for ever (SCTP-6-08). When nothing has filled the gap for
// a while, what is behind it is forgotten (section 6.2, SCTP-3-26), which an
// honest peer sends again. When nothing comes of that either, or if a message
// simply does not go on, the peer is one that fills memory, and the association
// ends. Time in which data waits for the user to read it does not count: it may
// have closed the window.
const (
	gapPatience   = 10 * time.Second
	stallPatience = 30 * time.Second
)

// stall is what an association remembers of data that cannot be delivered.
type stall struct {
	timer  timer
	since  time.Time // when the cumulative TSN ack last moved, as far as known
	acked  uint32    // it, at that time
	forgot bool      // what was behind it
	// The TSN of what was found to wait for nothing last time, if there was any.
	orphan   uint32
	orphaned bool
	// round counts the times that the timer was due: with I-DATA the cumulative TSN
	// ack moves on for other messages, so that each has its own time.
	round uint32
}

// undelivered says that data is held that the user cannot be given yet.
func (b *inbound) undelivered() bool {
	return len(b.runs) > 0 || len(b.partials.runs) > 0 || b.waiting > 0
}

// watchStall is called after a packet with data.
func (a *association) watchStall(now time.Time) {
	b, s := &a.in, &a.stall
	if b.acked != s.acked {
		s.acked, s.since, s.forgot = b.acked, now, false
	}
	if !b.undelivered() || s.timer.Armed() {
		return
	}
	s.since = now
	a.startTimer(&s.timer, now, gapPatience)
}

// stallDue looks whether data has become deliverable.
func (a *association) stallDue(now time.Time) {
	b, s := &a.in, &a.stall
	if !b.undelivered() {
		return
	}
	tsn, found := b.orphaned()
	if found && s.orphaned && tsn == s.orphan {
		a.violation("the message before one in its stream was never sent")
		return
	}
	s.orphan, s.orphaned = tsn, found
	s.round++
	if a.unread() {
		s.since = now
		b.partials.excuse(s.round)
	}
	if b.partials.deserted(s.round, uint32(stallPatience/gapPatience)+1) {
		a.abort(chunk.CauseOutOfResource, nil, "a message does not go on")
		return
	}
	patience := stallPatience
	if len(b.beyond) > 0 && !s.forgot {
		patience = gapPatience
	}
	if now.Sub(s.since) >= patience {
		if patience == stallPatience {
			a.abort(chunk.CauseOutOfResource, nil, "what is missing of a message does not come")
			return
		}
		a.forgetBeyond()
		s.since, s.forgot = now, true
		a.owe(dueSack)
		if !b.undelivered() {
			return
		}
		patience = stallPatience
	}
	next := s.since.Add(patience)
	if soon := now.Add(gapPatience); (found || len(b.partials.runs) > 0) && soon.Before(next) {
		next = soon
	}
	a.e.setTimer(&s.timer, next)
}

// orphaned returns the TSN of an ordered message that waits although everything that was
// sent before it has arrived, and nothing can come that it waits for: of I-DATA
// that is certain only after a while, for TSNs need not follow the order of
// messages (RFC 8260 section 2.2.3).
func (b *inbound) orphaned() (tsn uint32, found bool) {
	if b.waiting == 0 {
		return 0, false
	}
	for _, s := range b.streams { // any order: the lowest TSN of all is looked for
		if h := s.held; h != nil && !tsnLess(b.acked, h.tsnEnd) && (!found || tsnLess(h.tsnEnd, tsn)) {
			tsn, found = h.tsnEnd, true
		}
	}
	return tsn, found
}

// forgetBeyond drops what is held behind the first gap, except what the user
// has been given already.
func (a *association) forgetBeyond() {
	b := &a.in
	b.runs = a.cutBeyond(b.runs)
	for key, runs := range b.partials.runs { // any order: each by itself
		a.keepPartial(key, a.cutBeyond(runs))
	}
	for _, s := range b.streams { // any order: each by itself
		for at := &s.held; *at != nil; {
			if ev := *at; tsnLess(b.acked, ev.tsnLow) {
				a.dropHeld(at)
			} else {
				at = &ev.next
			}
		}
	}
}

// keepPartial keeps what is left of a message.
func (a *association) keepPartial(key messageKey, runs []run) {
	if a.in.partials.runs[key] = runs; len(runs) == 0 {
		a.in.partials.forget(key)
	}
}

// cutBeyond drops those fragments at the end of runs that are not acknowledged
// cumulatively.
func (a *association) cutBeyond(runs []run) []run {
	acked := a.in.acked
	kept := runs[:0]
	for _, r := range runs {
		if low, _ := r.head.tsns(); tsnLess(acked, low) {
			a.unreceive(r.head)
			continue
		}
		for tsnLess(acked, r.tail.tsn) {
			a.unreceive(r.cutLast())
		}
		kept = append(kept, r)
	}
	clear(runs[len(kept):])
	return kept
}

// cutTSN drops the fragment with a TSN, if it is the last one of a run.
func (a *association) cutTSN(runs []run, tsn uint32) []run {
	for i := len(runs) - 1; i >= 0; i-- {
		if r := &runs[i]; r.tail.tsn == tsn {
			a.unreceive(r.cutLast())
			if r.head == nil {
				return slices.Delete(runs, i, i+1)
			}
			break
		}
	}
	return runs
}

// unreceive drops fragments as if they had not come.
func (a *association) unreceive(first *fragment) {
	for p := first; p != nil; p = p.next {
		a.in.unreceive(p.tsn)
	}
	a.drop(first)
}

// dropHeld drops a message that waits for its turn, as if it had not come.
func (a *association) dropHeld(at **event) {
	ev := *at
	*at = ev.next
	a.in.waiting--
	a.unreceive(ev.first)
	ev.first = nil
	a.e.freeEvent(ev)
}

// discard frees a message that the user was not given.
func (a *association) discard(ev *event) {
	a.drop(ev.first)
	ev.first = nil
	a.e.freeEvent(ev)
}
