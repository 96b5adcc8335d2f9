package sctp_test

import (
	"container/heap"
	"encoding/binary"
	"fmt"
	"hash"
	"hash/fnv"
	"math/rand/v2"
	"net/netip"
	"time"
)

// A world is one deterministic run: engines, links between them, and events
// in virtual time. The first broken invariant ends it.
type world struct {
	rng    *rand.Rand
	start  time.Time
	now    time.Time
	events eventHeap
	seq    int
	hosts  []*host
	byAddr map[netip.Addr]*host
	links  map[[2]int]*link
	msgs   []*message // a message travels with its index as PPID
	err    error
	trace  hash.Hash64
	steps  int
	log    func(format string, args ...any)

	calm      bool // no restart of engines, no abort: nothing may be lost
	exact     bool // links are clean: windows can be recounted from outside
	early     bool // programs send before the association is up
	icmp      bool // dead hosts answer with port unreachable
	lastMove  time.Time
	nat       *natBox
	afterStep func()
	carried   int
	fault     func(n int) fault // what happens to the n-th packet of the run
}

// A fault is done to one packet.
type fault struct {
	drop, dup bool
	delay     time.Duration
}

// natBox stands before host 0 and gives it another UDP port.
type natBox struct{ inside, outside uint16 }

type simEvent struct {
	at  time.Time
	seq int
	run func()
}

type eventHeap []simEvent

func (h eventHeap) Len() int { return len(h) }
func (h eventHeap) Less(i, j int) bool {
	if c := h[i].at.Compare(h[j].at); c != 0 {
		return c < 0
	}
	return h[i].seq < h[j].seq
}
func (h eventHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *eventHeap) Push(x any)   { *h = append(*h, x.(simEvent)) }
func (h *eventHeap) Pop() any {
	old := *h
	e := old[len(old)-1]
	*h = old[:len(old)-1]
	return e
}

func newWorld(seed uint64) *world {
	start := time.Unix(1_700_000_000, 0)
	return &world{
		rng: rand.New(rand.NewPCG(seed, 77)), start: start, now: start, lastMove: start,
		byAddr: map[netip.Addr]*host{}, links: map[[2]int]*link{}, trace: fnv.New64a(),
		log: func(string, ...any) {},
	}
}

func (w *world) fail(format string, args ...any) {
	if w.err == nil {
		w.err = fmt.Errorf("at +%v: %s", w.now.Sub(w.start), fmt.Sprintf(format, args...))
	}
}

// after schedules run; it is skipped once the run has failed.
func (w *world) after(d time.Duration, run func()) {
	w.seq++
	heap.Push(&w.events, simEvent{w.now.Add(d), w.seq, run})
}

func (w *world) link(from, to *host) *link {
	key := [2]int{from.index, to.index}
	l := w.links[key]
	if l == nil {
		l = &link{}
		w.links[key] = l
	}
	return l
}

// run goes on until nothing is left to happen, the deadline, or a failure.
// It returns true when nothing is left.
func (w *world) run(limit time.Duration, done func() bool) bool {
	deadline := w.now.Add(limit)
	for w.err == nil {
		if done != nil && done() {
			return true
		}
		at, h := w.nextStep()
		if at.IsZero() {
			return true
		}
		if at.After(deadline) {
			w.now = deadline
			return false
		}
		w.steps++
		if w.steps > 5_000_000 {
			w.fail("the run does not end")
			break
		}
		w.step(at, h)
		if w.afterStep != nil && w.err == nil {
			w.afterStep()
		}
	}
	return false
}

// nextStep finds the next event, or the host whose timer comes before it.
func (w *world) nextStep() (at time.Time, timer *host) {
	if len(w.events) > 0 {
		at = w.events[0].at
	}
	for _, h := range w.hosts {
		if h.dead {
			continue
		}
		if t, ok := h.ep.Next(); ok && (at.IsZero() || t.Before(at)) {
			at, timer = t, h
		}
	}
	return at, timer
}

func (w *world) step(at time.Time, timer *host) {
	if at.Before(w.now) {
		at = w.now
	}
	if timer != nil && at.Equal(w.now) {
		if timer.spins++; timer.spins > 10_000 {
			w.fail("%s: timers fire again and again at one instant", timer.name)
			return
		}
	}
	if at.After(w.now) {
		for _, h := range w.hosts {
			h.spins = 0
		}
	}
	w.now = at
	if timer == nil {
		heap.Pop(&w.events).(simEvent).run()
		return
	}
	timer.advance()
}

// carry puts a packet that a host emitted on its link.
func (w *world) carry(from *host, to netip.AddrPort, data []byte) {
	var stamp [16]byte
	binary.BigEndian.PutUint64(stamp[:], uint64(w.now.Sub(w.start)))
	binary.BigEndian.PutUint64(stamp[8:], uint64(from.index))
	w.trace.Write(stamp[:])
	w.trace.Write(data)
	dest := w.byAddr[to.Addr()]
	if dest == nil {
		w.fail("%s sends to %v, which nobody has", from.name, to)
		return
	}
	src := from.addr
	if w.nat != nil && from.index == 0 {
		src = netip.AddrPortFrom(src.Addr(), w.nat.outside)
	}
	copies, at := w.link(from, dest).carry(w.rng, w.start, w.now, data)
	if w.fault != nil {
		f := w.fault(w.carried)
		if f.drop {
			copies, at = nil, nil
		}
		for i := range at {
			at[i] = at[i].Add(f.delay)
		}
		if f.dup && len(copies) == 1 {
			copies, at = append(copies, copies[0]), append(at, at[0].Add(time.Millisecond))
		}
	}
	w.carried++
	for i := range copies {
		w.seq++
		heap.Push(&w.events, simEvent{at[i], w.seq, func() { w.arrive(src, from, dest, to, copies[i], data) }})
	}
}

func (w *world) arrive(src netip.AddrPort, from, dest *host, to netip.AddrPort, data, original []byte) {
	port := dest.addr.Port()
	if w.nat != nil && dest.index == 0 {
		port = w.nat.outside
	}
	if to.Port() != port {
		return // a mapping that is gone
	}
	if dest.dead {
		if w.icmp {
			quoted := original[:min(len(original), []int{8, 28, 520}[w.rng.IntN(3)])]
			w.after(w.link(dest, from).delay, func() { from.unreachable(to, quoted) })
		}
		return
	}
	dest.input(src, data)
}
