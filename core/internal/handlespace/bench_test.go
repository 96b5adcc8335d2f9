package handlespace

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

var sizes = []int{10, 1_000, 100_000}

// filled is a handlespace of n elements, in pools of ten.
func filled(n int) (*Space[int], []protocol.PoolHandle) {
	s := newSpace()
	handles := make([]protocol.PoolHandle, (n+9)/10)
	for i := range handles {
		handles[i] = protocol.PoolHandle(fmt.Sprint("EchoPool", i))
	}
	for i := range n {
		s.Put(handles[i/10], pe(protocol.PEID(i), 1))
	}
	return s, handles
}

func eachSize(b *testing.B, f func(b *testing.B, n int)) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			f(b, n)
		})
	}
}

// BenchmarkRegister adds an element to, and takes it out of, a handlespace of
// the given size.
func BenchmarkRegister(b *testing.B) {
	eachSize(b, func(b *testing.B, n int) {
		s, handles := filled(n)
		e := pe(0xffffffff, 1)
		for i := 0; b.Loop(); i++ {
			h := handles[i%len(handles)]
			if s.Check(h, e) != nil {
				b.Fatal("does not fit")
			}
			el, _ := s.Put(h, e)
			s.Remove(el)
		}
	})
}

func BenchmarkReregister(b *testing.B) {
	eachSize(b, func(b *testing.B, n int) {
		s, handles := filled(n)
		for i := 0; b.Loop(); i++ {
			id := i % n
			s.Put(handles[id/10], pe(protocol.PEID(id), 1))
		}
	})
}

func BenchmarkSelectTen(b *testing.B) {
	eachSize(b, func(b *testing.B, n int) {
		s, handles := filled(n)
		var dst []*Element[int]
		for i := 0; b.Loop(); i++ {
			dst = s.Select(s.Pool(handles[i%len(handles)]), dst[:0], 10)
		}
	})
}

// BenchmarkMemory reports the bytes one element takes in a pool of its size.
func BenchmarkMemory(b *testing.B) {
	for _, perPool := range []int{10, 10_000} {
		b.Run(fmt.Sprintf("pools of %d", perPool), func(b *testing.B) {
			const n = 100_000
			for b.Loop() {
				var before, after runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&before)
				s := newSpace()
				for i := range n {
					e := pe(protocol.PEID(i), 1)
					e.User.Addrs = append(e.User.Addrs[:0:0], e.User.Addrs...)
					e.ASAP = e.User
					e.ASAP.Addrs = append(e.User.Addrs[:0:0], e.User.Addrs...)
					s.Put(protocol.PoolHandle(fmt.Sprint("EchoPool", i/perPool)), e)
				}
				runtime.GC()
				runtime.ReadMemStats(&after)
				b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "B/element")
				runtime.KeepAlive(s)
			}
		})
	}
}
