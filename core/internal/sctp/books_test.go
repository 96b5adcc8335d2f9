package sctp

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// outBooks compares the accounts of the outbound side with what they count: what
// is in flight on a path are the chunks that are sent to it and neither
// acknowledged, nor marked, nor given up.
func (a *association) outBooks() error {
	o := &a.out
	flight := map[*path]int{}
	outstanding, marked, gaps, firstMarked := 0, 0, 0, -1
	for i := range o.chunks.len() {
		c := o.chunks.at(i)
		switch {
		case c.gone && (c.marked || c.acked), c.marked && c.acked:
			return fmt.Errorf("chunk %d has two states: %+v", i, c)
		case c.gone:
		case c.acked:
			gaps++
		case c.marked:
			if marked++; firstMarked < 0 {
				firstMarked = i
			}
		default:
			flight[c.path] += c.size()
			outstanding += int(c.n)
		}
	}
	if outstanding != o.outstanding || marked != o.marked || gaps != o.gapAcked || marked > 0 && o.firstMarked > firstMarked {
		return fmt.Errorf("outstanding %d (counted %d), marked %d (%d) from %d (%d), gaps %d (%d)",
			outstanding, o.outstanding, marked, o.marked, firstMarked, o.firstMarked, gaps, o.gapAcked)
	}
	for _, p := range a.paths {
		if p.flight != flight[p] {
			return fmt.Errorf("path %d: in flight %d, counted %d", p.index, flight[p], p.flight)
		}
		if p.flight > 0 && !p.t3.Armed() && a.state >= established {
			return fmt.Errorf("path %d: nobody watches over what is in flight", p.index)
		}
	}
	if n := o.nextTSN - 1 - o.acked; int(n) != o.chunks.len() {
		return fmt.Errorf("%d TSNs are out, %d chunks", n, o.chunks.len())
	}
	return a.messageBooks()
}

func (a *association) messageBooks() error {
	o := &a.out
	queued, left, unsent, unacked := 0, 0, 0, 0
	under := map[*outMessage]bool{}
	for i := range o.chunks.len() {
		if m := o.chunks.at(i).m; !under[m] {
			under[m] = true
			if !m.abandoned {
				queued += m.size + messageOverhead
				unacked++
			}
		}
	}
	begun := 0
	for _, s := range o.streams {
		for m := s.head; m != nil; m = m.next {
			left += m.size - m.taken
			if m.counted {
				begun += m.size
			}
			switch {
			case m.taken == 0:
				unsent++
			case !under[m]: // all that was sent of it is acknowledged
				unacked++
			}
			if !under[m] {
				queued += m.size + messageOverhead
			}
		}
	}
	if queued != o.queued || left != o.left || unsent != o.unsent || unacked != o.unacked || begun != o.begun {
		return fmt.Errorf("queued %d (counted %d), left %d (%d), unsent %d (%d), unacked %d (%d), begun %d (%d)",
			queued, o.queued, left, o.left, unsent, o.unsent, unacked, o.unacked, begun, o.begun)
	}
	return nil
}

// inBooks does the same for the inbound side and the memory that it takes.
func (a *association) inBooks() error {
	b := &a.in
	above, last := 0, b.acked
	for _, s := range b.beyond {
		if !tsnLess(last+1, s.first) || tsnLess(s.last, s.first) {
			return fmt.Errorf("acknowledged to %d, beyond it %v", b.acked, b.beyond)
		}
		above += int(s.last - s.first + 1)
		last = s.last
	}
	held, memory, waiting := b.lent.bytes, b.lent.bytes+b.lent.messages*objectOverhead, 0
	chain := func(p *fragment) {
		for ; p != nil; p = p.next {
			held += len(p.buf)
			memory += cap(p.buf) + objectOverhead
		}
	}
	for i := range b.runs {
		chain(b.runs[i].head)
	}
	for _, runs := range b.partials.runs {
		for i := range runs {
			chain(runs[i].head)
		}
	}
	for _, s := range b.streams {
		for ev := s.held; ev != nil; ev = ev.next {
			chain(ev.first)
			waiting++
		}
	}
	ready := b.lent.bytes
	for _, q := range []*eventQueue{&a.e.events, &a.parked} {
		n := 0
		for ev := q.head; ev != nil; ev = ev.next {
			if n++; ev.a == a && !ev.note {
				before := held
				chain(ev.first)
				ready += held - before
			}
		}
		if n != q.n {
			return fmt.Errorf("%d events are queued, %d counted", n, q.n)
		}
	}
	if above != b.above || held != b.held || memory != b.memory || waiting != b.waiting || ready != b.ready {
		return fmt.Errorf("above %d (counted %d), held %d (%d), memory %d (%d), waiting %d (%d), ready %d (%d)",
			above, b.above, held, b.held, memory, b.memory, waiting, b.waiting, ready, b.ready)
	}
	return nil
}

// checkBooks checks all associations of both ends, and what they share.
func (p *pair) checkBooks() {
	p.t.Helper()
	for i, e := range p.ends {
		var received int64
		held := map[netip.Addr]int64{}
		for _, a := range e.byID {
			if err := a.outBooks(); err != nil {
				p.t.Fatalf("end %d: %v", i, err)
			}
			if err := a.inBooks(); err != nil {
				p.t.Fatalf("end %d: %v", i, err)
			}
			received += int64(a.in.memory)
			held[a.source.addr] += int64(a.in.memory)
			if a.in.above > maxHeldChunks || a.out.chunks.len() > maxOutstanding {
				p.t.Fatalf("end %d: %d chunks held, %d out", i, a.in.above, a.out.chunks.len())
			}
		}
		if e.received != received {
			p.t.Fatalf("end %d: %d bytes received, %d counted", i, received, e.received)
		}
		for addr, s := range e.sources {
			if s.held != held[addr] {
				p.t.Fatalf("end %d: %d bytes of %v, %d counted", i, held[addr], addr, s.held)
			}
		}
	}
}

// chatter sends messages of all kinds and sizes both ways for some time, on a
// network that loses, doubles and reorders, while the readers pause now and then.
func (p *pair) chatter(rng *rand.Rand, ids [2]assoc.ID, d time.Duration, lifetimes bool) {
	p.t.Helper()
	for end := p.now.Add(d); p.now.Before(end); {
		for i, e := range p.ends {
			if e.byID[ids[i]] == nil {
				p.t.Fatalf("end %d lost the association: %+v", i, p.events[i][len(p.events[i])-1].info)
			}
			info := assoc.SendInfo{Assoc: ids[i], Stream: uint16(rng.IntN(4)), Unordered: rng.IntN(3) == 0}
			if lifetimes && rng.IntN(2) == 0 {
				info.Lifetime = time.Duration(1+rng.IntN(300)) * ms
			}
			n := 1 + rng.IntN(200)
			if rng.IntN(4) == 0 {
				n = 1 + rng.IntN(20000)
			}
			_ = e.Send(p.now, make([]byte, n), &info) // the buffer may be full
			if rng.IntN(20) == 0 {
				p.hold[i] = !p.hold[i]
			}
			if rng.IntN(40) == 0 { // takes back what the peer was promised
				if err := e.SetParams(ids[i], assoc.Params{ReceiveBuffer: 6000 + rng.IntN(60_000)}); err != nil {
					p.t.Fatal(err)
				}
			}
			p.read(i)
		}
		for limit := p.now.Add(time.Duration(1+rng.IntN(30)) * ms); p.step(limit); {
			p.checkBooks()
		}
		p.checkBooks()
	}
}

// Whatever is lost, doubled, late, given up or not read: the accounts are those of
// what is there, at every step, and empty in the end (SCTP-3-85, SCTP-3-43).
func TestBooksAgree(t *testing.T) {
	for name, tt := range map[string]struct {
		c         Config
		lifetimes bool
		buffer    int
		lend      bool
	}{
		"DATA":               {c: Config{NoInterleaving: true}},
		"I-DATA":             {},
		"DATA, lifetimes":    {c: Config{NoInterleaving: true}, lifetimes: true},
		"I-DATA, lifetimes":  {lifetimes: true, buffer: 40000},
		"DATA, small buffer": {c: Config{NoInterleaving: true}, buffer: 20000},
		"I-DATA, lent":       {buffer: 60000, lend: true},
	} {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(2) {
				rng := rand.New(rand.NewPCG(seed, 5))
				tt.c.Params = assoc.Params{
					RTOMin: 50 * ms, RTOMax: 200 * ms, AssocMaxRetrans: 100, PathMaxRetrans: 3, HeartbeatInterval: 500 * ms,
					ReceiveBuffer: tt.buffer, MaxMessage: 20000, SendBuffer: 100_000,
				}
				own, peer := tt.c, tt.c
				if seed == 1 {
					own.Local, peer.Local = homes[0], homes[1]
				}
				p := newPair(t, own, peer)
				x, y := p.connect(nil)
				if tt.lend {
					p.ends[1].Lend()
				}
				p.drop = func(from int, data []byte) bool {
					if rng.IntN(20) == 0 { // once more, later
						at := p.addrs[from]
						p.fly(flight{p.now.Add(time.Duration(rng.IntN(40)) * ms), 1 - from, append([]byte(nil), data...), at, p.addrs[1-from].Addr()})
					}
					return rng.IntN(12) == 0
				}
				p.chatter(rng, [2]assoc.ID{x, y}, 4*time.Second, tt.lifetimes)
				p.drop, p.hold = nil, [2]bool{}
				for range 100 {
					for i, id := range []assoc.ID{x, y} {
						if p.read(i); tt.lend {
							l := p.ends[i].byID[id].in.lent
							p.ends[i].Return(id, l.bytes, l.messages)
						}
					}
					p.run(200 * ms)
					p.checkBooks()
				}
				for i, id := range []assoc.ID{x, y} {
					a := p.ends[i].byID[id]
					if !a.out.empty() || a.out.queued != 0 || a.in.held != 0 || a.in.memory != 0 || len(a.in.beyond) != 0 {
						t.Fatalf("end %d: left over %+v, %+v", i, a.out, a.in)
					}
				}
			}
		})
	}
}
