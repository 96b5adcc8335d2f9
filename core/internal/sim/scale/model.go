package main

import (
	"fmt"
	"math"
)

// law says of what a figure is a sum: each term times a factor.
type law struct {
	figure int
	terms  []func(*row) float64
}

// each is how many pool elements one registrar owns.
func each(r *row) float64 { return float64(r.elements) / float64(r.registrars) }

// probes is how often per second a registrar asks its pool elements, as
// registrar.Attentive has it: each once per second while there are up to 100,
// once per 30 s when there are more than 3,000.
func probes(r *row) float64 { return min(each(r), max(100, each(r)/30)) }

// updates is how many a registrar sends and receives when every pool element
// renews its registration.
func updates(r *row) float64 { return 2 * each(r) * peers(r) }

func peers(r *row) float64 { return float64(r.registrars - 1) }

// pools is in how many pools there are elements that one registrar owns.
func pools(r *row) float64 { return min(each(r), float64(r.elements)/perPool) }

func one(*row) float64 { return 1 }

var laws = []law{
	{asapMessages, terms{each, probes}}, {asapBytes, terms{each, probes}},
	{enrpMessages, terms{updates, peers, one}}, {enrpBytes, terms{updates, peers, one}},
	{quietMessages, terms{peers}}, {quietBytes, terms{peers}},
	{repairBytes, terms{each, pools, one}},
}

// partBytes is how much of a table goes into one message; there is one that asks
// for each.
const partBytes = 50_000

func repairs(bytes float64) float64 { return 2 * math.Ceil(bytes/partBytes) }

type terms = []func(*row) float64

// compute prints rows for what was not measured, and how far the laws are off
// where there is a measurement.
func compute(measured, missing []*row, owner, other int) {
	if len(missing) == 0 || len(measured) < 4 {
		return
	}
	worst := 0.0
	for _, l := range laws {
		factors := l.fit(measured)
		for _, r := range measured {
			worst = max(worst, math.Abs(l.at(r, factors)/r.figures[l.figure]-1))
		}
		for _, r := range missing {
			r.figures[l.figure] = l.at(r, factors)
		}
	}
	least, most := missing[0].need, missing[0].need
	for _, r := range missing {
		r.figures[repairMessages] = repairs(r.figures[repairBytes])
		r.printWith("~", "- | -", owner, other)
		least, most = min(least, r.need), max(most, r.need)
	}
	fmt.Printf(textComputed, least>>30, most>>30, 100*worst)
}

func (l law) at(r *row, factors []float64) (sum float64) {
	for i, term := range l.terms {
		sum += factors[i] * term(r)
	}
	return sum
}

// fit finds the factors for which the sum of the squares of the relative errors
// is the least.
func (l law) fit(rows []*row) []float64 {
	n := len(l.terms)
	m := make([][]float64, n) // the normal equations
	for i := range m {
		m[i] = make([]float64, n+1)
		for _, r := range rows {
			q := r.figures[l.figure]
			for j, term := range l.terms {
				m[i][j] += l.terms[i](r) / q * term(r) / q
			}
			m[i][n] += l.terms[i](r) / q
		}
	}
	return solve(m)
}

// solve solves linear equations, of which the last column is the right side.
func solve(m [][]float64) []float64 {
	n := len(m)
	for i := range n {
		for j := i + 1; j < n; j++ {
			if math.Abs(m[j][i]) > math.Abs(m[i][i]) {
				m[i], m[j] = m[j], m[i]
			}
		}
		for j := range n {
			if f := m[j][i] / m[i][i]; j != i {
				for k := i; k <= n; k++ {
					m[j][k] -= f * m[i][k]
				}
			}
		}
	}
	out := make([]float64, n)
	for i := range out {
		out[i] = m[i][n] / m[i][i]
	}
	return out
}
