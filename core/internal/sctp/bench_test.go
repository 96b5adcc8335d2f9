package sctp

import (
	"net/netip"
	"testing"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// wire carries packets between two endpoints at once.
type wire struct {
	ends  [2]*Endpoint
	addrs [2]netip.AddrPort
	out   Packet
	buf   []byte
}

func newWire(b testing.TB) (*wire, assoc.ID) {
	w := &wire{buf: make([]byte, 1<<20)}
	for i := range w.ends {
		w.ends[i] = New(Config{Port: 5000, Rand: newSeeded(byte(i))})
		w.addrs[i] = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)}), 5000)
	}
	id, err := w.ends[0].Connect(epoch, []netip.AddrPort{w.addrs[1]}, nil)
	if err != nil {
		b.Fatal(err)
	}
	w.exchange()
	return w, id
}

func (w *wire) exchange() {
	for busy := true; busy; {
		busy = false
		for i, e := range w.ends {
			for e.Output(epoch, &w.out) {
				busy = true
				w.ends[1-i].Input(epoch, Packet{Peer: w.addrs[i], Local: w.addrs[1-i].Addr(), Data: w.out.Data})
			}
		}
	}
}

// read returns the last message that an end received.
func (w *wire) read(i int) (got assoc.RecvInfo, n int) {
	var info assoc.RecvInfo
	for {
		k, err := w.ends[i].Recv(epoch, w.buf, &info)
		if err != nil {
			return got, n
		}
		got, n = info, k
	}
}

func BenchmarkEcho(b *testing.B) {
	w, id := newWire(b)
	w.read(0)
	w.read(1)
	msg := make([]byte, 64)
	info := assoc.SendInfo{Assoc: id}
	b.ReportAllocs()
	for b.Loop() {
		if err := w.ends[0].Send(epoch, msg, &info); err != nil {
			b.Fatal(err)
		}
		w.exchange()
		got, n := w.read(1)
		if err := w.ends[1].Send(epoch, w.buf[:n], &assoc.SendInfo{Assoc: got.Assoc}); err != nil {
			b.Fatal(err)
		}
		w.exchange()
		if _, n := w.read(0); n != len(msg) {
			b.Fatal("no echo")
		}
	}
}

func BenchmarkBulk(b *testing.B) {
	w, id := newWire(b)
	w.read(1)
	msg := make([]byte, 64<<10)
	info := assoc.SendInfo{Assoc: id}
	b.SetBytes(int64(len(msg)))
	b.ReportAllocs()
	for b.Loop() {
		if err := w.ends[0].Send(epoch, msg, &info); err != nil {
			b.Fatal(err)
		}
		w.exchange()
		if _, n := w.read(1); n != len(msg) {
			b.Fatal("no message")
		}
	}
}
