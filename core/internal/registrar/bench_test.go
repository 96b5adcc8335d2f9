package registrar

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// populated is a registrar with n PEs, ten to a pool, all of one process.
func populated(b *testing.B, n int) (*script, *remote) {
	s := startedWith(b, quiet)
	pe := s.connect(1, "192.0.2.1:5000")
	for i := range n {
		s.r.Step(s.now, ASAPReceived{Link: pe.link, Message: pe.offer(poolOf(i), protocol.PEID(i+1))})
	}
	s.r.Drain()
	b.ReportAllocs()
	return s, pe
}

func poolOf(i int) protocol.PoolHandle { return protocol.PoolHandle(fmt.Sprint("EchoPool", i/10)) }

func eachSize(b *testing.B, f func(b *testing.B, n int)) {
	for _, n := range []int{10, 1_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { f(b, n) })
	}
}

// BenchmarkReregistration is a whole step: checks, table, timers, response.
func BenchmarkReregistration(b *testing.B) {
	eachSize(b, func(b *testing.B, n int) {
		s, pe := populated(b, n)
		m := make([]ASAPReceived, n)
		for i := range m {
			m[i] = ASAPReceived{Link: pe.link, Message: pe.offer(poolOf(i), protocol.PEID(i+1))}
		}
		for i := 0; b.Loop(); i++ {
			s.r.Step(s.now, m[i%n])
			s.r.Drain()
		}
	})
}

// BenchmarkResolution answers for a pool of ten.
func BenchmarkResolution(b *testing.B) {
	eachSize(b, func(b *testing.B, n int) {
		s, pe := populated(b, n)
		m := make([]ASAPReceived, n)
		for i := range m {
			m[i] = ASAPReceived{Link: pe.link, Message: asap.HandleResolution{Handle: poolOf(i)}}
		}
		for i := 0; b.Loop(); i++ {
			s.r.Step(s.now, m[i%n])
			s.r.Drain()
		}
	})
}

// BenchmarkDownload is what it costs two registrars to hand over a table of
// 10,000 PEs: select, encode, decode, store.
func BenchmarkDownload(b *testing.B) {
	s, _ := populated(b, 10_000)
	v := s.meets(1, 20, "192.0.2.20:9901")
	for b.Loop() {
		newcomer := startedWith(b, quiet)
		old := newcomer.meets(1, 30, "192.0.2.30:9901")
		newcomer.r.peers.byID[30].download = &download{peer: newcomer.r.peers.byID[30]}
		newcomer.r.changes.downloads++
		for more := true; more; {
			v.says(enrp.HandleTableRequest{Route: v.route()})
			bytes, err := enrp.Append(nil, s.take()[0].(SendENRP).Message)
			if err != nil {
				b.Fatal(err)
			}
			m, _, err := enrp.Parse(bytes)
			if err != nil {
				b.Fatal(err)
			}
			part := m.(enrp.HandleTableResponse)
			more = part.More
			part.Route = old.route()
			old.says(part)
		}
		if _, n := newcomer.r.space.Len(); n != 10_000 {
			b.Fatalf("%d PEs arrived", n)
		}
	}
}

// BenchmarkMemory reports the bytes one PE takes that we supervise, and one
// that another registrar does.
func BenchmarkMemory(b *testing.B) {
	const n = 100_000
	measure := func(b *testing.B, fill func(s *script)) {
		for b.Loop() {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			s := startedWith(b, func(c *Config) { quiet(c); c.KeepAlive.Interval = 0 })
			fill(s)
			s.r.Drain()
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "B/element")
			runtime.KeepAlive(s)
		}
	}
	b.Run("ours", func(b *testing.B) {
		measure(b, func(s *script) {
			pe := s.connect(1, "192.0.2.1:5000")
			for i := range n {
				s.r.Step(s.now, ASAPReceived{Link: pe.link, Message: pe.offer(poolOf(i), protocol.PEID(i+1))})
				s.r.Drain()
			}
		})
	})
	b.Run("others", func(b *testing.B) {
		measure(b, func(s *script) {
			v := s.meets(1, 20, "192.0.2.20:9901")
			for i := range n {
				s.r.Step(s.now, ENRPReceived{Link: v.link, Message: enrp.HandleUpdate{Route: v.route(), Handle: poolOf(i), Element: owned(protocol.PEID(i+1), 20)}})
				s.r.Drain()
			}
		})
	})
}
