// Command mutate asks how much the tests of a package notice. It makes
// deliberate faults in the package's files, one at a time: a condition turned
// round, a bound off by one, < for <=, && for ||, min for max, a statement left
// out, a number or a duration too large, break for continue. With each it runs
// the tests. A fault that they do not notice survives, and is shown.
//
//	go run ./tools/mutate [flags] package...
//
//	-n 100 -seed 7       a hundred faults at random, not all
//	-tests 'TestA|TestB' only these tests of the packages
//	-short               as in go test
//	-also package        run its tests too against what survives the package's own
//	-also-tests 'TestC'  only these tests of it
//	-times 5             a fault with which the tests take that many times as
//	                     long, and two seconds at least, counts as noticed
//	-j 2                 so many at once
//
// The tree is not touched: the go command is told of the faulty file by -overlay.
// A fault that does not compile does not count. One that may survive stands in
// tools/mutate/accepted.txt with the reason, for some change nothing that can be
// seen; it counts as accepted. A line there that no survivor fits is reported,
// when all faults were made.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
)

type options struct {
	sample                 int
	seed                   uint64
	tests, also, alsoTests string
	short                  bool
	times                  float64
	jobs                   int
	accepted               string
	packages               []string
}

func main() {
	var o options
	flag.IntVar(&o.sample, "n", 0, "make so many faults, drawn at random; 0: all")
	flag.Uint64Var(&o.seed, "seed", 1, "draws other faults for -n")
	flag.StringVar(&o.tests, "tests", "", "only the tests of the packages that match this")
	flag.BoolVar(&o.short, "short", false, "as in go test")
	flag.StringVar(&o.also, "also", "", "a package whose tests are run against what survives")
	flag.StringVar(&o.alsoTests, "also-tests", "", "only the tests of that package that match this")
	flag.Float64Var(&o.times, "times", 5, "how many times as long the tests may take")
	flag.IntVar(&o.jobs, "j", runtime.NumCPU(), "how many faults are tried at once")
	flag.StringVar(&o.accepted, "accepted", "tools/mutate/accepted.txt", "faults that may survive")
	flag.Parse()
	if o.packages = flag.Args(); len(o.packages) == 0 || o.jobs < 1 {
		fmt.Fprintln(os.Stderr, "usage: mutate [flags] package..., such as ./core/internal/policy")
		flag.PrintDefaults()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := mutate(ctx, o, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutate:", err)
		if exit, ok := err.(*exec.ExitError); ok {
			os.Stderr.Write(exit.Stderr)
		}
		os.Exit(1)
	}
}
