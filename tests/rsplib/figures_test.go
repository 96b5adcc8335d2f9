package rsplib

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// timings are what was measured of one kind of registrar.
type timings struct{ tables, answers, takeovers []time.Duration }

const measurement = `Written by ` + "`make bench-rsplib`" + `: registrars of this library and of RSPLIB 3.4.4, as Debian 12 packages it, in one run
over the SCTP of one kernel, each as a process on a host of its own (a network namespace).%s

| | ours: median (min to max) | RSPLIB: median (min to max) | ours / RSPLIB |
|---|---|---|---|
`

const explanation = `
A registrar joins one of its own kind, its static peer, which has %s PEs. *Table* is from its mentor's first message to the
last part, by what it prints; *first answer* from the start of its process until it names elements of a pool, for which it is
asked all the time. RSPLIB's waits for 5 s before it says anything to a static peer. Its registrars are told not to send
keep-alives meanwhile, of which they send 2,000 a second to 10,000 PEs by default; and the one that joins prints two lines per
part of the table (level 4), which is among what is measured. Ours have compat=rsplib, so that they do not begin to give PEs to
the one that joins. *Takeover*: one of three registrars of a kind hangs (SIGSTOP), with the timers that both have by default;
until both others, asked every 50 ms, name new homes for its elements. What was measured while the machine stood still for
half a second counts for neither.
`

// figuresText is the part of docs/reports/benchmarks-enrp.md.
func figuresText(ours, theirs timings, pes int) string {
	var b strings.Builder
	fmt.Fprintf(&b, measurement, emulation())
	b.WriteString(figureRow("table", ours.tables, theirs.tables))
	b.WriteString(figureRow("first answer", ours.answers, theirs.answers))
	b.WriteString(figureRow("takeover", ours.takeovers, theirs.takeovers))
	fmt.Fprintf(&b, explanation, thousands(pes))
	fmt.Fprintf(&b, "\n%s/%s, %d CPUs, %s, %s.\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), time.Now().Format("January 2006"))
	return b.String()
}

// emulation is what to say about a processor that is not one.
func emulation() string {
	if cpu, err := os.ReadFile("/proc/cpuinfo"); err == nil && strings.Contains(string(cpu), "QEMU") {
		return " The processor was\nan emulated one (QEMU's TCG) and slow: the ratios count, not the times."
	}
	return ""
}

// thousands writes a number as people do.
func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}

func figureRow(name string, ours, theirs []time.Duration) string {
	ratio := "-"
	if len(ours) > 0 && len(theirs) > 0 {
		ratio = fmt.Sprintf("%.2f", median(ours).Seconds()/median(theirs).Seconds())
	}
	return fmt.Sprintf("| %s | %s | %s | %s |\n", name, spread(ours), spread(theirs), ratio)
}

func spread(all []time.Duration) string {
	if len(all) == 0 {
		return "not measured"
	}
	return fmt.Sprintf("%.2f s (%.2f to %.2f, %d runs)",
		median(all).Seconds(), slices.Min(all).Seconds(), slices.Max(all).Seconds(), len(all))
}

// median is the lower one of an even number.
func median(all []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(all))[(len(all)-1)/2]
}

func TestFigures(t *testing.T) {
	const s = time.Second
	got := figuresText(timings{tables: []time.Duration{3 * s, s, 2 * s}}, timings{tables: []time.Duration{9 * s, 4 * s}, answers: []time.Duration{s}}, 10_500)
	for _, want := range []string{
		"| table | 2.00 s (1.00 to 3.00, 3 runs) | 4.00 s (4.00 to 9.00, 2 runs) | 0.50 |\n",
		"| first answer | not measured | 1.00 s (1.00 to 1.00, 1 runs) | - |\n",
		"| takeover | not measured | not measured | - |\n",
		"which has 10,500 PEs",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the page lacks\n%s\nin\n%s", want, got)
		}
	}
}
