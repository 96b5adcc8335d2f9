package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/librserpool/librserpool/core/internal/handlespace"
	"github.com/librserpool/librserpool/core/internal/protocol"
)

// memory returns the bytes that an element takes in a pool of each size, with its
// addresses and its share of all tables.
func memory() map[int]int {
	out := map[int]int{}
	for _, size := range sizes {
		s := newStand(protocol.RoundRobin, 1)
		sp := handlespace.New[struct{}](s.rand)
		before := heap()
		const n = 100_000
		for i := range n {
			sp.Put(protocol.PoolHandle(fmt.Sprint(pool, i/size)), s.draw())
		}
		out[size] = (heap() - before) / n
		runtime.KeepAlive(sp)
	}
	return out
}

func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

func write(figures []figure, memory map[int]int) string {
	var b strings.Builder
	load, _ := os.ReadFile("/proc/loadavg") // empty elsewhere
	fmt.Fprintf(&b, head, time.Now().Format("January 2006"), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), strings.Join(strings.Fields(string(load))[:1], ""))
	for _, f := range figures {
		fmt.Fprintf(&b, "| %s |", f.name)
		for i := range sizes {
			fmt.Fprintf(&b, " %.0f |", f.ns[i])
		}
		if f.rsplib == nil {
			b.WriteString(" | | |\n")
			continue
		}
		fmt.Fprintf(&b, " %.0f | %.0f | %.1f, %.1f |\n", f.rsplib[0], f.rsplib[1], f.rsplib[0]/f.ns[1], f.rsplib[1]/f.ns[2])
	}
	b.WriteString(space0)
	for _, size := range sizes {
		fmt.Fprintf(&b, "| %d | %d |\n", size, memory[size])
	}
	b.WriteString(tail)
	return b.String()
}

const head = `# What a handlespace costs

Written by ` + "`make bench-policies`" + ` (core/internal/handlespace/figures), %s: %s/%s, %d CPUs, %s, load average %s at the end.

Nanoseconds of processor time for one operation, in a pool of so many elements: the median of batches. Selection is
that of a registrar for a handle resolution with one element in its answer, and moves the policy's state on. Elements
have two transports with an address each, random identifiers, weights, priorities and loads; those that are deregistered
are drawn at random.

The last columns are RSPLIB's handlespace in C, for pools of 1,000 and 100,000 elements, and how many times it takes
as long. They were measured elsewhere at another time, and are no better than that: a factor, not a percentage. The aim
is 2; a row with less misses it.

| | 10 | 1,000 | 100,000 | RSPLIB 1,000 | RSPLIB 100,000 | times as long |
|---|---|---|---|---|---|---|
`

const space0 = `
## Memory

Bytes of an element with its addresses and its share of all tables, in a handlespace of 100,000; RSPLIB needs 528.

| elements in a pool | bytes of each |
|---|---|
`

const tail = `
## Why it does not grow

Round Robin turns a ring: O(1). Random draws from a slice: O(1). The weighted random policies keep sums of weights in a
Fenwick tree, the others a heap of four children by priority, load or place on the line, whose keys lie in the
heap itself: O(log n). What is left of growth with the pool is that the processor's caches hold less of it.
`
