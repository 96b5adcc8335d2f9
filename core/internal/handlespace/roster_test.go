package handlespace

import (
	"math/rand/v2"
	"testing"
)

// TestRosterClosesHoles: a roster counts its holes and is no longer than twice what
// is in it, so that a registrar whose elements come and go for months does not
// grow.
func TestRosterClosesHoles(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	var list roster[int]
	var serials []uint64
	for range 2000 {
		if n := len(serials); n > 20 || n > 0 && r.IntN(2) == 0 {
			i := r.IntN(n)
			list.remove(serials[i])
			serials[i] = serials[n-1]
			serials = serials[:n-1]
		} else {
			serials = append(serials, list.add(new(int)))
			if 2*list.holes > len(list.entries) {
				t.Fatalf("%d of %d entries are holes", list.holes, len(list.entries))
			}
		}
		holes := 0
		for _, e := range list.entries {
			if e.value == nil {
				holes++
			}
		}
		if holes != list.holes || len(list.entries)-holes != len(serials) {
			t.Fatalf("%d entries for %d things, %d of them holes, counted %d", len(list.entries), len(serials), list.holes, holes)
		}
	}
}
