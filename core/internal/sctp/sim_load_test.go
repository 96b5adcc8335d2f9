package sctp_test

import (
	"math/rand/v2"
	"time"
)

// loader is the program above an engine in a simulation: each association
// that comes up gets work, and requests of the peer get their answers.
type loader struct {
	w    *world
	plan func(a *simAssoc) []*job
	jobs map[*simAssoc][]*job
	owed map[*simAssoc][]owedReply
	over bool // no new work, no new associations

	reconnect func(a *simAssoc)
}

// A job is a sequence of messages on one association.
type job struct {
	left      int
	window    int // requests that may wait for their answer; 0 = no answers
	waiting   int
	every     time.Duration // pause between messages; 0 = as fast as it goes
	next      time.Time
	size      func(*rand.Rand) int
	reply     func(*rand.Rand) int
	streams   uint16
	unordered float64
}

type owedReply struct {
	stream uint16
	size   int
}

func newLoader(w *world, plan func(*simAssoc) []*job) *loader {
	return &loader{w: w, plan: plan, jobs: map[*simAssoc][]*job{}, owed: map[*simAssoc][]owedReply{}}
}

func (l *loader) up(a *simAssoc) {
	if l.plan != nil && !l.over && l.jobs[a] == nil {
		l.jobs[a] = l.plan(a)
	}
	for _, j := range l.jobs[a] {
		if a.restarts > 0 {
			j.waiting = 0 // the answers went with the peer
		}
	}
	l.w.after(0, func() { l.pump(a) })
}

func (l *loader) got(a *simAssoc, m *message) {
	if m.reply > 0 {
		l.owed[a] = append(l.owed[a], owedReply{m.stream, m.reply})
	}
	if m.reply == 0 {
		for _, j := range l.jobs[a] {
			if j.waiting > 0 {
				j.waiting--
				break
			}
		}
	}
	// The engine is not called from within its own events.
	l.w.after(0, func() { l.pump(a) })
}

func (l *loader) writable(a *simAssoc) { l.pump(a) }

func (l *loader) ended(a *simAssoc) {
	delete(l.jobs, a)
	delete(l.owed, a)
	if l.reconnect != nil && !l.over {
		l.reconnect(a)
	}
}

// pump sends what may be sent now.
func (l *loader) pump(a *simAssoc) {
	w := l.w
	for w.err == nil && a.live() && !a.blocked && len(l.owed[a]) > 0 {
		o := l.owed[a][0]
		if !a.send(min(o.stream, a.out-1), false, o.size, 0) {
			return
		}
		l.owed[a] = l.owed[a][1:]
	}
	for _, j := range l.jobs[a] {
		for w.err == nil && a.live() && !a.blocked && j.left > 0 {
			if j.window > 0 && j.waiting >= j.window {
				break
			}
			if w.now.Before(j.next) {
				break
			}
			reply := 0
			if j.window > 0 {
				reply = j.reply(w.rng)
			}
			stream := uint16(w.rng.IntN(int(min(j.streams, max(a.out, 1)))))
			if !a.send(stream, w.rng.Float64() < j.unordered, j.size(w.rng), reply) {
				return
			}
			j.left--
			if j.window > 0 {
				j.waiting++
			}
			if j.every > 0 {
				j.next = w.now.Add(j.every)
				w.after(j.every, func() { l.pump(a) })
			}
		}
	}
}

// pending counts what the loader still wants to do on live associations.
func (l *loader) pending() int {
	n := 0
	for a, jobs := range l.jobs {
		if !a.live() {
			continue
		}
		for _, j := range jobs {
			n += j.left + j.waiting
		}
		n += len(l.owed[a])
	}
	return n
}

func between(lo, hi int) func(*rand.Rand) int {
	return func(r *rand.Rand) int { return lo + r.IntN(hi-lo+1) }
}

// randomJobs draws the work for one association.
func randomJobs(r *rand.Rand, maxMessage int, streams uint16) []*job {
	var jobs []*job
	streams = 1 + uint16(r.IntN(int(streams)))
	if r.IntN(3) > 0 { // request and response
		jobs = append(jobs, &job{
			left: 5 + r.IntN(40), window: 1 + r.IntN(8), size: between(1, min(8192, maxMessage)),
			reply: between(1, min(8192, maxMessage)), streams: streams,
		})
	}
	if r.IntN(4) == 0 { // bulk
		size := min(65536<<r.IntN(5), maxMessage)
		jobs = append(jobs, &job{left: 1 + r.IntN(max(1, 400_000/size)), size: between(size/2+1, size), streams: streams})
	}
	if r.IntN(2) == 0 { // small mixed traffic
		jobs = append(jobs, &job{
			left: 10 + r.IntN(100), size: between(1, 600), streams: streams, unordered: r.Float64(),
			every: time.Duration(r.IntN(20)) * time.Millisecond,
		})
	}
	return jobs
}
