// Command figures measures what a handlespace costs, per operation and per
// element, and writes docs/reports/benchmarks-policies.md:
//
//	go run ./core/internal/handlespace/figures -o docs/reports/benchmarks-policies.md
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
)

// sizes are the elements of a pool; theirs are known for the last two.
var sizes = []int{10, 1_000, 100_000}

func main() {
	rounds := flag.Int("rounds", 1000, "how often each operation is measured at each size")
	out := flag.String("o", "", "where to write the page; standard output")
	flag.Parse()

	runtime.LockOSThread()
	page := write(results(*rounds), memory())
	if *out == "" {
		fmt.Print(page)
		return
	}
	if err := os.WriteFile(*out, []byte(page), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
