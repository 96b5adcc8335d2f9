package main

import (
	"fmt"
	"math"
	"time"
)

// row is what was measured for one size of the world.
type row struct {
	registrars, elements int
	need                 int // bytes of memory, where that is more than there is
	figures
	killed, silent time.Duration
}

// figures are of one registrar.
type figures [figureCount]float64

const (
	asapMessages = iota
	asapBytes
	enrpMessages
	enrpBytes
	quietMessages
	quietBytes
	repairMessages
	repairBytes
	figureCount
)

func (r *row) print(owner, other int) {
	r.printWith("", fmt.Sprintf("%v | %v", r.killed.Round(time.Millisecond), r.silent.Round(time.Millisecond)), owner, other)
}

func (r *row) printWith(mark, deaths string, owner, other int) {
	fmt.Printf("| %d | %s", r.registrars, thousands(r.elements))
	for _, i := range []int{asapMessages, asapBytes, enrpMessages, enrpBytes} {
		fmt.Printf(" | %s%s", mark, significant(r.figures[i]))
	}
	for _, i := range []int{quietMessages, repairMessages} {
		fmt.Printf(" | %s%s, %s B", mark, thousands(int(math.Round(r.figures[i]))), thousands(int(math.Round(r.figures[i+1]))))
	}
	fmt.Printf(" | %s | %s MB |\n", deaths, significant(float64(r.memory(owner, other))/1e6))
}

// memory is that of one registrar: what it owns, and what it knows.
func (r *row) memory(owner, other int) int {
	owned := r.elements / r.registrars
	return owned*owner + (r.elements-owned)*other
}

// significant writes three digits, or all before the point.
func significant(f float64) string {
	if f >= 100 {
		return thousands(int(math.Round(f)))
	}
	return fmt.Sprintf("%.3g", f)
}
