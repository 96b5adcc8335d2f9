package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/librserpool/librserpool/tests/go/rounds"
)

// row is one line of a table: a measurement of all stacks.
type row struct {
	title, key string
	digits     int
	reference  string // of the ratios beside the values; empty = none
}

func (b *bench) report(took time.Duration) string {
	var w strings.Builder
	fmt.Fprintf(&w, `# Benchmarks

Written by `+"`make bench-sctp`"+` (core/bench) %s.
All on loopback, server and client in processes of their own, one run. Values are medians over rounds in which every stack
had its turn; what is in brackets is the median of the ratios within the rounds, to the stack that the row names. A busy
machine moves the values, and much less the ratios.

`, rounds.Machine(took))
	if b.quick {
		w.WriteString("**Quick run: plausible, not precise.**\n\n")
	}
	if b.missing != "" {
		fmt.Fprintf(&w, "usrsctp was not measured: %s.\n\n", b.missing)
	}
	b.goals(&w)
	b.table(&w, "Round trip, one message at a time (us)", []row{
		{"64 B, p50", key("rtt p50", 64), 1, "udp"}, {"64 B, p99", key("rtt p99", 64), 1, "udp"},
		{"1 KiB, p50", key("rtt p50", 1024), 1, "udp"}, {"1 KiB, p99", key("rtt p99", 1024), 1, "udp"},
	})
	b.table(&w, "One way, one association (MB/s; ms of processor time per MB)", []row{
		{"1 KiB messages, MB/s", key("MB/s", 1<<10), 0, "usrsctp"},
		{"sender, ms/MB", key("cpu/MB client", 1<<10), 2, ""}, {"receiver, ms/MB", key("cpu/MB server", 1<<10), 2, ""},
		{"64 KiB messages, MB/s", key("MB/s", 64<<10), 0, "usrsctp"},
		{"sender, ms/MB", key("cpu/MB client", 64<<10), 2, ""}, {"receiver, ms/MB", key("cpu/MB server", 64<<10), 2, ""},
	})
	var rows []row
	for _, n := range []int{1, 100, 1000, 10_000} {
		rows = append(rows,
			row{fmt.Sprintf("%s, messages/s", rounds.Grouped(n)), key("messages/s", n), 0, "usrsctp"},
			row{"us per message and side", key("cpu", n), 2, "usrsctp"},
			row{"of it the server", key("cpu server", n), 2, "usrsctp"},
			row{"and the client", key("cpu client", n), 2, "usrsctp"})
	}
	b.table(&w, "Echo of 64 B, one message under way on each of so many associations", rows)
	rows = nil
	for _, n := range []int{1000, 10_000} {
		rows = append(rows,
			row{fmt.Sprintf("%s idle, server process, MB", rounds.Grouped(n)), key("resident", n), 1, ""},
			row{"KiB per association", key("each", n), 1, ""},
			row{"set up one after the other, s", key("set-up", n), 1, ""})
	}
	b.table(&w, "Memory", rows)
	b.table(&w, "1 % of the datagrams lost in each direction (ms)", []row{
		{"for comparison: nothing lost, a message every ms, p99", "unharmed p99", 2, ""},
		{"a message every ms, p50", "paced p50", 2, ""}, {"a message every ms, p99", "paced p99", 2, "usrsctp"},
		{"one message at a time, p99", "lone p99", 2, "usrsctp"}, {"one at a time, rounds/s", "lone rounds/s", 0, "usrsctp"},
	})
	b.reportMachine(&w)
	w.WriteString(notes)
	return w.String()
}

// reportMachine has a small table of its own for what was measured elsewhere.
func (b *bench) reportMachine(w *strings.Builder) {
	m := b.machine
	switch {
	case m == nil:
		return
	case m.missing != "":
		fmt.Fprintf(w, "The kernel's SCTP was not measured: %s.\n\n", m.missing)
		return
	}
	there := &bench{stacks: m.Stacks, results: m.Results}
	var rows []row
	for _, size := range []int{64, 1024} {
		rows = append(rows, row{fmt.Sprintf("round trip of %d B, p50, us", size), key("rtt p50", size), 0, "kernel"})
	}
	for _, size := range []int{1, 64} {
		rows = append(rows, row{fmt.Sprintf("one way, %d KiB messages, MB/s", size), key("MB/s", size<<10), 1, "kernel"})
	}
	for _, n := range []int{1, 100} {
		rows = append(rows,
			row{fmt.Sprintf("echo of 64 B on %d, messages/s", n), key("messages/s", n), 0, "kernel"},
			row{"us of processor time per message and side", key("cpu", n), 1, "kernel"})
	}
	there.table(w, fmt.Sprintf("In a virtual machine whose kernel has SCTP (Linux %s on %s)", m.Kernel, m.CPU), rows)
	w.WriteString(`The processor of that machine may be emulated: compare these values with each other, and with nothing above. *kernel SCTP*
is core/internal/transport/kernel, without UDP. Emulation makes a program's own instructions dearer than what the kernel does in few.

`)
}

const notes = `## What is measured

- *UDP* and *TCP* are Go's net package: what the same work costs without SCTP. UDP repairs no loss; its one-way row counts
  what arrived, and its datagrams of 64 KiB are 65,507 bytes. TCP has a length in front of each message.
- *librserpool* is core/internal/transport/userland with its defaults. A message is read where the readable hook is called.
- *usrsctp* is Debian's library with a C program of ours (core/bench/usrsctp/peer.c) that works in the receive callback.
- *pion/sctp* has one goroutine per association that reads, behind pion's UDP listener.
- The server is one endpoint; every association comes from an endpoint with a UDP port of its own, as from programs of their
  own. Only usrsctp has one UDP port per process, and takes all of the client's packets from one socket. With pion/sctp
  10,000 associations are left out: they need over a gigabyte.
- Processor time is getrusage of the process, user and system, and includes the client's own bookkeeping. A round trip is two
  messages, each with two sides.
- Loss is made by a relay process. With a message every ms what is lost is noticed by what follows it; with one message at a
  time only by a timer: librserpool resends once after 6 ms, the retransmission timeout's floor is 100 ms here and a second
  in RFC 9260 and usrsctp. Where p99 is high without any loss, it is the machine that was busy.
`

// goal is what was aimed at.
type goal struct {
	title, want, unit string
	digits            int
	reach             float64
	atLeast           bool
	value             func(r rounds.Results) (float64, bool)
}

func of(what string) func(rounds.Results) (float64, bool) {
	return func(r rounds.Results) (float64, bool) { return r.Median("ours", what) }
}

func ratioOf(reference, what string) func(rounds.Results) (float64, bool) {
	return func(r rounds.Results) (float64, bool) { return r.Ratio("ours", reference, what) }
}

var goals = []goal{
	{"round trip of 64 B, p50", "at most 1.5 times UDP's", "x", 2, 1.5, false, ratioOf("udp", key("rtt p50", 64))},
	{"processor time per 64 B message, 100 associations", "at most usrsctp's", "x", 2, 1, false, ratioOf("usrsctp", key("cpu", 100))},
	{"one way, 64 KiB messages", "at least 400 MB/s", " MB/s", 0, 400, true, of(key("MB/s", 64<<10))},
	{"p99 at 1 % loss, a message every ms", "below 10 ms", " ms", 2, 10, false, of("paced p99")},
	{"p99 at 1 % loss, one message at a time", "below 10 ms", " ms", 2, 10, false, of("lone p99")},
	{"10,000 idle associations, server process", "below 60 MB", " MB", 1, 60, false, of(key("resident", 10_000))},
}

func (b *bench) goals(w *strings.Builder) {
	w.WriteString("| goal of librserpool | wanted | measured | |\n|---|---|---|---|\n")
	for _, g := range goals {
		v, ok := g.value(b.results)
		measured, verdict := "not in this run", ""
		if ok {
			measured, verdict = fmt.Sprintf("%.*f%s", g.digits, v, g.unit), "missed"
			if v <= g.reach != g.atLeast || v == g.reach {
				verdict = "reached"
			}
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s |\n", g.title, g.want, measured, verdict)
	}
	w.WriteString("\n")
}

func (b *bench) table(w *strings.Builder, title string, rows []row) {
	fmt.Fprintf(w, "## %s\n\n| |", title)
	for _, s := range b.stacks {
		fmt.Fprintf(w, " %s |", titleOf(s))
	}
	fmt.Fprintf(w, "\n|---|%s\n", strings.Repeat("---|", len(b.stacks)))
	for _, r := range rows {
		reference := r.reference
		if reference == "usrsctp" && b.usrsctp == "" {
			reference = ""
		}
		title := r.title
		if reference != "" {
			title += " [to " + titleOf(reference) + "]"
		}
		line, any := "| "+title+" |", false
		for _, s := range b.stacks {
			v, ok := b.results.Median(s, r.key)
			any = any || ok
			line += " " + rounds.Cell(v, ok, r.digits)
			if q, ok := b.results.Ratio(s, reference, r.key); ok && reference != "" && s != reference {
				line += fmt.Sprintf(" [%.2f]", q)
			}
			line += " |"
		}
		if any {
			fmt.Fprintln(w, line)
		}
	}
	w.WriteString("\n")
}

func titleOf(name string) string {
	for _, s := range stacks {
		if s.name == name {
			return s.title
		}
	}
	return name
}
