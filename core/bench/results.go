package main

import (
	"fmt"
	"slices"
)

// results are the values of all rounds, by measurement and stack.
type results map[string]map[string][]float64

func key(what string, n int) string { return fmt.Sprint(what, " ", n) }

func (r results) add(stack, what string, value float64) {
	if r[what] == nil {
		r[what] = map[string][]float64{}
	}
	r[what][stack] = append(r[what][stack], value)
}

// median of the rounds of one stack.
func (r results) median(stack, what string) (float64, bool) {
	return median(r[what][stack])
}

// ratio is the median of the rounds' ratios: what stack got to what reference
// got in the same round.
func (r results) ratio(stack, reference, what string) (float64, bool) {
	a, b := r[what][stack], r[what][reference]
	var ratios []float64
	for i := range min(len(a), len(b)) {
		if b[i] > 0 {
			ratios = append(ratios, a[i]/b[i])
		}
	}
	return median(ratios)
}

func median(values []float64) (float64, bool) {
	if len(values) == 0 {
		return 0, false
	}
	s := slices.Sorted(slices.Values(values))
	if k := len(s) / 2; len(s)%2 == 0 {
		return (s[k-1] + s[k]) / 2, true
	}
	return s[len(s)/2], true
}
