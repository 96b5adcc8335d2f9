package session

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestFifoAgainstASlice(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var q, older fifo[int]
	var model, modelOlder []int
	for i := range 20000 {
		switch rng.IntN(8) {
		case 0, 1, 2:
			q.push(i)
			model = append(model, i)
		case 3:
			older.push(i)
			modelOlder = append(modelOlder, i)
		case 4:
			if rng.IntN(50) == 0 {
				q.prepend(&older)
				model, modelOlder = append(modelOlder, model...), nil
			}
		default:
			if len(model) == 0 {
				continue
			}
			if *q.first() != model[0] || q.pop() != model[0] {
				t.Fatalf("step %d: wrong item", i)
			}
			model = model[1:]
		}
		if q.len() != len(model) || older.len() != len(modelOlder) {
			t.Fatalf("step %d: %d and %d items, want %d and %d", i, q.len(), older.len(), len(model), len(modelOlder))
		}
	}
	if !slices.Equal(q.items[q.head:], model) {
		t.Error("the rest differs")
	}
}

// TestFifoGivesBack: a queue that is never empty takes no more room than it needs, and keeps nothing of
// what has left it.
func TestFifoGivesBack(t *testing.T) {
	var q fifo[*int]
	for range 100_010 {
		q.push(new(int))
		if q.len() > 10 {
			q.pop()
		}
	}
	if cap(q.items) > 200 {
		t.Errorf("room for %d items", cap(q.items))
	}
	kept := 0
	for _, v := range q.items[:cap(q.items)] {
		if v != nil {
			kept++
		}
	}
	if kept != q.len() {
		t.Errorf("%d of %d items are kept", kept, q.len())
	}
	var older fifo[*int]
	for range 50 {
		older.push(new(int))
	}
	for range 40 {
		older.pop()
	}
	q.prepend(&older)
	if older.items != nil || q.len() != 20 || cap(q.items) > 50 {
		t.Errorf("%d items, room for %d", q.len(), cap(q.items))
	}
}
