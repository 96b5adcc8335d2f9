package main

import (
	"math"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// policies in the order of RFC 5356.
var policies = []protocol.PolicyType{
	protocol.RoundRobin, protocol.WeightedRoundRobin, protocol.Random, protocol.WeightedRandom, protocol.Priority,
	protocol.LeastUsed, protocol.LeastUsedWithDegradation, protocol.PriorityLeastUsed, protocol.RandomizedLeastUsed,
}

// A pool has elements of three kinds, in turn.
const kinds = 3

const percent = math.MaxUint32 / 100

var (
	weights    = [kinds]uint32{1, 2, 4}
	priorities = [kinds]uint32{1, 2, 3}
	loads      = [kinds]uint32{10 * percent, 50 * percent, 50 * percent}
	growth     = [kinds]uint32{45 * percent, 5 * percent, 1 * percent} // Priority Least Used
	capacities = [kinds]int{10, 20, 40}
)

// still are elements whose loads do not change.
func still(t protocol.PolicyType, n int) []*pe {
	out := make([]*pe, n)
	for i := range out {
		k := i % kinds
		out[i] = &pe{kind: k, policy: protocol.Policy{Type: t}}
		p := &out[i].policy
		switch t {
		case protocol.WeightedRoundRobin, protocol.WeightedRandom:
			p.Weight = weights[k]
		case protocol.Priority:
			p.Priority = priorities[k]
		case protocol.LeastUsedWithDegradation:
			p.Load, p.Degradation = loads[k], percent
		case protocol.PriorityLeastUsed:
			p.Load, p.Degradation = loads[k], growth[k]
		case protocol.LeastUsed, protocol.RandomizedLeastUsed:
			p.Load = loads[k]
		}
	}
	return out
}

// busy are elements of different size that say how loaded they are, weigh
// accordingly and know what a session adds.
func busy(t protocol.PolicyType, n int) []*pe {
	out := still(t, n)
	for _, e := range out {
		e.capacity = capacities[e.kind]
		if e.policy.Degradation > 0 {
			e.policy.Degradation = uint32(math.MaxUint32 / e.capacity)
		}
	}
	return out
}

// expected is how many of the sessions each element of a still pool should get.
func expected(elements []*pe, sessions int) []float64 {
	out := make([]float64, len(elements))
	if elements[0].policy.Type == protocol.LeastUsedWithDegradation {
		return filled(elements, sessions)
	}
	best, sum := math.Inf(-1), 0.0
	for _, e := range elements {
		best = max(best, rank(e.policy))
	}
	for i, e := range elements {
		if rank(e.policy) == best {
			out[i] = share(e.policy)
		}
		sum += out[i]
	}
	for i := range out {
		out[i] *= float64(sessions) / sum
	}
	return out
}

// rank: only those with the highest are selected.
func rank(p protocol.Policy) float64 {
	switch p.Type {
	case protocol.Priority:
		return float64(p.Priority)
	case protocol.LeastUsed:
		return -float64(p.Load)
	case protocol.PriorityLeastUsed:
		return -float64(p.Load) - float64(p.Degradation)
	}
	return 0
}

// share of those that are selected.
func share(p protocol.Policy) float64 {
	switch p.Type {
	case protocol.WeightedRoundRobin, protocol.WeightedRandom:
		return float64(p.Weight)
	case protocol.RandomizedLeastUsed:
		return math.MaxUint32 - float64(p.Load)
	}
	return 1
}

// filled raises the lowest load + counter * degradation, session by session
// (RFC 5356 section 5.2.2).
func filled(elements []*pe, sessions int) []float64 {
	out := make([]float64, len(elements))
	for range sessions {
		best, at := math.Inf(1), 0
		for i, e := range elements {
			sum := float64(e.policy.Load) + float64(out[i]*float64(e.policy.Degradation)) // not fused: the same everywhere
			if sum < best || sum == best && out[i] < out[at] {
				best, at = sum, i
			}
		}
		out[at]++
	}
	return out
}

// result is what one pool came to.
type result struct {
	shares [kinds]float64 // of the sessions, by kind of element
	want   [kinds]float64
	off    float64 // the largest difference of one element from what is expected, in sessions
	sigma  float64 // how much chance gives one element more or less, in sessions
	load   [kinds]float64
	most   float64 // the fullest that one element ever was, of its capacity
}

// openAll has sessions opened one after the other, whose end nobody tells: each with an
// answer of its own, or all from one answer that the user keeps.
func openAll(t protocol.PolicyType, n, sessions int, cached bool) result {
	staleCache := time.Duration(-1)
	if cached {
		staleCache = time.Hour
	}
	w := newWorld(1, still(t, n), 1, staleCache)
	for range sessions {
		w.end(w.users[0], w.open(w.users[0]))
	}
	return w.result(expected(w.pes, sessions), sessions)
}

// Sessions that are held: users of them begin at random, so that so much of the
// pool is in use on average.
const (
	users    = 20
	held     = time.Minute
	lasts    = 20 * time.Minute
	inUse    = 0.5
	reports  = time.Second // how often elements tell their load if it has changed
	staleFor = 30 * time.Second
)

// hold runs users whose sessions begin and end.
func hold(t protocol.PolicyType, n int, cached bool) result {
	staleCache := time.Duration(-1)
	if cached {
		staleCache = staleFor
	}
	w := newWorld(2, busy(t, n), users, staleCache)
	capacity := 0
	for i, e := range w.pes {
		capacity += e.capacity
		w.report(i)
	}
	pause := time.Duration(float64(held) / (inUse * float64(capacity)))
	w.arrive(pause)
	w.run(3 * held / 2) // until as many end as begin
	for _, e := range w.pes {
		e.chosen, e.busy, e.most = 0, 0, e.sessions
	}
	w.run(lasts)
	sessions := 0
	for _, e := range w.pes {
		sessions += e.chosen
	}
	return w.result(make([]float64, n), sessions)
}

func (w *world) report(i int) {
	if e := w.pes[i]; e.told != e.sessions {
		w.register(i)
	}
	w.after(time.Duration((0.5+w.rand.Float64())*float64(reports)), func() { w.report(i) })
}

func (w *world) arrive(pause time.Duration) {
	w.after(time.Duration(w.rand.ExpFloat64()*float64(pause)), func() {
		u := w.users[w.rand.IntN(len(w.users))]
		id := w.open(u)
		w.after(time.Duration(w.rand.ExpFloat64()*float64(held)), func() { w.end(u, id) })
		w.arrive(pause)
	})
}

func (w *world) result(want []float64, sessions int) (r result) {
	var capacity [kinds]float64
	for i, e := range w.pes {
		r.shares[e.kind] += float64(e.chosen) / float64(sessions)
		r.want[e.kind] += want[i] / float64(sessions)
		if off := math.Abs(float64(e.chosen) - want[i]); off > r.off {
			part := want[i] / float64(sessions)
			r.off, r.sigma = off, math.Sqrt(want[i]*(1-part))
		}
		r.load[e.kind] += e.busy
		capacity[e.kind] += float64(e.capacity) * lasts.Seconds()
		if e.capacity > 0 {
			r.most = max(r.most, float64(e.most)/float64(e.capacity))
		}
	}
	for k := range r.load {
		r.load[k] /= capacity[k]
	}
	return r
}
