// Bench measures what a C program sees of the library: round trips, streams of
// messages, many sockets at once, connecting, looking up, beginning; and beside it
// the same work with plain sockets of UDP and of the kernel's SCTP, with ZeroMQ and
// with nng, where they are. The programs that talk are c/bench_pe.c and c/bench_pu.c,
// built for each of these, and c/bench_calls.c; registrar and all are real processes
// on loopback. It fails when one of them does not run through, or loses a message.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	build := flag.String("build", "build", "directory of the build")
	runs := flag.Int("runs", 5, "rounds, in which everything has its turn")
	share := flag.Float64("share", 1, "send this part of the messages only: plausible, not precise")
	only := flag.String("only", "", "measure only one of: "+strings.Join(measureNames(), ", "))
	out := flag.String("o", "", "file to write the report to (default: standard output)")
	flag.Parse()
	dir, err := filepath.Abs(*build)
	if err == nil {
		err = run(&bench{build: dir, runs: *runs, share: *share}, *only, *out)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

func run(b *bench, only, out string) error {
	begin := time.Now()
	defer b.close()
	if err := b.open(); err != nil {
		return err
	}
	if err := b.measure(only); err != nil {
		return err
	}
	page := b.report(time.Since(begin))
	if out == "" {
		fmt.Print(page)
		return nil
	}
	return os.WriteFile(out, []byte(page), 0o644)
}
