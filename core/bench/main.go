// Command bench measures SCTP over UDP as this project speaks it side by side
// with plain UDP, TCP, usrsctp and pion/sctp, all in one run, and writes
// docs/reports/benchmarks.md. It is a module of its own because of what it needs for
// that; from the top of the project: make bench-sctp.
//
// Every measurement has a server and a client process (and, for a link that
// loses packets, a relay process), so that the processor time of each side is
// known. Those processes are this program again (role.go, with the stacks in
// stack_*.go) and usrsctp/peer.c; they obey the commands in peer.go. The rest
// is the process that directs them: plan.go has what is measured, process.go
// the other end of the commands, report.go the tables.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"time"
)

func main() {
	if len(os.Args) > 1 {
		if run := roles[os.Args[1]]; run != nil {
			stop := profile(os.Args[1])
			err := run(os.Args[2:])
			stop()
			fatalIf(err)
			return
		}
	}
	quick := flag.Bool("quick", false, "fewer and shorter rounds: plausible, not precise (the report goes to standard output)")
	out := flag.String("o", "", "file to write the report to (default: standard output)")
	only := flag.String("stacks", "", "measure only these, separated by commas: "+strings.Join(stackNames(), ", "))
	vm := flag.String("vm", "", "program that runs a command on a kernel with SCTP (tests/vm/run): measures that SCTP there")
	values := flag.Bool("values", false, "measure what is not long, and print the bare values; for -vm")
	flag.Parse()

	begin := time.Now()
	b, err := newBench(*quick, *only)
	fatalIf(err)
	defer b.cleanUp()
	if *values {
		b.run(b.basics())
		fatalIf(b.tell(os.Stdout))
		return
	}
	b.run(b.all())
	if *vm != "" {
		b.visit(*vm)
	}
	report := b.report(time.Since(begin))
	if *out == "" {
		fmt.Print(report)
		return
	}
	fatalIf(os.WriteFile(*out, []byte(report), 0o644))
	fmt.Fprintln(os.Stderr, "wrote", *out)
}

// profile writes a CPU profile of a process to the directory that BENCH_PROFILE
// names, if it does.
func profile(role string) (stop func()) {
	dir := os.Getenv("BENCH_PROFILE")
	if dir == "" {
		return func() {}
	}
	f, err := os.Create(filepath.Join(dir, fmt.Sprintf("%s-%d.prof", role, os.Getpid())))
	fatalIf(err)
	fatalIf(pprof.StartCPUProfile(f))
	return func() {
		pprof.StopCPUProfile()
		fatalIf(f.Close())
	}
}

func fatalIf(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
