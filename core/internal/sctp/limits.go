package sctp

import (
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// Bounds on what a peer, or anybody, can make the endpoint hold (SCTP-6-07).
const (
	defaultMaxAssocs        = 100_000
	defaultMaxAssocsPerPeer = 1024
	defaultReceiveMemory    = 256 << 20 // bytes

	maxAddresses     = 32    // of one peer (SCTP-1-35)
	maxHeldChunks    = 4096  // received beyond the cumulative TSN
	maxTSNAhead      = 65535 // gap offsets have 16 bits (SCTP-3-20)
	maxDuplicates    = 32    // listed in one SACK
	maxOutstanding   = 32767 // DATA chunks sent and not acknowledged (SCTP-3-01)
	maxStray         = 1024  // packets waiting that belong to no association
	maxNotes         = 64    // unread path changes and remote errors of one association
	maxUnread        = 1 << 16
	maxReason        = 512  // bytes of an abort reason on the wire
	minWindow        = 1500 // smallest legal a_rwnd (section 3.3.2)
	initsPerSecond   = 10_000
	repliesPerSecond = 500 // to packets out of the blue (SCTP-2-41)
	repliesPerSource = 100 // of them
	sourceBuckets    = 64  // sources that are told apart; others share
	answersPerSecond = 100 // HEARTBEAT ACKs and ERRORs of one association (SCTP-6-06)
	messageOverhead  = 64  // bytes of send buffer per message (SCTP-3-08)
)

func (c *Config) applyLimits() {
	if c.MaxAssocs == 0 {
		c.MaxAssocs = defaultMaxAssocs
	}
	if c.MaxAssocsPerPeer == 0 {
		c.MaxAssocsPerPeer = defaultMaxAssocsPerPeer
	}
	if c.MaxMTU == 0 {
		c.MaxMTU = maxMTU
	}
	if c.MaxReceiveMemory == 0 {
		c.MaxReceiveMemory = defaultReceiveMemory
	}
}

// normalise brings parameters within their bounds (spec table 4.2).
func normalise(p assoc.Params) assoc.Params {
	p = p.OrDefault()
	p.RTOMin = max(p.RTOMin, 10*time.Millisecond)
	p.RTOMax = max(p.RTOMax, p.RTOMin)
	p.RTOInitial = min(max(p.RTOInitial, p.RTOMin), time.Minute)
	p.SackDelay = min(p.SackDelay, 500*time.Millisecond)
	p.SackPackets = max(p.SackPackets, 1)
	p.MaxBurst = max(p.MaxBurst, 1)
	p.ReceiveBuffer = max(p.ReceiveBuffer, 2*minWindow)
	return p
}

// room says whether one more association is allowed; incoming ones count per
// peer, except those of this host (connect storms of local programs).
func (e *Endpoint) room(peer netip.Addr, incoming bool) bool {
	if len(e.byID) >= e.cfg.MaxAssocs || e.events.n >= maxUnread && incoming {
		return false
	}
	return !incoming || peer.IsLoopback() || e.incoming(peer) < e.cfg.MaxAssocsPerPeer
}

// mayReply limits answers to packets out of the blue: all, and those to one
// source, so that the noise of one does not silence the others (SCTP-2-41).
// Programs of this host are told at once that an association is gone.
func (e *Endpoint) mayReply(in *arrival) bool {
	ok := true
	if from := in.from.Addr(); !from.IsLoopback() {
		var sum uint32
		for _, x := range from.As16() {
			sum = sum*31 + uint32(x)
		}
		ok = e.bySource[sum%sourceBuckets].take(in.now)
	}
	if !ok || !e.replyRate.take(in.now) {
		e.counters.RepliesLimited++
		return false
	}
	return true
}

// mayAnswer limits what a peer can ask for at no cost of its own (SCTP-6-06).
func (a *association) mayAnswer(in *arrival) bool {
	if a.answers.rate == 0 {
		a.answers = bucket{rate: answersPerSecond, tokens: answersPerSecond}
	}
	if !a.answers.take(in.now) {
		a.e.counters.RepliesLimited++
		return false
	}
	return true
}

// bucket limits the rate of answers to strangers: rate per second, as many at
// once.
type bucket struct {
	rate, tokens float64
	last         time.Time
}

func (b *bucket) take(now time.Time) bool {
	if !b.last.IsZero() {
		b.tokens = min(b.rate, b.tokens+now.Sub(b.last).Seconds()*b.rate)
	}
	b.last = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
