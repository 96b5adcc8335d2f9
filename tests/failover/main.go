// Failover measures how long a pool user waits for its next answer after the
// pool element that serves it is killed (SIGKILL), hangs (SIGSTOP), or is on a
// host that is silently gone (no packet comes from it any more). Elements and
// registrar are real processes, the pool user is this one. It writes the
// distribution to a file.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	bin := flag.String("bin", "build/bin", "directory of the programs")
	runs := flag.Int("runs", 30, "failures of each kind")
	out := flag.String("o", "", "file to write the distribution to")
	flag.Parse()
	dir, err := filepath.Abs(*bin)
	if err == nil {
		err = measure(dir, *runs, *out)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "failover: %v\n", err)
		os.Exit(1)
	}
}

func measure(bin string, runs int, out string) error {
	var results []result
	for _, f := range faults {
		if f.needs != nil {
			if err := f.needs(); err != nil {
				fmt.Printf("%-40s not run: %v\n", f.name, err)
				results = append(results, result{fault: f, why: err})
				continue
			}
		}
		r, err := f.run(bin, runs)
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		fmt.Println(r)
		results = append(results, r)
	}
	if out == "" {
		return nil
	}
	return os.WriteFile(out, []byte(report(results, runs)), 0o644)
}
