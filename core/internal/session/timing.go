package session

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// A session whose options leave SCTP's timing alone gets one that follows the
// measured round trip. A peer is given up after seven timeouts in a row: at 5 %
// loss, where one in ten exchanges fails, that is chance less than once a day at
// ten messages per second. On a short path those seven take less than 0.8 s;
// on a longer one as much as it needs.
const (
	shortMin = 35 * time.Millisecond // above what a peer may delay an acknowledgement
	shortMax = 130 * time.Millisecond
	failures = 6 // one more is too much

	tuneFirst = 100 * time.Millisecond
	tuneEvery = 5 * time.Second
)

// welcome gives an element's session its timing and its buffers. An element is as
// patient, with the transport's own pace: nobody waits for it, and a pool user that
// is given up by chance fails over.
func (t *Table) welcome(ss *Session) {
	p := t.buffers(ss.opts)
	if ss.opts.leaveTiming() {
		p.PathMaxRetrans, p.AssocMaxRetrans = failures, failures
	}
	_ = t.port.SetParams(ss.assoc, p) // gone already: no matter
}

// profileOf is the timing for a round trip, which is taken in powers of two so
// that it changes rarely. Paths that are slower than any default get the
// patience they need.
func profileOf(roundTrip time.Duration) assoc.Params {
	step := time.Millisecond
	for step < roundTrip {
		step *= 2
	}
	return assoc.Params{
		RTOInitial: max(shortMax, 3*step), RTOMin: max(shortMin, step), RTOMax: max(shortMax, 4*step),
		PathMaxRetrans: failures, AssocMaxRetrans: failures,
	}
}

// tuneLater tunes a session of a pool user again and again while the
// association stands.
func (t *Table) tuneLater(ss *Session, after time.Duration) {
	ss.tuneGap = after
	t.deadlines.Set(&ss.tuning, t.now.Add(after))
}

func tuneDue(t *Table, ss *Session) {
	if ss.phase != established {
		return
	}
	t.tune(ss)
	next := tuneEvery
	if ss.tuned == (assoc.Params{}) { // perhaps nothing is measured yet
		next = min(2*ss.tuneGap, tuneEvery)
	}
	t.tuneLater(ss, next)
}

// tune sets the timing of a session on a single path. Where there are several,
// one that fails is not the end, and the transport's own patience is right.
func (t *Table) tune(ss *Session) {
	st, err := t.port.Status(ss.assoc)
	if err != nil || len(st.Paths) != 1 || st.Paths[0].SRTT == 0 || !ss.opts.leaveTiming() {
		return
	}
	if p := profileOf(st.Paths[0].SRTT); p != ss.tuned {
		if t.port.SetParams(ss.assoc, p) == nil { // gone already: no matter
			ss.tuned = p
		}
	}
}
