package sctp

import (
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// In steady state a message costs no allocation, neither small ones back and
// forth nor long ones.
func TestNoAllocationPerMessage(t *testing.T) {
	for _, size := range []int{64, 1024, 64 << 10} {
		w, id := newWire(t)
		w.read(0)
		w.read(1)
		msg := make([]byte, size)
		there, back := assoc.SendInfo{Assoc: id, Stream: 3}, assoc.SendInfo{}
		round := func() {
			if err := w.ends[0].Send(epoch, msg, &there); err != nil {
				t.Fatal(err)
			}
			w.exchange()
			got, n := w.read(1)
			if n != size {
				t.Fatalf("%d of %d bytes arrived; %+v", n, size, w.ends[0].byID[id].out)
			}
			back.Assoc = got.Assoc
			if err := w.ends[1].Send(epoch, w.buf[:n], &back); err != nil {
				t.Fatal(err)
			}
			w.exchange()
			if _, n := w.read(0); n != size {
				t.Fatal("no echo")
			}
		}
		for range 200 {
			round()
		}
		if n := testing.AllocsPerRun(200, round); n > 0 {
			t.Errorf("%d bytes: %v allocations per round trip", size, n)
		}
	}
}

// An idle association takes at most 4 KiB, also after it has carried a message.
func TestMemoryOfIdleAssociation(t *testing.T) {
	const count, most = 2000, 4 << 10
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	w := &wire{buf: make([]byte, 1<<16)}
	w.ends[0] = New(Config{Port: 5000, Rand: newSeeded(0)})
	w.ends[1] = New(Config{Port: 5000, Rand: newSeeded(1), MaxAssocsPerPeer: count})
	w.addrs[1] = netip.MustParseAddrPort("10.0.0.2:5000")
	before := heap()
	for i := range count {
		w.addrs[0] = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), 5000)
		// The client's end has one peer at most, so it is made anew.
		w.ends[0] = New(Config{Port: 5000, Rand: newSeeded(byte(i))})
		id, err := w.ends[0].Connect(epoch, []netip.AddrPort{w.addrs[1]}, nil)
		if err != nil {
			t.Fatal(err)
		}
		w.exchange()
		if err := w.ends[0].Send(epoch, []byte("hello"), &assoc.SendInfo{Assoc: id}); err != nil {
			t.Fatal(err)
		}
		w.exchange()
		got, n := w.read(1)
		if n != 5 {
			t.Fatalf("association %d: no message", i)
		}
		if err := w.ends[1].Send(epoch, []byte("hello"), &assoc.SendInfo{Assoc: got.Assoc}); err != nil {
			t.Fatal(err)
		}
		w.exchange()
	}
	if n := len(w.ends[1].byID); n != count {
		t.Fatalf("%d associations", n)
	}
	each := (heap() - before) / count
	t.Logf("%d bytes per association", each)
	if each > most {
		t.Errorf("%d bytes per idle association, want at most %d", each, most)
	}
	runtime.KeepAlive(w)
}

// A stream of small messages gathers in packets while much is in flight; a
// lone message, or the end of a long one, never waits for an acknowledgement
// that the peer delays (SCTP-3-13, SCTP-3-15).
func TestSmallMessagesGather(t *testing.T) {
	p := newPair(t, Config{Params: assoc.Params{MTU: 65535}}, Config{Params: assoc.Params{SackDelay: 80 * ms}})
	x, _ := p.connect(nil)
	p.packets = 0
	for range 1000 {
		p.send(0, x, 0, make([]byte, 1000))
		p.flush()
	}
	p.until(20*ms, "messages", func() bool { return len(p.messages(1)) == 1000 })
	if p.packets > 150 {
		t.Errorf("%d packets", p.packets)
	}
	for _, size := range []int{10, 65000, 70000, 140000} {
		p.run(time.Second)
		p.events[1] = nil
		p.send(0, x, 0, make([]byte, size))
		p.until(5*ms, "message", func() bool { return len(p.messages(1)) == 1 })
	}
	if c := p.ends[0].counters; c.Timeouts != 0 || c.Retransmissions != 0 {
		t.Errorf("%+v", c)
	}
}
