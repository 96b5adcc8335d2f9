package sctp

import (
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// What Recv has returned counts against the window until it is given back; then the
// peer goes on. Tiny messages cost their bookkeeping.
func TestLend(t *testing.T) {
	const buffer = 40_000
	for _, size := range []int{1, 1000, 60_000} {
		p := newPair(t, Config{}, Config{Params: assoc.Params{ReceiveBuffer: buffer}})
		e := p.ends[1]
		e.Lend()
		x, y := p.connect(nil)
		const count = 5000
		for range min(count, 3<<20/size) {
			p.send(0, x, 0, make([]byte, size))
		}
		total := len(p.messages(1))
		for total < min(count, 3<<20/size) {
			p.run(10 * time.Second)
			n := len(p.messages(1)) - total
			if n == 0 {
				t.Fatalf("%d bytes each: nothing comes after %d messages", size, total)
			}
			in := &e.byID[y].in
			if limit := max(buffer+2000, size+buffer/2); in.held > limit || in.memory > 2*limit+64<<10+objectOverhead {
				t.Fatalf("%d bytes each: %d bytes are kept, %d with their bookkeeping", size, in.held, in.memory)
			}
			e.Return(y, n*size, n)
			p.flush()
			total += n
		}
		p.run(time.Second)
		if in := &e.byID[y].in; in.held != 0 || in.memory != 0 || in.ready != 0 || e.received != 0 {
			t.Errorf("%d bytes each: %d held, %d in memory, %d ready, %d in all after everything was given back", size, in.held, in.memory, in.ready, e.received)
		}
	}
}

// An association that ends, or begins anew, owes nothing that was lent.
func TestLendEnds(t *testing.T) {
	p := newPair(t, Config{}, Config{})
	e := p.ends[1]
	e.Lend()
	x, y := p.connect(nil)
	p.send(0, x, 0, make([]byte, 5000))
	p.until(time.Second, "message", func() bool { return len(p.messages(1)) == 1 })
	if e.received == 0 {
		t.Error("nothing is lent")
	}
	if err := p.ends[0].Abort(p.now, x, "enough"); err != nil {
		t.Fatal(err)
	}
	p.until(time.Second, "end", func() bool { return p.find(1, assoc.CommLost) != nil })
	e.Return(y, 5000, 1) // too late: no matter
	if e.received != 0 {
		t.Errorf("%d bytes are counted", e.received)
	}
}
