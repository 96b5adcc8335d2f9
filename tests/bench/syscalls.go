package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// sides are the system calls per round trip at both ends, by name.
type sides struct{ user, element map[string]float64 }

// systemCalls counts those of the library and of what it is compared with most. One
// end at a time is watched, for it becomes slow by that.
func (b *bench) systemCalls(int) error {
	if err := installed("strace", "system calls"); err != nil {
		b.note("System calls were not counted: strace is not installed; apt-get install strace.")
		return nil
	}
	dir, err := os.MkdirTemp("", "bench-capi")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	log := filepath.Join(dir, "calls")
	if _, err := b.execute(watched(log), "bench_calls", "none", "first", 1); err != nil {
		b.note(fmt.Sprintf("System calls were not counted: strace does not work here: %v.", err))
		return nil
	}
	for _, s := range stacks[:2] {
		var both sides
		if both.user, err = b.perRoundTrip(log, s, b.runWatchedUser); err != nil {
			return err
		}
		if both.element, err = b.perRoundTrip(log, s, b.runWatchedElement); err != nil {
			return err
		}
		b.calls[s.name] = both
	}
	return nil
}

// watched starts a program under strace, which is its child: the program has the
// number and the end that it has without.
func watched(log string) surroundings {
	return surroundings{name: "watched", prefix: []string{"strace", "-D", "-f", "-c", "-o", log}}
}

// perRoundTrip is what more of them add: beginning and end are in both counts.
func (b *bench) perRoundTrip(log string, s stack, run func(how surroundings, s stack, messages int) error) (map[string]float64, error) {
	few, more := b.count(1_000), b.count(1_000)+b.count(tripMessages)
	counts := map[string]float64{}
	for messages, sign := range map[int]float64{few: -1, more: 1} {
		if err := run(watched(log), s, messages); err != nil {
			return nil, err
		}
		calls, err := readCalls(log)
		if err != nil {
			return nil, err
		}
		for name, n := range calls {
			counts[name] += sign * n
		}
	}
	for name := range counts { // the program sends a tenth more, to get warm
		counts[name] /= float64(more+more/10) - float64(few+few/10)
	}
	return counts, nil
}

func (b *bench) runWatchedUser(how surroundings, s stack, messages int) error {
	address, err := b.element(s, usual)
	if err != nil {
		return err
	}
	_, err = b.execute(how, "bench_pu"+s.suffix, address, "roundtrip", 64, messages)
	return err
}

func (b *bench) runWatchedElement(how surroundings, s stack, messages int) error {
	p, address, err := b.startElement(s, how)
	if err != nil {
		return err
	}
	defer p.Kill()
	_, err = b.execute(usual, "bench_pu"+s.suffix, address, "roundtrip", 64, messages)
	return err
}

// readCalls reads the table that strace has written: share, seconds, us per call,
// calls, maybe errors, name.
func readCalls(log string) (map[string]float64, error) {
	text, err := os.ReadFile(log)
	if err != nil {
		return nil, err
	}
	calls := map[string]float64{}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) < 5 || words[len(words)-1] == "total" {
			continue
		}
		if n, err := strconv.ParseFloat(words[3], 64); err == nil {
			calls[words[len(words)-1]] = n
		}
	}
	if len(calls) == 0 {
		return nil, fmt.Errorf("strace has written no table:\n%s", text)
	}
	return calls, nil
}

// kind is a sort of system calls.
type kind struct {
	title   string
	limited bool
	most    float64 // of the library's at either end, per round trip
	names   []string
}

// Receiving and sending a message are two calls of the library in each round trip, and
// two messages.
var kinds = []kind{
	{title: "move data or wait", limited: true, most: 4, names: []string{"sendto", "sendmsg", "sendmmsg", "recvfrom",
		"recvmsg", "recvmmsg", "read", "write", "readv", "writev", "poll", "ppoll", "select", "pselect6"}},
	{title: "change the signal mask", limited: true, most: 4, names: []string{"rt_sigprocmask"}},
	{title: "futex, sleep, epoll", limited: true, most: 0, names: []string{"futex", "nanosleep", "clock_nanosleep",
		"epoll_wait", "epoll_pwait", "epoll_ctl"}},
	{title: "others", limited: true, most: 0},
}

// sum is how many of a kind there are; what no kind names is of the last.
func (k kind) sum(calls map[string]float64) float64 {
	sum := 0.0
	for name, n := range calls {
		if kindOf(name) == k.title {
			sum += n
		}
	}
	return sum
}

func kindOf(name string) string {
	for _, k := range kinds {
		if slices.Contains(k.names, name) {
			return k.title
		}
	}
	return kinds[len(kinds)-1].title
}

// listed writes the system calls by name, those that count.
func listed(calls map[string]float64) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(calls)) {
		if calls[name] >= negligible {
			words = append(words, fmt.Sprintf("%s %.2f", name, calls[name]))
		}
	}
	return strings.Join(words, ", ")
}

// negligible is what timers and the collector of garbage do now and then.
const negligible = 0.02
