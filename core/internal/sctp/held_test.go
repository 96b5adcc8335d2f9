package sctp

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

// However much room there is in bytes, 4,096 chunks are held beyond the cumulative
// TSN and no more; one that moves it on is always taken, and what it brings into
// order makes room for as many (SCTP-3-43, SCTP-6-07).
func TestHeldChunksAreBounded(t *testing.T) {
	for name, interleave := range map[string]bool{"DATA": false, "I-DATA": true} {
		t.Run(name, func(t *testing.T) {
			e := New(Config{Port: 5000, Rand: newSeeded(1), Params: assoc.Params{ReceiveBuffer: 64 << 20}})
			s := newSender(e, netip.MustParseAddr("127.0.0.1"), 7, epoch)
			s.a.interleave = interleave
			one := func(tsn, n uint32) bool {
				return s.data(chunk.Data{Interleaved: interleave, Flags: whole, TSN: tsn, SSN: uint16(n), MID: n, Payload: []byte("x")})
			}
			for i := range uint32(4096) {
				if !one(101+i, 1+i) {
					t.Fatalf("chunk %d beyond the gap is refused", i+1)
				}
			}
			if one(101+4096, 1+4096) || s.a.in.above != 4096 || s.a.in.waiting != 4096 {
				t.Fatalf("%d chunks held, %d messages wait", s.a.in.above, s.a.in.waiting)
			}
			if !one(100, 0) || s.a.in.acked != 100+4096 || s.a.in.above != 0 || s.a.in.waiting != 0 || len(readAll(e)) != 4097 {
				t.Fatalf("acknowledged to %d, %d held, %d wait", s.a.in.acked, s.a.in.above, s.a.in.waiting)
			}
			if !one(101+4097, 2+4096) || s.a.in.above != 1 {
				t.Errorf("nothing is held any more, and nothing taken")
			}
		})
	}
}

// A TSN may be 65,535 ahead, which is what a gap ack block can say (SCTP-3-20).
func TestTSNsAhead(t *testing.T) {
	_, a := receiver(t, assoc.Params{})
	for ahead, want := range map[uint32]bool{1: true, 2: true, 65535: true, 65536: false, 1 << 31: false} {
		if got := a.in.near(a.in.acked + ahead); got != want {
			t.Errorf("%d ahead: taken %v", ahead, got)
		}
	}
}

// Memory is shared out: every association has its share, half of all is for who
// comes first, an eighth for each source, and the dearest comes last (SCTP-6-07,
// SCTP-6-08).
func TestSharesOfMemory(t *testing.T) {
	e := New(Config{Port: 5000, Rand: newSeeded(1), MaxReceiveMemory: 1 << 20})
	s := newSender(e, netip.MustParseAddr("192.0.2.1"), 7, epoch)
	a := s.a
	for assocs, want := range map[int]int{1: 128 << 10, 4: 128 << 10, 8: 64 << 10, 128: 4 << 10, 1000: 4 << 10} {
		for i := len(e.byID); i < assocs; i++ {
			e.byID[assoc.ID(10_000+i)] = nil
		}
		if got := e.share(); got != want {
			t.Errorf("%d associations: a share of %d, want %d", assocs, got, want)
		}
		for id := range e.byID {
			if id >= 10_000 {
				delete(e.byID, id)
			}
		}
	}
	for _, tt := range []struct {
		received, source int64
		loopback, want   bool
	}{
		{0, 0, false, true}, {512<<10 - 1, 0, false, true}, {512 << 10, 0, false, false},
		{0, 128<<10 - 1, false, true}, {0, 128 << 10, false, false}, {0, 128 << 10, true, true}, {512 << 10, 0, true, false},
	} {
		e.received, a.source.held = tt.received, tt.source
		if a.source.addr = netip.MustParseAddr("192.0.2.1"); tt.loopback {
			a.source.addr = netip.MustParseAddr("127.0.0.1")
		}
		if got := a.plenty(); got != tt.want {
			t.Errorf("%+v: plenty %v", tt, got)
		}
		for memory, want := range map[int]bool{0: true, 4<<10 - 1: true, 4 << 10: true, 128<<10 - 1: true, 128 << 10: tt.want} {
			if a.in.memory = memory; a.hasMemory() != want {
				t.Errorf("%+v: %d bytes held, memory for more %v", tt, memory, !want)
			}
		}
		a.in.memory = 28 << 10
		want := 50 << 10 // half of what is left of the share
		if tt.want {
			want = 1 << 20
		}
		if got := a.frugal(1 << 20); got != want {
			t.Errorf("%+v: a window of %d, want %d", tt, got, want)
		}
		if a.in.memory = 1 << 20; !tt.want && a.frugal(1<<20) != 0 {
			t.Errorf("%+v: a window where nothing is left", tt)
		}
	}
	e.received, a.source.held = 0, 0
	a.params.ReceiveBuffer = 20_000
	for memory, want := range map[int]bool{2*20_000 + 64<<10 - 1: true, 2*20_000 + 64<<10: false} {
		if a.in.memory = memory; a.hasMemory() != want {
			t.Errorf("%d bytes held of a buffer of 20,000: memory for more %v", memory, !want)
		}
	}
}

// What is given back is kept for the next use up to a bound, and found again
// whatever its size; what is too large is left to the garbage collector.
func TestBuffersAreKept(t *testing.T) {
	for n, size := range map[int]int{1: 64, 64: 64, 65: 128, 128: 128, 1000: 1024, 65535: 65536, 65536: 65536, 65537: 65537} {
		var p buffers
		b := p.get(n)
		if len(b) != n || cap(b) < size || size < 65537 && cap(b) != size {
			t.Errorf("%d bytes: length %d, capacity %d", n, len(b), cap(b))
		}
		p.put(b[:0])
		again := p.get(size)
		if kept := &again[:1][0] == &b[:1][0]; kept != (size <= 65536) {
			t.Errorf("%d bytes: kept %v", n, kept)
		}
	}
	var p buffers
	p.put(nil)
	p.put(make([]byte, 0, 100)) // not of a class
	for c := range p.free {
		if len(p.free[c]) != 0 {
			t.Errorf("class %d keeps what is not of it", c)
		}
	}
	for range 70 {
		p.put(make([]byte, 0, 64<<10))
	}
	if n := len(p.free[bufferClasses-1]); n != 64 {
		t.Errorf("%d buffers of 64 KiB are kept, 4 MiB are wanted", n)
	}
	var f freeList[fragment]
	one := new(fragment)
	f.put(one)
	if f.get() != one || f.get() == one {
		t.Error("an object is not used again, or twice")
	}
	for range 5000 {
		f.put(new(fragment))
	}
	if len(f.free) != 4096 {
		t.Errorf("%d objects are kept", len(f.free))
	}
}

// A ring that has been large gives its memory back when it is empty, one that was
// small keeps it; the order holds while it grows.
func TestRingGivesBack(t *testing.T) {
	for n, kept := range map[int]bool{1: true, 64: true, 65: false, 1000: false} {
		var r ring[int]
		for range 3 { // so that it begins anywhere
			r.push(-1)
			r.pop()
		}
		for i := range n {
			r.push(i)
		}
		for i := range n {
			if *r.at(0) != i || r.len() != n-i || *r.at(r.len() - 1) != n-1 {
				t.Fatalf("%d of %d: first %d, %d left", i, n, *r.at(0), r.len())
			}
			r.pop()
		}
		if (len(r.buf) > 0) != kept {
			t.Errorf("after %d: room for %d is kept", n, len(r.buf))
		}
	}
}

// A bucket allows its rate at once and per second, and saves no more than that.
func TestBucket(t *testing.T) {
	b := bucket{rate: 10, tokens: 10}
	now := epoch
	take := func() (n int) {
		for b.take(now) {
			n++
		}
		return n
	}
	for _, tt := range []struct {
		wait time.Duration
		want int
	}{{0, 10}, {0, 0}, {100 * ms, 1}, {time.Second, 10}, {time.Hour, 10}, {50 * ms, 0}, {50 * ms, 1}} {
		now = now.Add(tt.wait)
		if got := take(); got != tt.want {
			t.Errorf("after %v: %d, want %d", tt.wait, got, tt.want)
		}
	}
}

// Parameters are brought within their bounds (SCTP-3-65).
func TestNormalise(t *testing.T) {
	p := normalise(assoc.Params{
		RTOInitial: time.Millisecond, RTOMin: time.Millisecond, RTOMax: time.Millisecond,
		SackDelay: time.Second, SackPackets: -1, MaxBurst: -1, ReceiveBuffer: 1,
	})
	if p.RTOMin != 10*ms || p.RTOMax != 10*ms || p.RTOInitial != 10*ms || p.SackDelay != 500*ms || p.SackPackets != 1 ||
		p.MaxBurst != 1 || p.ReceiveBuffer != 3000 {
		t.Errorf("%+v", p)
	}
	if p := normalise(assoc.Params{RTOInitial: time.Hour}); p.RTOInitial != time.Minute {
		t.Errorf("%+v", p)
	}
}

// An endpoint has room for so many associations, and for so many that one source
// has opened; this host's programs do not count, nor what was opened from here
// (SCTP-6-07).
func TestRoomForAssociations(t *testing.T) {
	e := New(Config{Port: 5000, Rand: newSeeded(1), MaxAssocs: 6, MaxAssocsPerPeer: 2})
	far, host := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("127.0.0.1")
	want := func(n int, incoming, outgoing, local bool) {
		t.Helper()
		if in, out, lo := e.room(far, true), e.room(far, false), e.room(host, true); in != incoming || out != outgoing || lo != local {
			t.Errorf("%d associations: room for one from afar %v, to there %v, from here %v", n, in, out, lo)
		}
	}
	var list []*association
	for i := range uint16(2) {
		want(int(i), true, true, true)
		list = append(list, newSender(e, far, 7+i, epoch).a)
	}
	want(2, false, true, true)
	list[0].remove()
	want(1, true, true, true)
	list[0] = newSender(e, far, 9, epoch).a
	for i := range uint16(4) {
		want(2, false, true, true)
		list = append(list, newSender(e, host, 7+i, epoch).a)
	}
	want(6, false, false, false)
	for _, a := range list {
		a.remove()
	}
	want(0, true, true, true)
	if len(e.sources) != 0 {
		t.Errorf("%d accounts are left", len(e.sources))
	}
	e.events.n = maxUnread // nobody reads
	want(0, false, true, false)
}

// What is noted of TSNs, taken out again and skipped is what a plain list of them
// says, also where they wrap (SCTP-3-20, SCTP-3-26).
func TestTSNsAgreeWithAList(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		b := inbound{acked: uint32(-rng.IntN(60))}
		list := map[uint32]bool{}
		for step := range 400 {
			tsn := b.acked + 1 + uint32(rng.IntN(40))
			switch rng.IntN(8) {
			case 0:
				if list[tsn] {
					delete(list, tsn)
					b.unreceive(tsn)
				}
			case 1:
				if tsn = b.acked + uint32(rng.IntN(3)); tsn != b.acked {
					for x := b.acked + 1; tsnLessEq(x, tsn); x++ {
						list[x] = true
					}
					b.skipTo(tsn)
				}
			default:
				if !list[tsn] {
					list[tsn] = true
					b.received(tsn)
				}
			}
			for list[b.acked] {
				delete(list, b.acked)
			}
			highest := b.acked
			for i := range uint32(110) {
				x := b.acked - 60 + i
				if want := tsnLessEq(x, b.acked) || list[x]; b.has(x) != want {
					t.Fatalf("seed %d, step %d: has %d beyond %d: %v; %v", seed, step, x, b.acked, !want, b.beyond)
				}
				if list[x] && tsnLess(highest, x) {
					highest = x
				}
				if !tsnLess(b.acked, x) {
					delete(list, x)
				}
			}
			if b.above != len(list) || b.highest() != highest || list[b.acked+1] {
				t.Fatalf("seed %d, step %d: %d above %d to %d, %d listed to %d; %v", seed, step, b.above, b.acked, b.highest(), len(list), highest, b.beyond)
			}
			for i, s := range b.beyond {
				if i > 0 && s.first-1 == b.beyond[i-1].last || s.first-1 == b.acked {
					t.Fatalf("seed %d, step %d: spans touch: %v beyond %d", seed, step, b.beyond, b.acked)
				}
			}
		}
	}
}

// However an association ends, with data under way and unread or without, nothing
// of it is left at its endpoint when what it brought is read (SCTP-4-02, SCTP-6-07).
func TestNothingIsLeft(t *testing.T) {
	for name, end := range map[string]func(p *pair, x, y assoc.ID){
		"shutdown": func(p *pair, x, y assoc.ID) { _ = p.ends[0].Shutdown(p.now, x) },
		"abort":    func(p *pair, x, y assoc.ID) { _ = p.ends[0].Abort(p.now, x, "enough") },
		"both":     func(p *pair, x, y assoc.ID) { _ = p.ends[0].Shutdown(p.now, x); _ = p.ends[1].Shutdown(p.now, y) },
		"silence":  func(p *pair, x, y assoc.ID) { p.drop = func(int, []byte) bool { return true } },
		"close":    func(p *pair, x, y assoc.ID) { p.ends[0].Close(p.now) },
		"shutdown, then silence": func(p *pair, x, y assoc.ID) {
			_ = p.ends[0].Shutdown(p.now, x)
			p.drop = func(int, []byte) bool { return true }
		},
	} {
		for _, busy := range []bool{false, true} {
			p := newPair(t, Config{Local: homes[0]}, Config{Local: homes[1]})
			x, y := p.connect(&assoc.Params{ReceiveBuffer: 20_000})
			p.run(time.Second)
			if busy {
				p.hold = [2]bool{true, true}
				for i, id := range []assoc.ID{x, y} {
					for range 30 {
						p.send(i, id, 1, make([]byte, 3000))
					}
				}
				p.run(5 * ms)
			}
			end(p, x, y)
			p.run(ms)
			p.hold = [2]bool{}
			p.run(10 * time.Minute)
			for i, e := range p.ends {
				p.read(i)
				at, armed := e.Next()
				if len(e.byID)+len(e.byTag)+len(e.byPeer)+len(e.sources) != 0 || e.received != 0 || e.events.n != 0 || armed || e.Pending() {
					t.Errorf("%s, busy %v, end %d: %d associations, %d tags, %d paths, %d sources, %d bytes, %d events, alarm %v %v", name, busy, i,
						len(e.byID), len(e.byTag), len(e.byPeer), len(e.sources), e.received, e.events.n, armed, at.Sub(p.now))
				}
			}
		}
	}
}
