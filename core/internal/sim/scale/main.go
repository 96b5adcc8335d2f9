// Command scale measures in a simulated world what registrars cost each other
// and how quick they are, for more and more registrars and pool elements, and
// prints docs/scale.md:
//
//	go run ./core/internal/sim/scale > docs/scale.md
package main

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

func main() {
	registrars := flag.String("registrars", "3,10,30,100", "numbers of registrars")
	elements := flag.String("elements", "1000,30000,100000", "numbers of pool elements")
	entries := flag.Int("entries", 4_000_000, "leave out worlds with more entries than this (registrars times pool elements)")
	flag.Parse()

	fmt.Print(head)
	for _, n := range numbers(*elements) {
		for _, r := range numbers(*registrars) {
			if r*n > *entries {
				fmt.Printf("| %d | %s | left out: %s entries |\n", r, thousands(n), thousands(r*n))
				continue
			}
			began := time.Now()
			row, err := measure(r, n)
			if err != nil {
				fmt.Fprintf(os.Stderr, "%d registrars, %d pool elements: %v\n", r, n, err)
				os.Exit(1)
			}
			fmt.Println(row)
			fmt.Fprintf(os.Stderr, "%d registrars, %d pool elements: %.0f s\n", r, n, time.Since(began).Seconds())
		}
	}
	owner, other := memory()
	fmt.Printf(tail, owner, other)
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
