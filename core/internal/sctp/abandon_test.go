package sctp

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

func (p *pair) sendFor(i int, id assoc.ID, stream uint16, data []byte, life time.Duration, context uint64) {
	p.t.Helper()
	if err := p.ends[i].Send(p.now, data, &assoc.SendInfo{Assoc: id, Stream: stream, Lifetime: life, Context: context}); err != nil {
		p.t.Fatal(err)
	}
}

// forwards collects the FORWARD TSN chunks that end 0 sends.
func (p *pair) forwards(lose func(data []byte) bool) *[]chunk.ForwardTSN {
	var list []chunk.ForwardTSN
	p.drop = func(from int, data []byte) bool {
		for rest := data[chunk.HeaderSize:]; from == 0 && len(rest) > 0; {
			c, more, err := chunk.Next(rest)
			if err != nil {
				p.t.Fatal(err)
			}
			rest = more
			if c.Type == chunk.TypeForwardTSN || c.Type == chunk.TypeIForwardTSN {
				c.Value = bytes.Clone(c.Value)
				f, err := chunk.ParseForwardTSN(c)
				if err != nil {
					p.t.Fatal(err)
				}
				list = append(list, f)
			}
		}
		return from == 0 && lose(data)
	}
	return &list
}

func isData(data []byte) bool {
	c := chunk.Type(data[chunk.HeaderSize])
	return c == chunk.TypeData || c == chunk.TypeIData
}

// bothWays runs a test with DATA and with I-DATA.
func bothWays(t *testing.T, test func(*testing.T, Config)) {
	t.Run("DATA", func(t *testing.T) { test(t, Config{NoInterleaving: true}) })
	t.Run("I-DATA", func(t *testing.T) { test(t, Config{}) })
}

// wholeAgain checks that the books are empty when all is over.
func (p *pair) wholeAgain(id assoc.ID) {
	p.t.Helper()
	a := p.ends[0].byID[id]
	if a == nil {
		p.t.Fatalf("association lost: %+v", p.events[0][len(p.events[0])-1].info)
	}
	o := &a.out
	if !o.empty() || o.queued != 0 || o.outstanding != 0 || o.marked != 0 || o.gapAcked != 0 || o.unacked != 0 || o.unsent != 0 ||
		a.primary.flight != 0 || a.primary.t3.Armed() || o.forwarding.path != nil || a.owed != 0 {
		p.t.Errorf("left over: %+v, in flight %d, T3 %v", o, a.primary.flight, a.primary.t3.Armed())
	}
}

// A message that was lost and is too old to be sent again is skipped: the
// others arrive, in order, and its sender gets it back (SCTP-3-142, SCTP-3-143,
// SCTP-7-30).
func TestAbandonSingle(t *testing.T) { bothWays(t, abandonSingle) }

func abandonSingle(t *testing.T, c Config) {
	p := newPair(t, c, c)
	x, _ := p.connect(nil)
	n := 0
	list := p.forwards(func(data []byte) bool {
		if isData(data) {
			n++
		}
		return isData(data) && n == 1
	})
	p.sendFor(0, x, 3, []byte("old"), 50*ms, 77)
	p.flush()
	p.send(0, x, 3, []byte("one"))
	p.flush()
	p.send(0, x, 4, []byte("two"))
	p.until(time.Second, "messages", func() bool { return len(p.messages(1)) == 2 })
	p.run(time.Second)
	if m := p.messages(1); string(m[0]) != "two" || string(m[1]) != "one" {
		t.Errorf("%q", m)
	}
	f := p.find(0, assoc.SendFailed)
	if f == nil || string(f.data) != "old" || f.info.Unsent || f.info.Context != 77 || f.info.Stream != 3 || f.info.Err != assoc.ErrTimeout {
		t.Fatalf("%+v", f)
	}
	if len(*list) != 1 || (*list)[0].Streams() != 1 {
		t.Fatalf("%d FORWARD TSNs", len(*list))
	}
	if s := (*list)[0].Stream(0); s.Stream != 3 || s.MID != 0 {
		t.Errorf("skips %+v", s)
	}
	p.wholeAgain(x)
}

// All fragments of a message are abandoned together, also those that were
// never sent or are acknowledged; what follows it arrives (SCTP-3-142).
func TestAbandonFragments(t *testing.T) { bothWays(t, abandonFragments) }

func abandonFragments(t *testing.T, c Config) {
	for _, lost := range []int{0, 1, 2, 3, 5, 100} { // from which packet on
		p := newPair(t, c, c)
		x, _ := p.connect(nil)
		n, dark := 0, true
		p.forwards(func(data []byte) bool {
			n++
			return dark && n > lost
		})
		unordered := lost%2 == 1
		if err := p.ends[0].Send(p.now, make([]byte, 60000), &assoc.SendInfo{Assoc: x, Lifetime: 3 * ms, Unordered: unordered}); err != nil {
			t.Fatal(err)
		}
		p.send(0, x, 0, []byte("next"))
		p.send(0, x, 1, []byte("other"))
		p.run(200 * ms)
		dark = false
		p.until(2*time.Second, "messages", func() bool { return len(p.messages(1)) == 2 })
		p.run(2 * time.Second)
		f := p.find(0, assoc.SendFailed)
		if f == nil || f.info.Unsent || len(f.data) != 60000 {
			t.Fatalf("lost from %d on: %v", lost, p.kinds(0))
		}
		p.wholeAgain(x)
		if held := p.ends[1].received; held != 0 {
			t.Errorf("lost from %d on: the receiver holds %d bytes", lost, held)
		}
		p.send(0, x, 0, []byte("last"))
		p.until(time.Second, "last message", func() bool { return len(p.messages(1)) == 3 })
	}
}

// Giving up is the same wherever the TSNs are.
func TestAbandonAtAnyTSN(t *testing.T) {
	for _, tsn := range []uint32{0, 1, 1 << 30, 1<<31 - 2, 1 << 31, 3 << 30, 1<<32 - 3} {
		t.Run(fmt.Sprint(tsn), func(t *testing.T) {
			c := Config{InitialTSN: func() uint32 { return tsn }}
			abandonSingle(t, c)
			abandonFragments(t, c)
		})
	}
}

// An acknowledgement makes nothing owed if there is nothing to skip: what is owed
// would be looked for on the path of the answers, while data waits.
func TestNothingToForward(t *testing.T) {
	p := newPair(t, Config{}, Config{})
	x, _ := p.connect(nil)
	e, a := p.ends[0], p.ends[0].byID[x]
	for i := range uint32(3) {
		p.send(0, x, 0, []byte("message"))
		outputs(e, p.now)
		toAssoc(e, a, p.now, chunk.AppendSack(nil, a.out.nextTSN-1, 1<<16, nil, nil))
		if a.owed != 0 || a.out.forwarding.path != nil {
			t.Fatalf("after message %d: owes %b", i, a.owed)
		}
	}
}

// FORWARD TSN is repeated by T3 until it is acknowledged, and silence counts
// as of any other packet (SCTP-3-142).
func TestForwardTSNIsRepeated(t *testing.T) { bothWays(t, forwardTSNIsRepeated) }

func forwardTSNIsRepeated(t *testing.T, c Config) {
	p := newPair(t, c, c)
	x, _ := p.connect(nil)
	dark := true
	list := p.forwards(func([]byte) bool { return dark })
	p.sendFor(0, x, 0, []byte("old"), 50*ms, 0)
	p.until(2*time.Second, "repetition", func() bool { return len(*list) == 2 })
	if c := p.ends[0].counters; c.Timeouts != 2 || c.Retransmissions != 0 {
		t.Errorf("%+v", c)
	}
	dark = false
	p.run(2 * time.Second)
	p.wholeAgain(x)
	dark = true
	p.sendFor(0, x, 0, []byte("old"), 50*ms, 0)
	p.until(20*time.Second, "end", func() bool { return p.find(0, assoc.CommLost) != nil })
	if n := len(p.kinds(0)); n < 3 {
		t.Errorf("events %v", p.kinds(0))
	}
}

// Without the peer's agreement what was sent stays reliable (SCTP-3-140); what
// was not is dropped all the same and uses no TSN (SCTP-3-143).
func TestLifetimeWithoutForwardTSN(t *testing.T) { bothWays(t, lifetimeWithoutForwardTSN) }

func lifetimeWithoutForwardTSN(t *testing.T, c Config) {
	p := newPair(t, c, c)
	x, _ := p.connect(nil)
	a := p.ends[0].byID[x]
	a.forwardTSN = false
	dark := true
	list := p.forwards(func([]byte) bool { return dark })
	p.sendFor(0, x, 0, []byte("sent"), 50*ms, 0)
	p.flush()
	a.primary.cwnd = 1 // nothing more leaves
	p.sendFor(0, x, 0, []byte("unsent"), 50*ms, 0)
	next := a.out.nextTSN
	p.run(100 * ms)
	dark = false
	p.run(2 * time.Second)
	if m := p.messages(1); len(m) != 1 || string(m[0]) != "sent" || len(*list) != 0 || a.out.nextTSN != next {
		t.Errorf("arrived: %q, FORWARD TSNs: %d", m, len(*list))
	}
	if f := p.find(0, assoc.SendFailed); f == nil || string(f.data) != "unsent" || !f.info.Unsent {
		t.Errorf("%+v", f)
	}
}

// Many streams: the list is cut, the rest follows (RFC 3758 section 3.5 C4).
func TestForwardTSNListIsBounded(t *testing.T) { bothWays(t, forwardTSNListIsBounded) }

func forwardTSNListIsBounded(t *testing.T, c Config) {
	params := assoc.Params{OutStreams: 200, InStreams: 200}
	p := newPair(t, Config{Params: params}, Config{Params: params})
	x, _ := p.connect(nil)
	dark := true
	list := p.forwards(func([]byte) bool { return dark })
	for sid := range uint16(150) {
		p.sendFor(0, x, sid, []byte{1}, 50*ms, uint64(sid))
	}
	p.run(120 * ms)
	dark = false
	p.run(3 * time.Second)
	p.wholeAgain(x)
	failed := 0
	for _, ev := range p.events[0] {
		if ev.info.Kind == assoc.SendFailed {
			if ev.info.Context != uint64(failed) {
				t.Errorf("message %d comes back as number %d", ev.info.Context, failed)
			}
			failed++
		}
	}
	if failed+len(p.messages(1)) != 150 || len(*list) == 0 {
		t.Errorf("%d failed, %d arrived, %d FORWARD TSNs", failed, len(p.messages(1)), len(*list))
	}
	for _, f := range *list {
		if f.Streams() > maxSkips {
			t.Errorf("%d streams in one list", f.Streams())
		}
	}
}

// A shutdown waits until the peer has skipped what was abandoned (SCTP-2-50).
func TestShutdownAfterAbandoning(t *testing.T) { bothWays(t, shutdownAfterAbandoning) }

func shutdownAfterAbandoning(t *testing.T, c Config) {
	p := newPair(t, c, c)
	x, _ := p.connect(nil)
	dark := true
	p.forwards(func(data []byte) bool { return dark })
	p.sendFor(0, x, 0, []byte("old"), 50*ms, 0)
	p.flush()
	if err := p.ends[0].Shutdown(p.now, x); err != nil {
		t.Fatal(err)
	}
	p.run(150 * ms)
	dark = false
	p.until(3*time.Second, "end", func() bool {
		return p.find(0, assoc.ShutdownComplete) != nil && p.find(1, assoc.ShutdownComplete) != nil
	})
	if len(p.messages(1)) != 0 || p.find(0, assoc.SendFailed) == nil {
		t.Errorf("events %v", p.kinds(0))
	}
}

// Under random loss every message arrives once or comes back, and nothing
// stays behind (SCTP-4-01, SCTP-3-141, SCTP-3-142).
func TestLifetimesUnderLoss(t *testing.T) { bothWays(t, lifetimesUnderLoss) }

func lifetimesUnderLoss(t *testing.T, c Config) {
	for seed := range byte(20) {
		stubborn := assoc.Params{AssocMaxRetrans: 100, PathMaxRetrans: 100}
		p := newPair(t, Config{Params: stubborn}, Config{Params: stubborn})
		x, _ := p.connect(nil)
		r := newSeeded(seed)
		var dice [1]byte
		p.drop = func(int, []byte) bool { r.Read(dice[:]); return dice[0] < 50 }
		const count = 300
		for i := range count {
			r.Read(dice[:])
			size := 2 + int(dice[0])*20
			data := make([]byte, size)
			data[0], data[1] = byte(i>>8), byte(i)
			info := assoc.SendInfo{Assoc: x, Stream: uint16(i % 5), Unordered: i%7 == 0, Context: uint64(i)}
			if i%3 > 0 {
				info.Lifetime = time.Duration(i%50+1) * ms
			}
			if err := p.ends[0].Send(p.now, data, &info); err != nil {
				t.Fatal(err)
			}
			p.run(3 * ms)
		}
		p.run(10 * time.Second)
		p.drop = nil
		p.run(10 * time.Second)
		p.wholeAgain(x)
		arrived, back := map[int]int{}, map[int]int{}
		for _, m := range p.messages(1) {
			arrived[int(m[0])<<8|int(m[1])]++
		}
		for _, ev := range p.events[0] {
			if ev.info.Kind == assoc.SendFailed {
				back[int(ev.info.Context)]++
			}
		}
		for i := range count {
			if arrived[i] > 1 || back[i] > 1 || arrived[i]+back[i] == 0 || i%3 == 0 && arrived[i] == 0 {
				t.Fatalf("seed %d: message %d arrived %d times, came back %d times", seed, i, arrived[i], back[i])
			}
		}
		if len(back) == 0 {
			t.Errorf("seed %d: nothing was abandoned", seed)
		}
	}
}
