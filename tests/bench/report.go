package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/librserpool/librserpool/tests/go/rounds"
)

// goal is what was aimed at: a limit of the value, or of its ratio to that of another stack.
type goal struct {
	reference string // empty: the value itself
	limit     float64
}

// row is one line of a table: what was measured of all stacks.
type row struct {
	title, key string
	scale      float64 // from what the programs tell to what the table shows
	digits     int
	goals      []goal
	aim        string // a goal that this benchmark cannot judge
}

type section struct {
	title string
	rows  []row
}

const toMicroseconds, toMilliseconds, toMegabytes = 1e-3, 1e-6, 1e-6

func trips(title, key string, p50, p99, cpu []goal) []row {
	return []row{
		{title: title + ", p50", key: key + " p50", scale: toMicroseconds, digits: 1, goals: p50},
		{title: title + ", p99", key: key + " p99", scale: toMicroseconds, digits: 1, goals: p99},
		{title: title + ", processor time of both ends", key: key + " cpu", scale: toMicroseconds, digits: 1, goals: cpu},
		{title: "of it the user", key: key + " user_cpu", scale: toMicroseconds, digits: 1},
		{title: "and the element", key: key + " element_cpu", scale: toMicroseconds, digits: 1},
	}
}

func sections() []section {
	var all []row
	p50, p99, cpu := []goal{{udp, 2}, {zeromq, 0.75}}, []goal{{udp, 2}}, []goal{{udp, 4}}
	all = append(all, trips("64 B", sized("roundtrip", 64), p50, p99, cpu)...)
	all = append(all, trips("1 KiB", sized("roundtrip", 1024), p50, p99, cpu)...)
	all = append(all, trips("64 B, GOMAXPROCS=1", "roundtrip "+oneGoThread.name, nil, nil, nil)...)
	all = append(all, trips("64 B, all on one CPU", "roundtrip "+oneCPU.name, nil, nil, nil)...)
	s := []section{{"Round trip, one message under way (us)", all}}

	all = nil
	for _, n := range underWay {
		all = append(all, row{title: fmt.Sprintf("64 B, %d under way", n), key: sized("window", n) + " messages", scale: 1})
	}
	s = append(s, section{"Several messages under way in one session (messages/s)", all})
	s = append(s, section{"One way, until all has been counted (MB/s)", []row{
		{title: "1 KiB messages", key: sized("oneway", 1<<10) + " bytes", scale: toMegabytes},
		{title: "64 KiB messages", key: sized("oneway", 64<<10) + " bytes", scale: toMegabytes},
	}})
	s = append(s, section{fmt.Sprintf("%d sockets in one thread, a message of 64 B under way on each (messages/s)", crowdSockets), []row{
		{title: "rsp_poll; with the others poll(2)", key: "crowd library messages", scale: 1, aim: "0.6x of the bare engine"},
		{title: "poll(2)", key: "crowd poll messages", scale: 1, aim: "0.4x of the bare engine"},
		{title: "epoll", key: "crowd epoll messages", scale: 1, aim: "0.5x of the bare engine"},
	}})
	return append(s,
		section{"To a pool that is known to the registrar (us; with UDP a round trip)", []row{
			{title: "rsp_connect on a fresh socket, p50", key: "connect p50", scale: toMicroseconds, digits: 1, goals: []goal{{udp, 8}}},
			{title: "p99", key: "connect p99", scale: toMicroseconds, digits: 1},
			{title: "rsp_getaddrinfo from its cache, p50", key: "cached p50", scale: toMicroseconds, digits: 2, goals: []goal{{"", 1}}},
			{title: "rsp_getaddrinfo that asks the registrar, p50", key: "asked p50", scale: toMicroseconds, digits: 1},
		}},
		section{"A program that begins", []row{
			{title: "the first rsp_socket, ms", key: "first p50", scale: toMilliseconds, digits: 1, goals: []goal{{"", 15}}},
			{title: "1,000 sockets, MB resident", key: "sockets resident", scale: toMegabytes, digits: 1, goals: []goal{{"", 60}}},
			{title: "threads, with a session that is idle", key: "idle threads", scale: 1, goals: []goal{{"", 6}}},
		}})
}

func (b *bench) report(took time.Duration) string {
	var w strings.Builder
	fmt.Fprintf(&w, `# Benchmarks of the C library

Written by `+"`make bench-capi`"+` (tests/bench) %s.
All on loopback, the two ends in processes of their own; rounds in which everything had its turn: %d. Values are medians over
the rounds, and *to UDP* is the median of the ratios within the rounds: a busy machine moves the values, and much less the
ratios.

`, rounds.Machine(took), b.runs)
	if b.share < 1 {
		w.WriteString("**Quick run: plausible, not precise.**\n\n")
	}
	for _, n := range b.notes {
		fmt.Fprintf(&w, "- %s\n", n)
	}
	if len(b.notes) > 0 {
		w.WriteString("\n")
	}
	for _, s := range sections() {
		b.writeSection(&w, s)
	}
	b.writeCalls(&w)
	w.WriteString(explanation)
	return w.String()
}

// measured are the stacks of which a section has values.
func (b *bench) measured(s section) []stack {
	var those []stack
	for _, one := range b.stacks {
		for _, r := range s.rows {
			if _, ok := b.results.Median(one.name, r.key); ok {
				those = append(those, one)
				break
			}
		}
	}
	return those
}

// references are those that the library is compared with by a ratio.
func references(those []stack) []stack {
	var all []stack
	for _, s := range those {
		if s.name == udp || s.name == zeromq {
			all = append(all, s)
		}
	}
	return all
}

func (b *bench) writeSection(w *strings.Builder, s section) {
	those := b.measured(s)
	if len(those) == 0 {
		return
	}
	heads := []string{"", "goal", ""}
	for _, one := range those {
		heads = append(heads, one.title)
	}
	for _, one := range references(those) {
		heads = append(heads, "to "+one.title)
	}
	fmt.Fprintf(w, "## %s\n\n", s.title)
	writeLine(w, heads)
	fmt.Fprintf(w, "|%s\n", strings.Repeat("---|", len(heads)))
	for _, r := range s.rows {
		if _, ok := b.results.Median(library, r.key); ok {
			writeLine(w, b.cells(r, those))
		}
	}
	w.WriteString("\n")
}

func writeLine(w *strings.Builder, cells []string) {
	fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
}

func (b *bench) cells(r row, those []stack) []string {
	line := []string{r.title, r.wanted(), b.verdict(r)}
	for _, s := range those {
		v, ok := b.results.Median(s.name, r.key)
		line = append(line, rounds.Cell(v*r.scale, ok, r.digits))
	}
	for _, s := range references(those) {
		v, ok := b.results.Ratio(library, s.name, r.key)
		line = append(line, rounds.Cell(v, ok, 2))
	}
	return line
}

// wanted says what was aimed at.
func (r row) wanted() string {
	var words []string
	for _, g := range r.goals {
		text := fmt.Sprintf("%v", g.limit)
		if g.reference != "" {
			text += "x " + titleOf(g.reference)
		}
		words = append(words, text)
	}
	if len(words) == 0 {
		return r.aim
	}
	return "at most " + strings.Join(words, ", ")
}

func titleOf(name string) string {
	for _, s := range stacks {
		if s.name == name {
			return s.title
		}
	}
	return name
}

// verdict says whether the goals are reached, those that can be judged.
func (b *bench) verdict(r row) string {
	verdict := ""
	for _, g := range r.goals {
		v, ok := b.results.Median(library, r.key)
		v *= r.scale
		if g.reference != "" {
			v, ok = b.results.Ratio(library, g.reference, r.key)
		}
		switch {
		case ok && v > g.limit:
			return "missed"
		case ok:
			verdict = "reached"
		}
	}
	return verdict
}

// writeCalls writes the system calls, by kind and by name.
func (b *bench) writeCalls(w *strings.Builder) {
	if len(b.calls) == 0 {
		return
	}
	w.WriteString("## System calls per round trip of 64 B\n\n| | goal | | librserpool, user | element | UDP, user | element |\n|---|---|---|---|---|---|---|\n")
	ours, raw := b.calls[library], b.calls[udp]
	for _, k := range kinds {
		user, element := k.sum(ours.user), k.sum(ours.element)
		wanted, verdict := k.judge(max(user, element))
		fmt.Fprintf(w, "| %s | %s | %s | %.2f | %.2f | %.2f | %.2f |\n", k.title, wanted, verdict, user, element, k.sum(raw.user), k.sum(raw.element))
	}
	fmt.Fprintf(w, "\n- librserpool, user: %s\n- librserpool, element: %s\n- UDP, user: %s\n- UDP, element: %s\n\n",
		listed(ours.user), listed(ours.element), listed(raw.user), listed(raw.element))
}

// judge holds what the library does against the goal.
func (k kind) judge(calls float64) (wanted, verdict string) {
	switch {
	case !k.limited:
		return "", ""
	case calls > k.most+negligible:
		verdict = "missed"
	default:
		verdict = "reached"
	}
	if k.most == 0 {
		return "none", verdict
	}
	return fmt.Sprintf("at most %v", k.most), verdict
}

const explanation = `## What is measured

- Each program is C, built for each transport from the same lines (tests/bench/c) above what is its own: a transport_*.c. Every
  message has a number, and one that is lost ends the run.
- *librserpool* is an element and users of a pool, with the registrar as a third process, default options, and blocking calls.
- *UDP* and *kernel SCTP* are the calls of the system: sendto and recvfrom or recvmsg, which block; the users' sockets
  of UDP are connected, and SCTP's are one to many. *ZeroMQ* and *nng* are REQ and REP over TCP, which have one message under way.
- UDP holds nobody back: one way, its sender asks how far the receiver is whenever as much is under way as a default buffer
  holds, and its messages of 64 KiB are 65,507 bytes.
- Processor time is getrusage of the whole process, user and system, divided by round trips.
- *rsp_connect* has a fresh socket each time, in a process that has used the library: it looks for a registrar, asks it, and
  connects to the element.
- System calls are counted by strace at one end at a time, and what beginning and ending take is subtracted: the difference
  of a long run and a short one. A watched program is slow, so that the other end mostly waits for it. Each round trip is two
  calls of the library at each end, each of which may change the signal mask twice.
- "The bare engine" is core/bench's row of 100 associations, in [benchmarks.md](benchmarks.md).
`
