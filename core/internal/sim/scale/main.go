// Command scale measures in a simulated world what registrars cost each other
// and how quick they are, for more and more registrars and pool elements, and
// prints docs/reports/scale.md:
//
//	go run ./core/internal/sim/scale > docs/reports/scale.md
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/librserpool/librserpool/core/internal/registrar"
)

func main() {
	registrars := flag.String("registrars", "3,10,30,100", "numbers of registrars")
	elements := flag.String("elements", "1000,100000,1000000", "numbers of pool elements")
	heap := flag.Int("memory", 9, "GiB that worlds may take; others are computed")
	flag.Parse()
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(int64(*heap) << 30)

	owner, other := memory()
	fmt.Print(head)
	var rows, missing []*row
	for _, n := range numbers(*elements) {
		for _, r := range numbers(*registrars) {
			if need := world(r, n, owner, other); need > *heap<<30 {
				missing = append(missing, &row{registrars: r, elements: n, need: need})
				continue
			}
			rows = append(rows, mustMeasure(r, n, registrar.Shipped()))
			rows[len(rows)-1].print(owner, other)
		}
	}
	compute(rows, missing, owner, other)
	fmt.Printf(textMemory, owner, other)
	fmt.Print(textRFC)
	for _, r := range numbers(*registrars) {
		cfg := registrar.Shipped()
		cfg.Timers = registrar.Timers{}
		mustMeasure(r, numbers(*elements)[0], cfg).print(owner, other)
	}
}

func mustMeasure(registrars, elements int, cfg registrar.Config) *row {
	began := time.Now()
	r, err := measure(registrars, elements, cfg)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%d registrars, %d pool elements: %v\n", registrars, elements, err)
		os.Exit(1)
	}
	fmt.Fprintf(os.Stderr, "%d registrars, %d pool elements: %.0f s\n", registrars, elements, time.Since(began).Seconds())
	debug.FreeOSMemory()
	return r
}

// endpointMemory is what a simulated pool element with its associations takes,
// while many of them look for another registrar at once.
const endpointMemory = 12 << 10

// world returns how many bytes a world takes, roughly.
func world(registrars, elements, owner, other int) int {
	return elements * (endpointMemory + owner + (registrars-1)*other)
}

func numbers(list string) []int {
	var out []int
	for _, s := range strings.Split(list, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			fmt.Fprintf(os.Stderr, "%q is not a list of numbers\n", list)
			os.Exit(2)
		}
		out = append(out, n)
	}
	return out
}

func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
