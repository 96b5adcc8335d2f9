// Package timerq keeps the deadlines of a pure machine in one indexed heap.
//
// A Timer is a field of the thing it belongs to: setting, moving and stopping
// it allocates nothing and costs O(log n). Equal deadlines come out in the
// order in which they were set, so a simulation replays exactly.
package timerq

import "time"

// Timer is one deadline in a Queue. The zero value, with Value filled in by
// its owner, is a stopped timer. A timer belongs to one queue at a time.
type Timer[V any] struct {
	Value V
	at    time.Time
	seq   uint64
	pos   int // index in the heap plus one; 0 = stopped
}

// Armed says whether the timer is set.
func (t *Timer[V]) Armed() bool { return t.pos != 0 }

// At returns the deadline; it is meaningful while the timer is armed.
func (t *Timer[V]) At() time.Time { return t.at }

// Queue is a heap of timers. The zero value is empty and ready.
type Queue[V any] struct {
	heap []*Timer[V]
	seq  uint64
}

// Len returns the number of armed timers.
func (q *Queue[V]) Len() int { return len(q.heap) }

// Set arms t for the instant at, moving it if it is armed already.
func (q *Queue[V]) Set(t *Timer[V], at time.Time) {
	q.seq++
	t.at, t.seq = at, q.seq
	if t.pos == 0 {
		q.heap = append(q.heap, t)
		t.pos = len(q.heap)
	}
	q.fix(t.pos - 1)
}

// Stop disarms t. It may be stopped already.
func (q *Queue[V]) Stop(t *Timer[V]) {
	if t.pos == 0 {
		return
	}
	i, last := t.pos-1, len(q.heap)-1
	q.swap(i, last)
	q.heap[last] = nil
	q.heap = q.heap[:last]
	t.pos = 0
	if i < last {
		q.fix(i)
	}
}

// Next returns the earliest deadline.
func (q *Queue[V]) Next() (at time.Time, ok bool) {
	if len(q.heap) == 0 {
		return time.Time{}, false
	}
	return q.heap[0].at, true
}

// Due disarms and returns the earliest timer whose deadline is not after now,
// or nil.
func (q *Queue[V]) Due(now time.Time) *Timer[V] {
	if len(q.heap) == 0 || q.heap[0].at.After(now) {
		return nil
	}
	t := q.heap[0]
	q.Stop(t)
	return t
}

func (q *Queue[V]) less(i, j int) bool {
	a, b := q.heap[i], q.heap[j]
	if c := a.at.Compare(b.at); c != 0 {
		return c < 0
	}
	return a.seq < b.seq
}

func (q *Queue[V]) swap(i, j int) {
	q.heap[i], q.heap[j] = q.heap[j], q.heap[i]
	q.heap[i].pos, q.heap[j].pos = i+1, j+1
}

// fix restores the heap order after the timer at index i changed.
func (q *Queue[V]) fix(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !q.less(i, parent) {
			break
		}
		q.swap(i, parent)
		i = parent
	}
	for {
		child := 2*i + 1
		if child >= len(q.heap) {
			return
		}
		if child+1 < len(q.heap) && q.less(child+1, child) {
			child++
		}
		if !q.less(child, i) {
			return
		}
		q.swap(i, child)
		i = child
	}
}
