package main

import (
	"math"
	"testing"
)

// Laws find again what figures were made of, and so what was not measured.
func TestFit(t *testing.T) {
	factors := []float64{0.25, 3, 7}
	made := func(registrars, elements int, l law) *row {
		r := &row{registrars: registrars, elements: elements}
		r.figures[l.figure] = l.at(r, factors)
		return r
	}
	for _, l := range laws {
		var rows []*row
		for _, n := range []int{1000, 100_000} {
			for _, r := range []int{3, 10, 100} {
				rows = append(rows, made(r, n, l))
			}
		}
		want := made(30, 1_000_000, l)
		if have := l.at(want, l.fit(rows)); math.Abs(have/want.figures[l.figure]-1) > 1e-6 {
			t.Errorf("figure %d: %v became %v", l.figure, want.figures[l.figure], have)
		}
	}
}

// What a table takes, as it was measured.
func TestRepairs(t *testing.T) {
	for bytes, want := range map[float64]float64{828: 2, 21_136: 2, 221_336: 10, 635_368: 26, 1_990_076: 80} {
		if have := repairs(bytes); have != want {
			t.Errorf("%v bytes take %v messages, not %v", bytes, have, want)
		}
	}
}

func TestProbes(t *testing.T) {
	for each, want := range map[int]float64{10: 10, 100: 100, 1000: 100, 3000: 100, 6000: 200} {
		if have := probes(&row{registrars: 2, elements: 2 * each}); have != want {
			t.Errorf("%d PEs are asked %v times a second, not %v", each, have, want)
		}
	}
}
