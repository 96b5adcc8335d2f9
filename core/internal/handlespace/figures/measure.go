package main

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/internal/handlespace"
	"github.com/librserpool/librserpool/core/internal/protocol"
)

// batch is how many operations are timed at once.
const batch = 200

const pool = protocol.PoolHandle("EchoPool")

type space = handlespace.Space[struct{}]
type element = handlespace.Element[struct{}]

// stand is pools of one size. Small ones are several, so that a batch hits each
// of them a few times only.
type stand struct {
	rand    *rand.Rand
	kind    protocol.PolicyType
	size    int
	drawn   uint32
	spaces  []*space
	members [][]*element
}

func newStand(kind protocol.PolicyType, size int) *stand {
	s := &stand{rand: rand.New(rand.NewPCG(1, uint64(size))), kind: kind, size: size}
	for range max(1, batch*5/size) {
		sp := handlespace.New[struct{}](s.rand)
		var in []*element
		for range size {
			el, _ := sp.Put(pool, s.draw())
			in = append(in, el)
		}
		s.spaces, s.members = append(s.spaces, sp), append(s.members, in)
	}
	return s
}

// draw makes an element up, with slices of its own, as a parser does.
func (s *stand) draw() protocol.Element {
	at := func(port uint16) protocol.Transport {
		a := netip.AddrFrom4([4]byte{10, byte(s.rand.Uint32()), byte(s.rand.Uint32()), byte(s.rand.Uint32())})
		return protocol.Transport{Protocol: protocol.SCTP, Port: port, Addrs: []netip.Addr{a}}
	}
	s.drawn++
	return protocol.Element{
		ID:   protocol.PEID(s.drawn * 0x9e3779b1), // scattered, none twice
		Home: protocol.ServerID(1 + s.rand.Uint32N(4)), Life: 300,
		User: at(7), ASAP: at(3863),
		Policy: protocol.Policy{
			Type: s.kind, Weight: 1 + s.rand.Uint32N(100), Priority: s.rand.Uint32N(100),
			Load: s.rand.Uint32(), Degradation: 1 << 24,
		},
	}
}

// churn replaces random elements by new ones: a batch of deregistrations, and
// then one of registrations.
func (s *stand) churn() (register, deregister time.Duration) {
	fresh := make([]protocol.Element, batch)
	at := make([]int, batch) // which member leaves
	for i := range batch {
		fresh[i] = s.draw()
		at[i] = i / len(s.spaces)
	}
	for m := range s.members {
		in := s.members[m]
		for i := range min((batch+len(s.spaces)-1)/len(s.spaces), len(in)) {
			j := i + s.rand.IntN(len(in)-i)
			in[i], in[j] = in[j], in[i]
		}
	}
	deregister = timed(func() {
		for i, k := range at {
			s.spaces[i%len(s.spaces)].Remove(s.members[i%len(s.spaces)][k])
		}
	})
	register = timed(func() {
		for i, k := range at {
			sp := s.spaces[i%len(s.spaces)]
			if sp.Check(pool, fresh[i]) != nil {
				panic("an element does not fit into its pool")
			}
			s.members[i%len(s.spaces)][k], _ = sp.Put(pool, fresh[i])
		}
	})
	return register, deregister
}

// choose selects k elements, a batch of times.
func (s *stand) choose(k int) time.Duration {
	var dst []*element
	return timed(func() {
		for i := range batch {
			sp := s.spaces[i%len(s.spaces)]
			dst = sp.Select(sp.Pool(pool), dst[:0], k)
			sp.Use(dst[0])
		}
	})
}

// timed returns the processor time of the thread, which other programs lengthen
// less than they do with the time of day.
func timed(f func()) time.Duration {
	before := clock()
	f()
	return clock() - before
}

func clock() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		fmt.Fprintln(os.Stderr, "clock_gettime:", err)
		os.Exit(1)
	}
	return time.Duration(ts.Nano())
}

// figure is what one operation costs at each size, in nanoseconds: half of the
// batches took less.
type figure struct {
	name string
	ns   []float64
	// rsplib is what the handlespace of RSPLIB takes at the last two sizes; of a
	// range, the lower end.
	rsplib []float64
}

func results(rounds int) []figure {
	register := figure{"register", nil, []float64{490, 2866}}
	deregister := figure{"deregister", nil, []float64{311, 3169}}
	for _, size := range sizes {
		s := newStand(protocol.RoundRobin, size)
		var in, out []time.Duration
		for range rounds {
			i, o := s.churn()
			in, out = append(in, i), append(out, o)
		}
		register.ns, deregister.ns = append(register.ns, perCall(in)), append(deregister.ns, perCall(out))
	}
	figures := []figure{register, deregister}
	for _, p := range policies {
		one := figure{"select one, " + p.name, nil, p.rsplib}
		for _, size := range sizes {
			s := newStand(p.kind, size)
			var took []time.Duration
			for range rounds {
				took = append(took, s.choose(1))
			}
			one.ns = append(one.ns, perCall(took))
		}
		figures = append(figures, one)
	}
	return figures
}

func perCall(took []time.Duration) float64 {
	slices.Sort(took)
	return float64(took[len(took)/2]) / batch
}

var policies = []struct {
	name   string
	kind   protocol.PolicyType
	rsplib []float64
}{
	{"Round Robin", protocol.RoundRobin, []float64{97, 291}},
	{"Weighted Round Robin", protocol.WeightedRoundRobin, []float64{112, 336}},
	{"Random", protocol.Random, []float64{251, 1504}},
	{"Weighted Random", protocol.WeightedRandom, []float64{248, 1508}},
	{"Priority", protocol.Priority, []float64{66, 123}},
	{"Least Used", protocol.LeastUsed, []float64{55, 97}},
	{"Least Used with Degradation", protocol.LeastUsedWithDegradation, nil},
	{"Priority Least Used", protocol.PriorityLeastUsed, nil},
	{"Randomized Least Used", protocol.RandomizedLeastUsed, []float64{249, 1533}},
}
