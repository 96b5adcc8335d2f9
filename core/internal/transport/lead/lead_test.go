package lead

import (
	"testing"
	"time"
)

// TestWhoReads: one leads at a time; the endpoint looks at its sockets before, and again
// after Recall, or after a long wait, or at its end, and is told so once.
func TestWhoReads(t *testing.T) {
	watched, told := true, 0
	l := &Lead{Watch: func(on bool) { watched = on; told++ }}
	now := time.Unix(1000, 0)
	check := func(what string, got, want, watches bool, changes int) {
		t.Helper()
		if got != want || watched != watches || told != changes {
			t.Errorf("%s: %v, watched %v, told %d times; want %v, %v, %d", what, got, watched, told, want, watches, changes)
		}
		told = 0
	}
	check("borrowed though not lent", l.Borrow(), false, true, 0)
	check("recalled though not lent", l.Recall(false), false, true, 0)
	check("led", l.Take(now), true, false, 1)
	check("led twice", l.Take(now), false, false, 0)
	check("borrowed while led", l.Borrow(), false, false, 0)
	check("recalled while led", l.Recall(false), false, false, 0)
	check("looked for while led", l.Recall(true), false, false, 0)
	check("lent", l.Yield(now.Add(brisk)), true, false, 0)
	check("borrowed", l.Borrow(), true, false, 0)
	check("led while borrowed", l.Take(now), false, false, 0)
	l.Restore()
	check("led again", l.Take(now), true, false, 0)
	check("lent again", l.Yield(now), true, false, 0)
	check("looked for once", l.Recall(true), true, false, 0)
	check("looked for twice", l.Recall(true), false, true, 1)
	l.Take(now)
	told = 0
	check("after a long wait", l.Yield(now.Add(brisk+1)), false, true, 1)
	l.Take(now)
	l.Yield(now)
	told = 0
	check("recalled at once", l.Recall(false), false, true, 1)
	l.Take(now)
	told = 0
	l.Return()
	check("closed while led", l.Yield(now), false, true, 1)
}
