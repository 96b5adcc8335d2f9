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
}

// undelivered says that data is held that the user cannot be given yet.
func (b *inbound) undelivered() bool {
	return len(b.runs) > 0 || b.waiting > 0
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
	if a.orphaned() {
		a.violation("stream sequence number left out")
		return
	}
	if a.unread() {
		s.since = now
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
	a.e.setTimer(&s.timer, s.since.Add(patience))
}

// orphaned says that an ordered message waits although everything that was sent
// before it has arrived.
func (a *association) orphaned() bool {
	b := &a.in
	if b.waiting == 0 {
		return false
	}
	for _, s := range b.streams {
		if s.held != nil && !tsnLess(b.acked, s.held.tsnLow) {
			return true
		}
	}
	return false
}

// forgetBeyond drops what is held behind the first gap, except what the user
// has been given already.
func (a *association) forgetBeyond() {
	b := &a.in
	b.runs = slices.DeleteFunc(b.runs, func(r run) bool {
		if !tsnLess(b.acked, r.firstTSN) {
			return false
		}
		b.unreceive(r.firstTSN, r.lastTSN)
		a.drop(r.first)
		return true
	})
	for _, s := range b.streams {
		for at := &s.held; *at != nil; {
			if ev := *at; tsnLess(b.acked, ev.tsnLow) {
				a.dropHeld(at)
			} else {
				at = &ev.next
			}
		}
	}
}

// dropHeld drops a message that waits for its turn, as if it had not come.
func (a *association) dropHeld(at **event) {
	ev := *at
	*at = ev.next
	a.in.waiting--
	a.in.unreceive(ev.tsnLow, ev.tsnEnd)
	a.discard(ev)
}

// discard frees a message that the user was not given.
func (a *association) discard(ev *event) {
	a.drop(ev.first)
	ev.first = nil
	a.e.freeEvent(ev)
}
