package handlespace

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

func BenchmarkOneSelect(b *testing.B) {
	for _, kind := range []protocol.PolicyType{protocol.RoundRobin, protocol.WeightedRoundRobin, protocol.Random, protocol.WeightedRandom, protocol.Priority, protocol.LeastUsed, protocol.LeastUsedWithDegradation, protocol.PriorityLeastUsed, protocol.RandomizedLeastUsed} {
		for _, n := range sizes {
			b.Run(fmt.Sprintf("%v/%d", kind, n), func(b *testing.B) {
				s := newSpace()
				r := rand.New(rand.NewPCG(1, 2))
				for i := range n {
					e := pe(protocol.PEID(r.Uint32()), 1)
					e.Policy = protocol.Policy{Type: kind, Weight: 1 + r.Uint32N(100), Priority: r.Uint32N(100), Load: r.Uint32(), Degradation: 1 << 20}
					s.Put("pool", e)
					_ = i
				}
				p := s.Pool("pool")
				var dst []*Element[int]
				for b.Loop() {
					dst = s.Select(p, dst[:0], 1)
				}
			})
		}
	}
}

func BenchmarkOneRegister(b *testing.B) {
	for _, n := range sizes {
		for _, what := range []string{"register", "deregister"} {
			b.Run(fmt.Sprintf("%s/%d", what, n), func(b *testing.B) {
				s := newSpace()
				r := rand.New(rand.NewPCG(1, 2))
				for range n {
					s.Put("pool", pe(protocol.PEID(r.Uint32()), 1))
				}
				var els []*Element[int]
				es := make([]protocol.Element, 1000)
				b.ResetTimer()
				b.StopTimer()
				for i := 0; i < b.N; i += len(es) {
					m := min(len(es), b.N-i)
					for j := range es {
						es[j] = pe(protocol.PEID(r.Uint32()), 1)
					}
					els = els[:0]
					if what == "register" {
						b.StartTimer()
					}
					for j := range m {
						el, _ := s.Put("pool", es[j])
						els = append(els, el)
					}
					b.StopTimer()
					if what == "deregister" {
						b.StartTimer()
					}
					for _, el := range els {
						s.Remove(el)
					}
					b.StopTimer()
				}
			})
		}
	}
}
