package sctp

import "time"

// grain is the granularity that RTTVAR does not fall below (section 6.3.1).
const grain = time.Millisecond

// rto is the retransmission timeout of a path and what it is made from
// (section 6.3.1, SCTP-3-60).
type rto struct {
	value        time.Duration
	srtt, rttvar time.Duration

	// The one round trip that is being measured (SCTP-3-61).
	timing      bool
	timedTSN    uint32
	timingSince time.Time

	repeats uint8 // retransmissions because of time since the last measurement
}

// sample takes a measured round trip time.
func (r *rto) sample(rtt, lower, upper time.Duration) {
	rtt = max(rtt, 0)
	r.repeats = 0
	if r.srtt == 0 {
		r.srtt, r.rttvar = rtt, rtt/2
	} else {
		r.rttvar += ((r.srtt - rtt).Abs() - r.rttvar) / 4
		r.srtt += (rtt - r.srtt) / 8
	}
	r.srtt = max(r.srtt, 1)
	if r.rttvar == 0 {
		r.rttvar = grain
	}
	r.value = min(max(r.srtt+4*r.rttvar, lower), upper)
}

// backOff doubles the timeout (section 6.3.3 E2).
func (r *rto) backOff(upper time.Duration) {
	r.value = min(2*r.value, upper)
	r.repeated()
}

// repeated notes a retransmission because of time.
func (r *rto) repeated() { r.repeats = min(r.repeats+1, 8) }

// startTiming measures the round trip of tsn unless one is being measured.
func (r *rto) startTiming(tsn uint32, now time.Time) {
	if !r.timing {
		r.timing, r.timedTSN, r.timingSince = true, tsn, now
	}
}

// stopTiming gives the measurement up: a retransmission made it ambiguous
// (Karn; SCTP-3-61).
func (r *rto) stopTiming() { r.timing = false }

func (p *path) acked(tsn uint32, now time.Time) {
	if p.timing && p.timedTSN == tsn {
		p.timing = false
		p.sample(now.Sub(p.timingSince), p.a.params.RTOMin, p.a.params.RTOMax)
	}
}
