package sctp

import "time"

// What is lost and followed by nothing, or lost again, is noticed by nobody
// but T3, whose floor (RTO.Min) allows for acknowledgements that are delayed.
// A request whose round trip takes a millisecond would wait for it a hundred
// times as long. With Config.EarlyResend T3 first goes off after what the path
// takes as a rule, and the lowest outstanding chunk is sent once more; only
// then the rest of the RTO follows. RFC 8985 section 7.3 does this for TCP
// (tail loss probe).
//
// It is no timeout: it counts no error, so a dead peer is found neither sooner
// nor, but for that wait, later; RTO does not back off. It may be wrong, so
// there is one such packet until the peer acknowledges something new, and only
// of little in flight: a bulk transfer has fast retransmission. That it may be
// right is why the congestion window reacts as to a gap (section 7.2.3). Where
// there are several paths T3 has to say which of them fails, and keeps its time.
//
// No round trip is measured with what was sent twice. Were each message sent
// early because round trips have become longer, that would never be known: so
// the wait is four times as long after every such packet and every timeout,
// until there is a measurement.
const (
	earlyFloor  = 6 * time.Millisecond
	earlyFlight = 8 << 10 // bytes
)

// startT3 starts or restarts the retransmission timer of a path (section
// 6.3.2).
func (p *path) startT3(now time.Time) {
	a, wait := p.a, p.patience()
	p.early = a.e.cfg.EarlyResend && len(a.paths) == 1 && !p.resent && p.srtt > 0 && wait < p.rto.value
	if !p.early {
		wait = p.rto.value
	}
	a.startTimer(&p.t3, now, wait)
}

func (p *path) stopT3() { p.a.stopTimer(&p.t3) }

// patience is how long an acknowledgement takes at most as a rule: the RTO
// without its floor, and two round trips.
func (p *path) patience() time.Duration {
	return max(earlyFloor, 2*p.srtt, p.srtt+4*p.rttvar) << (2 * p.repeats)
}

// earlyDue sends the lowest outstanding chunk of a path again, and lets T3 run
// for the rest of its time.
func (a *association) earlyDue(now time.Time, p *path) {
	o := &a.out
	p.early, p.resent = false, true
	a.startTimer(&p.t3, now, p.rto.value-p.patience())
	if p.flight > earlyFlight || o.marked > 0 {
		return
	}
	i, found := o.lowest(p)
	if !found {
		return
	}
	o.mark(o.chunks.at(i), i)
	o.forced = true
	p.stopTiming()
	p.repeated()
	p.onLoss(p.pmdcs())
	a.e.counters.EarlyRetransmissions++
	a.refillBurst()
	a.wake()
}

// lowest is the index of the lowest outstanding chunk of a path.
func (o *outbound) lowest(p *path) (i int, found bool) {
	for i := range o.chunks.len() {
		if c := o.chunks.at(i); c.path == p && !c.acked && !c.gone {
			return i, true
		}
	}
	return 0, false
}
