package main

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"
)

// result is what was measured of one fault.
type result struct {
	fault
	times []time.Duration
	why   error // it was not run
}

// at returns the time that a share of the runs did not exceed.
func (r result) at(share float64) time.Duration {
	sorted := slices.Sorted(slices.Values(r.times))
	return sorted[min(int(share*float64(len(sorted))), len(sorted)-1)]
}

func (r result) String() string {
	return fmt.Sprintf("%-40s %d runs: min %s, median %s, 95 %% %s, max %s (target %s)", r.name, len(r.times),
		round(r.at(0)), round(r.at(0.5)), round(r.at(0.95)), round(r.at(1)), r.target)
}

func round(d time.Duration) string {
	if d < 100*time.Millisecond {
		return fmt.Sprintf("%.1f ms", float64(d)/1e6)
	}
	return fmt.Sprintf("%.0f ms", float64(d)/1e6)
}

const preface = `# How long a failover takes

Measured by ` + "`make bench-failover`" + `: a registrar and three elements (the C program
` + "`echo_pe`" + `) as processes, and a pool user that asks, in a session with default
options that has stood for about half a second. The element that serves the
session fails; as soon as it has, which is when the process has ended, has been
stopped, or when the route is closed, the pool user asks, and the time until the
answer is taken, which another element gives. Elements on a host that is gone run
in network namespaces, whose packets are dropped from then on without an error to
anybody.

| failure | runs | min | median | 95 % | max | target |
|---|---|---|---|---|---|---|
`

func report(results []result, runs int) string {
	var b strings.Builder
	b.WriteString(preface)
	for _, r := range results {
		if r.why != nil {
			fmt.Fprintf(&b, "| %s | not run: %v | | | | | %v |\n", r.name, r.why, r.target)
			continue
		}
		fmt.Fprintf(&b, "| %s | %d | %s | %s | %s | %s | < %v |\n", r.name, len(r.times),
			round(r.at(0)), round(r.at(0.5)), round(r.at(0.95)), round(r.at(1)), r.target)
	}
	fmt.Fprintf(&b, "\n%s, %d CPUs, %s, %s.\n", runtime.GOOS+"/"+runtime.GOARCH, runtime.NumCPU(), runtime.Version(), time.Now().Format("January 2006"))
	b.WriteString("\nAll times in milliseconds:\n")
	for _, r := range results {
		if r.why != nil {
			continue
		}
		fmt.Fprintf(&b, "\n- %s:", r.name)
		for _, d := range slices.Sorted(slices.Values(r.times)) {
			fmt.Fprintf(&b, " %.1f", float64(d)/1e6)
		}
		b.WriteString("\n")
	}
	b.WriteString(mistakes)
	return b.String()
}

const mistakes = `
## Failovers by mistake

The same timing must bear loss. ` + "`make sim-loss DAYS=6`" + ` simulates sessions that lose 5 % of the packets in each
direction, chosen independently, in virtual time with the library's SCTP and what sockets set: round trips of
1, 20 and 100 ms, an exchange of messages every 0.1, 1 and 10 s. The aim is less than one false failover per session
and day; in 6 days each, 54 in all, there was none. The test TestFalseFailovers plays shorter ones.
`
