// Package sim is a simulated world of Reliable Server Pooling: the shipping
// machines of registrars, pool elements and pool users, with the shipping
// codec between them, over SCTP associations that are slow, break and come
// back, in virtual time and out of one seed. The same seed gives the same
// world, event by event.
//
// World holds time and the network, Host is one process on one machine with
// one clock. Faults are methods of the world, invariants are looked at while it
// runs, and whoever wants to read along sets Trace.
package sim

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/internal/timerq"
)

// Epoch is when every world begins.
var Epoch = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// World is one simulated world. Its methods must not be called concurrently.
type World struct {
	// Net is how its network behaves; it may be changed at any time.
	Net Profile
	// Trace, if set, is told everything that is sent and decided.
	Trace func(Line)
	// Copies, if set, says how often a message arrives, which is once with SCTP: none
	// or two stand for a registrar's mistake.
	Copies func(from, to *Host, ppid uint32, b []byte) int

	now    time.Time
	rnd    *rand.Rand
	events timerq.Queue[func()]

	serial        int // of messages sent
	conversations []*conversation

	hosts  []*Host
	byIP   map[netip.Addr]*Host
	ports  map[netip.AddrPort]*port
	cuts   map[[2]*Host]bool
	checks *checks
	broken []string // what went wrong
}

// Line is one line of a transcript.
type Line struct {
	At       time.Duration // since the beginning
	From, To string        // hosts; To is empty for what one host does or says
	Text     string
}

// NewWorld returns an empty world with a quick network.
func NewWorld(seed uint64) *World {
	return &World{
		Net:   Profile{}.orDefault(),
		now:   Epoch,
		rnd:   rand.New(rand.NewPCG(seed, 0x5253657250)),
		byIP:  map[netip.Addr]*Host{},
		ports: map[netip.AddrPort]*port{},
		cuts:  map[[2]*Host]bool{},
	}
}

// Elapsed returns how old the world is.
func (w *World) Elapsed() time.Duration { return w.now.Sub(Epoch) }

// Broken returns what went wrong so far; nothing should.
func (w *World) Broken() []string { return w.broken }

// Hosts returns all hosts in the order in which they were added.
func (w *World) Hosts() []*Host { return w.hosts }

// maxBroken is enough to understand what went wrong.
const maxBroken = 10

func (w *World) fail(format string, args ...any) {
	if len(w.broken) < maxBroken {
		w.broken = append(w.broken, fmt.Sprintf("%.3f ", w.Elapsed().Seconds())+fmt.Sprintf(format, args...))
	}
}

// maxBurst is how many events there may be at one instant: more mean that
// machines keep each other busy without end.
const maxBurst = 1_000_000

// Run lets time pass, or less of it when something went wrong.
func (w *World) Run(d time.Duration) {
	end, burst := w.now.Add(d), 0
	for {
		at, ok := w.events.Next()
		if !ok || at.After(end) || len(w.broken) > 0 {
			break
		}
		if at.After(w.now) {
			w.now, burst = at, 0
		}
		if burst++; burst > maxBurst {
			w.fail("more than %d events at one instant", maxBurst)
		}
		w.events.Due(at).Value()
	}
	w.now = end
}

func (w *World) after(d time.Duration, do func()) {
	w.events.Set(&timerq.Timer[func()]{Value: do}, w.now.Add(d))
}

// between draws from a range; it may be one value.
func (w *World) between(low, high time.Duration) time.Duration {
	if high <= low {
		return low
	}
	return low + time.Duration(w.rnd.Int64N(int64(high-low)+1))
}

func (w *World) trace(from, to *Host, format string, args ...any) {
	if w.Trace == nil {
		return
	}
	l := Line{At: w.Elapsed(), From: from.name, Text: fmt.Sprintf(format, args...)}
	if to != nil {
		l.To = to.name
	}
	w.Trace(l)
}

func (l Line) String() string {
	if l.To == "" {
		return fmt.Sprintf("%9.3f %s: %s", l.At.Seconds(), l.From, l.Text)
	}
	return fmt.Sprintf("%9.3f %s -> %s: %s", l.At.Seconds(), l.From, l.To, l.Text)
}
