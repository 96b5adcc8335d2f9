// Package rounds is what the benchmarks share: values that are measured round by
// round, how they are written, and the machine that they were measured on.
package rounds

import (
	"fmt"
	"slices"
)

// Results are the values of all rounds, by measurement and by what was measured.
type Results map[string]map[string][]float64

// Add keeps what one round has measured of one.
func (r Results) Add(one, what string, value float64) {
	if r[what] == nil {
		r[what] = map[string][]float64{}
	}
	r[what][one] = append(r[what][one], value)
}

// Median returns that of the rounds of one.
func (r Results) Median(one, what string) (float64, bool) {
	return median(r[what][one])
}

// Ratio is the median of the rounds' ratios: what one got to what reference
// got in the same round.
func (r Results) Ratio(one, reference, what string) (float64, bool) {
	a, b := r[what][one], r[what][reference]
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

// Cell writes a value for a table.
func Cell(v float64, ok bool, digits int) string {
	switch {
	case !ok:
		return "-"
	case digits == 0:
		return Grouped(int(v + 0.5))
	}
	return fmt.Sprintf("%.*f", digits, v)
}

// Grouped writes 12345 as 12,345.
func Grouped(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
