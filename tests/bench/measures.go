package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// measure is one subject of the benchmark.
type measure struct {
	name string
	once bool // and not in every round
	run  func(b *bench, round int) error
}

var measures = []measure{
	{name: "roundtrip", run: (*bench).roundTrips},
	{name: "window", run: (*bench).windows},
	{name: "oneway", run: (*bench).oneWay},
	{name: "crowd", run: (*bench).crowds},
	{name: "connect", run: (*bench).connects},
	{name: "lookup", run: (*bench).lookups},
	{name: "begin", run: (*bench).beginnings},
	{name: "syscalls", once: true, run: (*bench).systemCalls},
}

func measureNames() []string {
	var names []string
	for _, m := range measures {
		names = append(names, m.name)
	}
	return names
}

// measure measures everything, or only one subject.
func (b *bench) measure(only string) error {
	if only != "" && !slices.Contains(measureNames(), only) {
		return fmt.Errorf("there is no measure %q; choose one of: %s", only, strings.Join(measureNames(), ", "))
	}
	for _, m := range measures {
		if only != "" && m.name != only {
			continue
		}
		begin, runs := time.Now(), b.runs
		if m.once {
			runs = 1
		}
		for round := range runs {
			if err := m.run(b, round); err != nil {
				return fmt.Errorf("%s: %w", m.name, err)
			}
		}
		fmt.Fprintf(os.Stderr, "%-12s %5.1f s\n", m.name, time.Since(begin).Seconds())
	}
	return nil
}

// each visits the stacks in an order that moves on with the rounds.
func (b *bench) each(round int, visit func(stack) error) error {
	for i := range b.stacks {
		if err := visit(b.stacks[(i+round)%len(b.stacks)]); err != nil {
			return err
		}
	}
	return nil
}

// keep keeps values, each under what was measured and its own name.
func (b *bench) keep(s, what string, v values) {
	for name, value := range v {
		b.results.Add(s, what+" "+name, value)
	}
}

const tripMessages = 10_000

var sizes = []int{64, 1024}

func sized(what string, size int) string { return fmt.Sprint(what, " ", size) }

func (b *bench) roundTrips(round int) error {
	for _, size := range sizes {
		if err := b.roundTrip(round, sized("roundtrip", size), usual, size); err != nil {
			return err
		}
	}
	if err := b.roundTrip(round, "roundtrip "+oneGoThread.name, oneGoThread, 64); err != nil {
		return err
	}
	if err := installed("taskset", oneCPU.name); err != nil {
		if round == 0 {
			b.note("Round trips on one CPU were not measured: " + err.Error() + ".")
		}
		return nil
	}
	return b.roundTrip(round, "roundtrip "+oneCPU.name, oneCPU, 64)
}

// roundTrip measures those of all stacks, with the processor time of both ends.
func (b *bench) roundTrip(round int, what string, how surroundings, size int) error {
	return b.each(round, func(s stack) error {
		v, err := b.user(s, how, "roundtrip", size, b.count(tripMessages))
		if err != nil {
			return err
		}
		v["cpu"] = v["user_cpu"] + v["element_cpu"]
		b.keep(s.name, what, v)
		return nil
	})
}

var underWay = []int{16, 64}

func (b *bench) windows(round int) error {
	for _, n := range underWay {
		err := b.eachStream(round, func(s stack) error {
			v, err := b.user(s, usual, "window", 64, b.count(50_000), n)
			b.keep(s.name, sized("window", n), v)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// eachStream leaves out the stacks that have one message under way at most.
func (b *bench) eachStream(round int, visit func(stack) error) error {
	return b.each(round, func(s stack) error {
		if s.alternates {
			return nil
		}
		return visit(s)
	})
}

// streams are the messages that go one way: their size, and how many.
var streams = []struct{ size, messages int }{{1 << 10, 100_000}, {64 << 10, 5_000}}

func (b *bench) oneWay(round int) error {
	for _, t := range streams {
		err := b.eachStream(round, func(s stack) error {
			v, err := b.user(s, usual, "oneway", t.size, b.count(t.messages))
			b.keep(s.name, sized("oneway", t.size), v)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// waits are how sockets are waited for: "library" is rsp_poll, and with the others poll.
var waits = []string{"library", "poll", "epoll"}

const crowdSockets = 100

func (b *bench) crowds(round int) error {
	for _, how := range waits {
		err := b.eachStream(round, func(s stack) error {
			v, err := b.user(s, usual, "crowd", b.count(50_000), crowdSockets, how)
			b.keep(s.name, "crowd "+how, v)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// connects measures raw round trips as well: what connecting is compared with.
func (b *bench) connects(int) error {
	v, err := b.callLibrary("connect", b.count(100))
	if err != nil {
		return err
	}
	b.keep(library, "connect", v)
	raw, err := b.user(stacks[1], usual, "roundtrip", 64, b.count(tripMessages))
	b.keep(udp, "connect", raw)
	return err
}

func (b *bench) lookups(int) error {
	for what, times := range map[string]int{"cached": 10_000, "asked": 1_000} {
		v, err := b.callLibrary(what, b.count(times))
		if err != nil {
			return err
		}
		b.keep(library, what, v)
	}
	return nil
}

func (b *bench) beginnings(int) error {
	for what, number := range map[string]int{"first": 1, "sockets": 1000, "idle": 10} {
		v, err := b.callLibrary(what, number)
		if err != nil {
			return err
		}
		b.keep(library, what, v)
	}
	return nil
}
