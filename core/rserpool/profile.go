package rserpool

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
func (s *Socket) welcome(ss *session) {
	p := s.buffers(ss.opts)
	if ss.opts.leaveTiming() {
		p.PathMaxRetrans, p.AssocMaxRetrans = failures, failures
	}
	_ = s.port.SetParams(ss.assoc, p) // gone already: no matter
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

// leaveTiming says that the options do not choose SCTP's timing.
func (o SessionOptions) leaveTiming() bool {
	d, _ := SessionOptions{}.resolve() // the defaults are good
	return o.timing() == d.timing()
}

// tuneLater tunes a session of a pool user again and again while the
// association stands.
func (s *Socket) tuneLater(ss *session, after time.Duration) {
	id := ss.assoc
	time.AfterFunc(after, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.closed && ss.assoc == id && ss.state == established {
			s.tune(ss)
			next := tuneEvery
			if ss.tuned == (assoc.Params{}) { // perhaps nothing is measured yet
				next = min(2*after, tuneEvery)
			}
			s.tuneLater(ss, next)
		}
	})
}

// tune sets the timing of a session on a single path. Where there are several,
// one that fails is not the end, and the transport's own patience is right.
func (s *Socket) tune(ss *session) {
	st, err := s.port.Status(ss.assoc)
	if err != nil || len(st.Paths) != 1 || st.Paths[0].SRTT == 0 || !ss.opts.leaveTiming() {
		return
	}
	if p := profileOf(st.Paths[0].SRTT); p != ss.tuned {
		if s.port.SetParams(ss.assoc, p) == nil { // gone already: no matter
			ss.tuned = p
		}
	}
}
