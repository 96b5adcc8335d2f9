package timerq

import (
	"math/rand/v2"
	"testing"
	"time"
)

func at(ms int) time.Time { return time.Unix(0, 0).Add(time.Duration(ms) * time.Millisecond) }

func TestEqualDeadlinesComeInTheOrderTheyWereSet(t *testing.T) {
	var q Queue[int]
	timers := make([]Timer[int], 10)
	for i := range timers {
		timers[i].Value = i
		q.Set(&timers[i], at(5))
	}
	q.Set(&timers[0], at(5)) // set again: now the last
	for _, want := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 0} {
		if got := q.Due(at(5)); got == nil || got.Value != want {
			t.Fatalf("got %v, want %d", got, want)
		}
	}
}

func TestNothingIsDueBeforeItsTime(t *testing.T) {
	var q Queue[int]
	var tm Timer[int]
	q.Set(&tm, at(10))
	if q.Due(at(9)) != nil {
		t.Fatal("due one millisecond early")
	}
	if got := q.Due(at(10)); got != &tm || tm.Armed() {
		t.Fatal("not due at its deadline, or still armed")
	}
	if _, ok := q.Next(); ok {
		t.Fatal("an empty queue has a next deadline")
	}
}

// TestAgainstModel compares the heap with a plain search over random
// operations.
func TestAgainstModel(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var q Queue[int]
	timers := make([]Timer[int], 50)
	for step := range 20000 {
		tm := &timers[rng.IntN(len(timers))]
		switch rng.IntN(4) {
		case 0, 1:
			q.Set(tm, at(rng.IntN(100)))
		case 2:
			q.Stop(tm)
			if tm.Armed() {
				t.Fatal("armed after Stop")
			}
		case 3:
			now := at(rng.IntN(100))
			want := earliest(timers)
			got := q.Due(now)
			if want != nil && want.At().After(now) {
				want = nil
			}
			if got != want && (got == nil || want == nil || !got.At().Equal(want.At()) || got.seq != want.seq) {
				t.Fatalf("step %d: due %v, want %v", step, got, want)
			}
		}
		armed := 0
		for i := range timers {
			if timers[i].Armed() {
				armed++
			}
		}
		if armed != q.Len() {
			t.Fatalf("step %d: %d armed, queue has %d", step, armed, q.Len())
		}
	}
}

func earliest(timers []Timer[int]) *Timer[int] {
	var best *Timer[int]
	for i := range timers {
		tm := &timers[i]
		if !tm.Armed() {
			continue
		}
		if best == nil || tm.at.Before(best.at) || tm.at.Equal(best.at) && tm.seq < best.seq {
			best = tm
		}
	}
	return best
}

func TestSettingAllocatesNothing(t *testing.T) {
	var q Queue[int]
	timers := make([]Timer[int], 64)
	for i := range timers {
		q.Set(&timers[i], at(i))
	}
	n := testing.AllocsPerRun(100, func() {
		for i := range timers {
			q.Set(&timers[i], at(100-i))
			q.Stop(&timers[i])
		}
	})
	if n != 0 {
		t.Fatalf("%v allocations", n)
	}
}
