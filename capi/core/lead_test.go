package main

import (
	"testing"

	"github.com/librserpool/librserpool/core/socket"
)

// TestWaitsHaveNumbers: each its own while it lasts; few are enough.
func TestWaitsHaveNumbers(t *testing.T) {
	var table waitTable
	a, b := &descriptor{}, &descriptor{}
	first, second := table.add(a), table.add(b)
	if first == 0 || second == 0 || table.find(first) != a || table.find(second) != b {
		t.Fatalf("%d is %p, %d is %p", first, table.find(first), second, table.find(second))
	}
	for range 1000 {
		table.remove(first)
		if table.find(first) != nil {
			t.Fatal("an ended wait keeps its descriptor")
		}
		if first = table.add(a); table.find(first) != a || table.find(second) != b {
			t.Fatalf("%d is %p, %d is %p", first, table.find(first), second, table.find(second))
		}
	}
	if len(table.all) != 2 {
		t.Errorf("%d numbers for two waits at a time", len(table.all))
	}
}

// recalls is a Leader that counts how often it is asked whether it is still lent.
type recalls struct {
	socket.Leader
	asked, lent int // it is, for so many times
}

func (r *recalls) Recall(idle bool) bool {
	r.asked++
	return r.asked <= r.lent
}

// TestLentEndpointsAreRecalled: each until it is not lent any more, and none twice at a
// time.
func TestLentEndpointsAreRecalled(t *testing.T) {
	l := lentEndpoints{asked: true} // by this test
	a, b := &recalls{lent: 1}, &recalls{lent: 3}
	l.add(a)
	l.add(b)
	l.add(a)
	for round, want := range []struct {
		a, b int
		done bool
	}{{1, 1, false}, {2, 2, false}, {2, 3, false}, {2, 4, true}} {
		if done := l.recall(); done != want.done || a.asked != want.a || b.asked != want.b {
			t.Errorf("round %d: asked %d and %d times, done: %v; want %+v", round, a.asked, b.asked, done, want)
		}
	}
	if l.asked || len(l.all) != 0 {
		t.Errorf("goes on with %d", len(l.all))
	}
	if recall_lent() != 1 {
		t.Error("not done, with none")
	}
}
