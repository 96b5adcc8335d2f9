package sctp

import (
	"math"
	"time"
)

// congestion is the congestion control of a path (section 7.2). Sizes are
// those of DATA chunks with header and padding (SCTP-3-80).
type congestion struct {
	cwnd, ssthresh int
	partial        int // partial_bytes_acked
	flight         int // sent and neither acknowledged nor marked for retransmission

	// While a SACK is processed.
	before int // flight before it
	fresh  int // bytes that it acknowledged first
	cut    bool
	oldest bool // it acknowledged the lowest outstanding TSN of the path
}

func initialCongestion(pmdcs int, ipv4 bool) congestion {
	limit := 4344
	if ipv4 {
		limit = 4404
	}
	return congestion{cwnd: min(4*pmdcs, max(2*pmdcs, limit)), ssthresh: math.MaxInt32}
}

// grow takes the bytes that a SACK acknowledged first (sections 7.2.1, 7.2.2;
// SCTP-3-81, SCTP-3-82).
//
// repeated are bytes that it reports as received twice: they, too, have left
// the network.
func (c *congestion) grow(pmdcs int, recovering bool, repeated int) {
	if c.cwnd <= c.ssthresh {
		if !recovering && c.before >= c.cwnd-pmdcs+1 {
			c.cwnd += min(c.fresh, pmdcs)
		}
	} else {
		c.partial += c.fresh + repeated
		if c.before < c.cwnd {
			c.partial = min(c.partial, c.cwnd)
		} else if c.partial >= c.cwnd {
			c.partial -= c.cwnd
			c.cwnd += pmdcs
		}
	}
	if c.flight == 0 {
		c.partial = 0
	}
}

// onLoss reacts to a gap (section 7.2.3). The window is never raised by it,
// which the formula alone would do below four PMDCS (SCTP-3-83).
func (c *congestion) onLoss(pmdcs int) {
	c.ssthresh = max(c.cwnd/2, 4*pmdcs)
	c.cwnd = min(c.cwnd, c.ssthresh)
	c.partial = 0
}

// onTimeout reacts to a T3-rtx expiration (section 7.2.3).
func (c *congestion) onTimeout(pmdcs int) {
	c.ssthresh = max(c.cwnd/2, 4*pmdcs)
	c.cwnd = pmdcs
	c.partial = 0
}

// decay halves the window for every RTO without data (section 7.2.1,
// SCTP-3-84), when the next data is sent; it never raises it.
func (c *congestion) decay(idle, rto time.Duration, pmdcs int) {
	if c.flight > 0 || idle <= rto || rto <= 0 || c.cwnd <= 4*pmdcs {
		return
	}
	c.ssthresh = c.cwnd
	for ; idle > rto && c.cwnd > 4*pmdcs; idle -= rto {
		c.cwnd = max(c.cwnd/2, 4*pmdcs)
	}
}
