package sctp

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

func (p *pair) wantKinds(i int, want ...assoc.Kind) {
	p.t.Helper()
	if d := cmp.Diff(want, p.kinds(i)); d != "" {
		p.t.Errorf("events of end %d:\n%s", i, d)
	}
}

// wantGone checks that nothing is left of any association (SCTP-7-09).
func (p *pair) wantGone() {
	p.t.Helper()
	for i, e := range p.ends {
		if !e.Idle() || e.timers.Len() != 0 || len(e.byTag) != 0 || len(e.byPeer) != 0 || len(e.sources) != 0 || e.received != 0 {
			p.t.Errorf("end %d holds on to %d associations, %d timers, %d tags, %d addresses, %d bytes",
				i, len(e.byID), e.timers.Len(), len(e.byTag), len(e.byPeer), e.received)
		}
	}
}

func TestEchoAndShutdown(t *testing.T) { // SCTP-4-08
	p := newPair(t, Config{}, Config{})
	x, y := p.connect(nil)
	p.send(0, x, 3, []byte("hello"))
	p.until(time.Second, "message", func() bool { return len(p.messages(1)) == 1 })
	m := p.find(1, assoc.Message)
	if string(m.data) != "hello" || m.info.Stream != 3 || m.info.PPID != 7 || m.info.From != p.addrs[0] || m.info.Assoc != y {
		t.Errorf("received %q with %+v", m.data, m.info)
	}
	p.send(1, y, 0, []byte("world"))
	p.until(time.Second, "answer", func() bool { return len(p.messages(0)) == 1 })
	if err := p.ends[0].Shutdown(p.now, x); err != nil {
		t.Fatal(err)
	}
	p.run(time.Second)
	p.wantKinds(0, assoc.CommUp, assoc.Message, assoc.ShutdownComplete)
	p.wantKinds(1, assoc.CommUp, assoc.Message, assoc.ShutdownEvent, assoc.ShutdownComplete)
	p.wantGone()
	for i, e := range p.ends {
		if c := e.Counters(); c.Retransmissions != 0 || c.Timeouts != 0 || c.OutOfTheBlue != 0 || c.BadTag != 0 {
			t.Errorf("end %d: %+v", i, c)
		}
	}
}

func TestEarlyDataRidesBehindCookieEcho(t *testing.T) { // SCTP-2-08
	p := newPair(t, Config{}, Config{})
	x, err := p.ends[0].Connect(p.now, []netip.AddrPort{p.addrs[1]}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p.send(0, x, 0, []byte("early"))
	p.run(5 * time.Millisecond)
	if got := p.messages(1); len(got) != 1 || p.packets > 5 {
		t.Errorf("%d messages after %d packets", len(got), p.packets)
	}
	p.run(time.Second / 2)
	if n := p.ends[0].Counters().Retransmissions; n != 0 {
		t.Errorf("%d retransmissions", n)
	}
}

func TestSizes(t *testing.T) { // fragment edges, SCTP-3-04, SCTP-7-24
	p := newPair(t, Config{}, Config{})
	x, _ := p.connect(nil)
	r := rand.New(rand.NewPCG(1, 2))
	var sent [][]byte
	for _, n := range []int{1, 2, 3, 4, 1443, 1444, 1445, 2887, 2888, 2889, 65536, 262144, 1 << 20} {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		sent = append(sent, b)
		p.send(0, x, 0, b)
	}
	p.until(20*time.Second, "messages", func() bool { return len(p.messages(1)) == len(sent) })
	for i, m := range p.messages(1) {
		if !bytes.Equal(m, sent[i]) {
			t.Errorf("message of %d bytes differs", len(sent[i]))
		}
	}
	if n := p.ends[0].Counters().Retransmissions; n != 0 {
		t.Errorf("%d retransmissions without loss", n)
	}
}

func TestLossIsRepaired(t *testing.T) {
	for _, loss := range []float64{0.01, 0.05, 0.2} {
		t.Run(fmt.Sprint(loss), func(t *testing.T) {
			p := newPair(t, Config{InitialTSN: func() uint32 { return 0xffffff00 }}, Config{})
			x, y := p.connect(&assoc.Params{AssocMaxRetrans: 50, PathMaxRetrans: 50})
			r := rand.New(rand.NewPCG(uint64(loss*100), 2))
			if err := p.ends[1].SetParams(y, assoc.Params{AssocMaxRetrans: 50}); err != nil {
				t.Fatal(err)
			}
			p.drop = func(int, []byte) bool { return r.Float64() < loss }
			var want [4][]string
			for i := range 2000 {
				s := uint16(i % 4)
				b := fmt.Appendf(nil, "%d-%d-%s", s, i, make([]byte, i%3000))
				want[s] = append(want[s], string(b))
				p.send(0, x, s, b)
			}
			p.until(10*time.Minute, "messages", func() bool { return len(p.messages(1)) == 2000 })
			var got [4][]string
			for _, ev := range p.events[1] {
				if ev.info.Kind == assoc.Message {
					got[ev.info.Stream] = append(got[ev.info.Stream], string(ev.data))
				}
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
			p.drop = nil
			if err := p.ends[0].Shutdown(p.now, x); err != nil {
				t.Fatal(err)
			}
			p.run(3 * time.Second)
			p.wantGone()
		})
	}
}

func TestAbort(t *testing.T) { // SCTP-2-55
	p := newPair(t, Config{}, Config{})
	x, _ := p.connect(nil)
	if err := p.ends[0].Abort(p.now, x, "because"); err != nil {
		t.Fatal(err)
	}
	p.run(time.Second)
	p.wantKinds(0, assoc.CommUp, assoc.CommLost)
	p.wantKinds(1, assoc.CommUp, assoc.CommLost)
	here, there := p.find(0, assoc.CommLost).info, p.find(1, assoc.CommLost).info
	if !errors.Is(here.Err, assoc.ErrLocalAbort) || !errors.Is(there.Err, assoc.ErrAborted) {
		t.Errorf("%v and %v", here.Err, there.Err)
	}
	if there.Cause != uint16(chunk.CauseUserAbort) || !bytes.Contains([]byte(there.Err.Error()), []byte("because")) {
		t.Errorf("cause %d, %v", there.Cause, there.Err)
	}
	p.wantGone()
}

// A silent peer is noticed by heartbeats within the bound of SCTP-4-20, busy
// or not, and what it did not acknowledge comes back in order.
func TestSilentPeer(t *testing.T) {
	for _, busy := range []bool{false, true} {
		t.Run(fmt.Sprint("busy=", busy), func(t *testing.T) {
			p := newPair(t, Config{}, Config{})
			x, _ := p.connect(nil)
			p.run(3 * time.Second)
			start := p.now
			p.drop = func(int, []byte) bool { return true }
			if busy {
				for i := range 10 {
					p.send(0, x, uint16(i%3), make([]byte, 1000*(i+1)))
				}
			}
			p.until(10*time.Second, "end", func() bool { return p.find(0, assoc.CommLost) != nil })
			took := p.now.Sub(start)
			d := assoc.Default()
			bound, r := d.RTOMin+d.RTOMax, d.RTOMin
			for range d.AssocMaxRetrans {
				bound += r
				r = min(2*r, d.RTOMax)
			}
			if !busy {
				bound += time.Duration(d.AssocMaxRetrans+1) * (d.HeartbeatInterval + d.RTOMax/2)
			}
			if took > bound {
				t.Errorf("noticed after %v, bound %v", took, bound)
			}
			var failed []int
			for _, ev := range p.events[0] {
				if ev.info.Kind == assoc.SendFailed {
					failed = append(failed, len(ev.data))
				}
			}
			if busy && !cmp.Equal(failed, []int{1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10000}) {
				t.Errorf("came back: %v", failed)
			}
			if k := p.kinds(0); k[len(k)-1] != assoc.CommLost {
				t.Errorf("events %v", k)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	p := newPair(t, Config{}, Config{NoListen: true})
	x, _ := p.ends[0].Connect(p.now, []netip.AddrPort{p.addrs[1]}, nil)
	p.send(0, x, 0, []byte("one"))
	p.send(0, x, 1, []byte("two"))
	p.run(time.Second)
	p.wantKinds(0, assoc.SendFailed, assoc.SendFailed, assoc.CannotStart)
	if ev := p.events[0]; !errors.Is(ev[2].info.Err, assoc.ErrRefused) || !ev[0].info.Unsent || string(ev[0].data) != "one" {
		t.Errorf("%+v", ev)
	}
	p.wantGone()
}

func TestNobodyThere(t *testing.T) { // SCTP-2-06: exactly Max.Init.Retransmits
	p := newPair(t, Config{}, Config{})
	p.drop = func(int, []byte) bool { return true }
	if _, err := p.ends[0].Connect(p.now, []netip.AddrPort{p.addrs[1]}, nil); err != nil {
		t.Fatal(err)
	}
	p.run(10 * time.Second)
	p.wantKinds(0, assoc.CannotStart)
	if !errors.Is(p.events[0][0].info.Err, assoc.ErrTimeout) || p.packets != 1+assoc.Default().MaxInitRetransmits {
		t.Errorf("%v after %d packets", p.events[0][0].info.Err, p.packets)
	}
	p.wantGone()
}

// A stopped reader closes the window; reading opens it at once (SCTP-3-42,
// SCTP-3-44), and the association survives meanwhile.
func TestStoppedReader(t *testing.T) {
	small := Config{Params: assoc.Params{ReceiveBuffer: 64 << 10}}
	p := newPair(t, Config{}, small)
	x, _ := p.connect(nil)
	p.hold[1] = true
	for range 200 {
		p.send(0, x, 0, make([]byte, 1000))
	}
	p.run(time.Minute)
	if s, err := p.ends[0].Status(x); err != nil || s.Unsent+s.Unacked < 100 {
		t.Fatalf("%+v, %v", s, err)
	}
	if held := p.ends[1].received; held > 200<<10 {
		t.Errorf("%d bytes held", held)
	}
	p.hold[1] = false
	p.read(1)
	p.until(300*time.Millisecond, "rest", func() bool { return len(p.messages(1)) == 200 })
}

// A buffer that becomes larger is room: the peer is told of it at once (SCTP-3-42), and
// so is the user who waits for some (SCTP-3-08).
func TestLargerBuffers(t *testing.T) {
	p := newPair(t, Config{}, Config{Params: assoc.Params{ReceiveBuffer: 16 << 10}})
	x, y := p.connect(&assoc.Params{SendBuffer: 20_000})
	p.hold[1] = true
	for p.ends[0].Send(p.now, make([]byte, 1000), &assoc.SendInfo{Assoc: x}) == nil {
		p.flush()
	}
	p.run(time.Minute)
	for p.ends[0].Send(p.now, make([]byte, 1000), &assoc.SendInfo{Assoc: x}) == nil {
		p.flush()
	}
	p.run(time.Minute)
	for _, ok := p.ends[0].Writable(); ok; _, ok = p.ends[0].Writable() {
	}
	if err := p.ends[0].SetParams(x, assoc.Params{SendBuffer: 1 << 20}); err != nil {
		t.Fatal(err)
	}
	if id, ok := p.ends[0].Writable(); !ok || id != x {
		t.Error("a larger send buffer is not told of")
	}
	before, err := p.ends[0].Status(x)
	if err != nil || before.Unsent+before.Unacked == 0 {
		t.Fatalf("%+v, %v", before, err)
	}
	if err := p.ends[1].SetParams(y, assoc.Params{ReceiveBuffer: 1 << 20}); err != nil {
		t.Fatal(err)
	}
	p.until(5*time.Millisecond, "window", func() bool { s, _ := p.ends[0].Status(x); return s.PeerWindow > 500_000 })
}

func TestWritable(t *testing.T) { // SCTP-3-08
	p := newPair(t, Config{}, Config{})
	x, _ := p.connect(&assoc.Params{SendBuffer: 10000})
	n := 0
	for ; ; n++ {
		err := p.ends[0].Send(p.now, make([]byte, 1000), &assoc.SendInfo{Assoc: x})
		if errors.Is(err, assoc.ErrWouldBlock) {
			break
		}
	}
	if _, ok := p.ends[0].Writable(); ok || n != 9 {
		t.Fatalf("writable at once, after %d messages", n)
	}
	p.run(time.Second)
	if id, ok := p.ends[0].Writable(); !ok || id != x {
		t.Error("not writable")
	}
	if _, ok := p.ends[0].Writable(); ok {
		t.Error("writable twice")
	}
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	p := newPair(t, Config{}, Config{})
	x, _ := p.connect(nil)
	a, b := p.ends[0], p.ends[1]
	data := make([]byte, 300)
	buf := make([]byte, 1024)
	var out Packet
	out.Data = make([]byte, 0, 2048)
	info := assoc.SendInfo{Assoc: x}
	var got assoc.RecvInfo
	n := testing.AllocsPerRun(1000, func() {
		p.now = p.now.Add(time.Millisecond)
		if err := a.Send(p.now, data, &info); err != nil {
			t.Fatal(err)
		}
		for busy := true; busy; {
			busy = false
			for i, e := range p.ends {
				for e.Output(p.now, &out) {
					busy = true
					p.ends[1-i].Input(p.now, Packet{Peer: p.addrs[i], Local: p.addrs[1-i].Addr(), Data: out.Data})
				}
			}
		}
		for b.Readable() {
			if _, err := b.Recv(p.now, buf, &got); err != nil {
				t.Fatal(err)
			}
		}
		a.Advance(p.now)
		b.Advance(p.now)
	})
	if n >= 0.1 {
		t.Errorf("%v allocations per message", n)
	}
}
