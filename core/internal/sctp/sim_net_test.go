package sctp_test

import (
	"math/rand/v2"
	"slices"
	"time"
)

// A window is a stretch of time since the start of a run.
type window struct{ from, to time.Duration }

// linkModel is what one direction of a path does to datagrams. The zero value
// delivers everything at once.
type linkModel struct {
	delay, jitter time.Duration // jitter larger than the spacing reorders
	fifo          bool          // jitter does not reorder
	loss          float64       // Bernoulli
	burstEnter    float64       // Gilbert: chance to enter, and to leave, a
	burstLeave    float64       // state in which everything is lost
	dup           float64
	corrupt       float64
	truncate      float64
	rate          int           // bytes per second; 0 = no limit
	queue         time.Duration // longest queueing delay before tail drop
	partitions    []window
}

// clean says that every datagram arrives, once, unharmed and in order.
func (m linkModel) clean() bool {
	return m.loss == 0 && m.burstEnter == 0 && m.dup == 0 && m.corrupt == 0 && m.truncate == 0 &&
		(m.fifo || m.jitter == 0) && len(m.partitions) == 0 && (m.rate == 0 || m.queue >= time.Minute)
}

type link struct {
	linkModel
	bad  bool
	busy time.Time // the transmitter is occupied until then
	last time.Time // latest arrival, for fifo
}

// carry returns the copies that arrive, and when.
func (l *link) carry(rng *rand.Rand, start, now time.Time, data []byte) (copies [][]byte, at []time.Time) {
	if l.lost(rng, now.Sub(start)) {
		return nil, nil
	}
	depart := now
	if l.rate > 0 {
		if l.busy.After(now) {
			depart = l.busy
		}
		if depart.Sub(now) > l.queue {
			return nil, nil
		}
		l.busy = depart.Add(time.Duration(len(data)+28) * time.Second / time.Duration(l.rate))
		depart = l.busy
	}
	n := 1
	if rng.Float64() < l.dup {
		n++
	}
	for range n {
		arrive := depart.Add(l.delay)
		if l.jitter > 0 {
			arrive = arrive.Add(time.Duration(rng.Int64N(int64(l.jitter))))
		}
		if l.fifo && arrive.Before(l.last) {
			arrive = l.last
		}
		l.last = arrive
		copies, at = append(copies, l.harm(rng, data)), append(at, arrive)
	}
	return copies, at
}

func (l *link) lost(rng *rand.Rand, since time.Duration) bool {
	for _, w := range l.partitions {
		if since >= w.from && since < w.to {
			return true
		}
	}
	if l.burstEnter > 0 {
		flip := l.burstEnter
		if l.bad {
			flip = l.burstLeave
		}
		if rng.Float64() < flip {
			l.bad = !l.bad
		}
		if l.bad {
			return true
		}
	}
	return rng.Float64() < l.loss
}

func (l *link) harm(rng *rand.Rand, data []byte) []byte {
	data = slices.Clone(data)
	if rng.Float64() < l.corrupt {
		for range 1 + rng.IntN(3) {
			data[rng.IntN(len(data))] ^= 1 << rng.IntN(8)
		}
	}
	if rng.Float64() < l.truncate {
		data = data[:rng.IntN(len(data))]
	}
	return data
}

// heal ends all trouble but delay.
func (l *link) heal() {
	l.loss, l.burstEnter, l.dup, l.corrupt, l.truncate, l.partitions, l.bad = 0, 0, 0, 0, 0, nil, false
	l.queue = time.Hour
}
