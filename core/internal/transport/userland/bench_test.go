package userland_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/transport"
	"github.com/librserpool/librserpool/core/internal/transport/userland"
)

var onLoopback = netip.MustParseAddrPort("127.0.0.1:0")

// party is one end of a benchmark: what it receives goes to take.
type party struct {
	*userland.Endpoint
	buf   []byte
	up    atomic.Int32
	spare chan struct{}
}

func newParty(tb testing.TB, take func(p *party, id assoc.ID, b []byte)) *party {
	e, err := userland.Listen(transport.Config{Local: []netip.AddrPort{onLoopback}})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { e.Close() })
	p := &party{Endpoint: e, buf: make([]byte, 1<<20), spare: make(chan struct{}, 1)}
	var info assoc.RecvInfo
	e.Notify(func() {
		for {
			n, err := e.Recv(p.buf, &info)
			switch {
			case err != nil:
				return
			case info.Kind == assoc.Message:
				take(p, info.Assoc, p.buf[:n])
			case info.Kind == assoc.CommUp:
				p.up.Add(1)
			}
		}
	}, func(assoc.ID) {
		select {
		case p.spare <- struct{}{}:
		default:
		}
	})
	return p
}

// dial opens an association and waits for it.
func (p *party) dial(tb testing.TB, to *party) assoc.ID {
	before := p.up.Load()
	id, err := p.Connect(to.LocalAddrs(), nil)
	if err != nil {
		tb.Fatal(err)
	}
	for p.up.Load() == before {
		time.Sleep(100 * time.Microsecond)
	}
	return id
}

// push sends one message, waiting for room.
func (p *party) push(tb testing.TB, id assoc.ID, b []byte) {
	info := assoc.SendInfo{Assoc: id}
	for {
		err := p.Send(b, &info)
		if err == nil || errors.Is(err, assoc.ErrNotConnected) || errors.Is(err, net.ErrClosed) {
			return // the latter at the end, when peers close
		}
		if !errors.Is(err, assoc.ErrWouldBlock) {
			tb.Fatal(err)
		}
		<-p.spare
	}
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkUDPEcho is what BenchmarkEcho has to be held against: the same
// round trip over plain UDP sockets.
func BenchmarkUDPEcho(b *testing.B) {
	listen := func() *net.UDPConn {
		c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(onLoopback))
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { c.Close() })
		return c
	}
	server, client := listen(), listen()
	go func() {
		buf := make([]byte, 2000)
		for {
			n, from, err := server.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			server.WriteToUDPAddrPort(buf[:n], from)
		}
	}()
	buf := make([]byte, 2000)
	to := server.LocalAddr().(*net.UDPAddr).AddrPort()
	b.ReportAllocs()
	for b.Loop() {
		client.WriteToUDPAddrPort(buf[:64], to)
		client.ReadFromUDPAddrPort(buf)
	}
}

// BenchmarkEcho is one message there and back, one at a time. The client's
// next message is sent where the answer to the last one arrives.
func BenchmarkEcho(b *testing.B) {
	for _, size := range []int{64, 1024} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			server := newParty(b, func(p *party, id assoc.ID, m []byte) { p.push(b, id, m) })
			left := 0
			done := make(chan struct{})
			client := newParty(b, func(p *party, id assoc.ID, m []byte) {
				if left--; left == 0 {
					close(done)
					return
				}
				p.push(b, id, m)
			})
			id := client.dial(b, server)
			b.ReportAllocs()
			b.ResetTimer()
			left = b.N
			client.push(b, id, make([]byte, size))
			<-done
		})
	}
}

// BenchmarkEchoBlocking is BenchmarkEcho for a client whose caller waits on a
// goroutine of its own.
func BenchmarkEchoBlocking(b *testing.B) {
	server := newParty(b, func(p *party, id assoc.ID, m []byte) { p.push(b, id, m) })
	answer := make(chan struct{}, 1)
	client := newParty(b, func(*party, assoc.ID, []byte) { answer <- struct{}{} })
	id := client.dial(b, server)
	message := make([]byte, 64)
	b.ReportAllocs()
	for b.Loop() {
		client.push(b, id, message)
		<-answer
	}
}

// BenchmarkEchoMany has one message under way on each of many associations.
func BenchmarkEchoMany(b *testing.B) {
	for _, count := range []int{100, 1000} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			server := newParty(b, func(p *party, id assoc.ID, m []byte) { p.push(b, id, m) })
			var left atomic.Int64
			done := make(chan struct{})
			clients := make([]*party, count)
			ids := make([]assoc.ID, count)
			for i := range clients {
				clients[i] = newParty(b, func(p *party, id assoc.ID, m []byte) {
					switch n := left.Add(-1); {
					case n == 0:
						close(done)
					case n > 0:
						p.push(b, id, m)
					}
				})
				ids[i] = clients[i].dial(b, server)
			}
			message := make([]byte, 64)
			b.ReportAllocs()
			b.ResetTimer()
			left.Store(int64(b.N))
			cpu := cpuTime()
			var start sync.WaitGroup
			for i, c := range clients {
				start.Go(func() { c.push(b, ids[i], message) })
			}
			start.Wait()
			<-done
			// Two messages per round, each handled by a sender and a receiver.
			b.ReportMetric(float64(cpuTime()-cpu)/float64(b.N)/2/1000, "cpu-us/msg")
		})
	}
}

// BenchmarkOneWay is bulk in one direction.
func BenchmarkOneWay(b *testing.B) {
	for _, size := range []int{1024, 64 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			left := 0
			done := make(chan struct{})
			server := newParty(b, func(_ *party, _ assoc.ID, m []byte) {
				if left--; left == 0 {
					close(done)
				}
			})
			client := newParty(b, func(*party, assoc.ID, []byte) {})
			id := client.dial(b, server)
			message := make([]byte, size)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			b.ResetTimer()
			left = b.N
			for range b.N {
				client.push(b, id, message)
			}
			<-done
		})
	}
}
