// Command shares lets pool users open sessions with pools of every policy, at
// a registrar and from their caches, and writes docs/reports/policies.md, which puts
// the shares of the elements beside what RFC 5356 leads one to expect:
//
//	go run ./core/internal/sim/shares -o docs/reports/policies.md
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	out := flag.String("o", "", "where to write the page; standard output")
	flag.Parse()
	if *out == "" {
		fmt.Print(page())
		return
	}
	if err := os.WriteFile(*out, []byte(page()), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
