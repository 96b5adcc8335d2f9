package sctp

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// pair is two endpoints on a link in virtual time.
type pair struct {
	t       *testing.T
	now     time.Time
	ends    [2]*Endpoint
	addrs   [2]netip.AddrPort
	second  netip.AddrPort // another address of end 1
	cut     func(from, to netip.Addr) bool
	wide    func(data []byte, dontFragment bool) bool // says that the link cannot carry it
	broken  netip.Addr                                // no packet from or to it arrives
	delay   time.Duration
	rate    int          // bytes per second in each direction; 0 = no limit
	busy    [2]time.Time // the transmitter of an end is, until then
	flying  []flight
	drop    func(from int, data []byte) bool
	packets int
	classes [2]map[uint8]bool // what each end has sent with
	events  [2][]received
	hold    [2]bool // does not read
	buf     []byte
}

type flight struct {
	at   time.Time
	to   int
	data []byte
	from netip.AddrPort
	dst  netip.Addr
}

type received struct {
	info assoc.RecvInfo
	data []byte
}

type seeded struct{ r *rand.ChaCha8 }

func (s seeded) Read(b []byte) (int, error) { return s.r.Read(b) }

func newSeeded(seed byte) seeded { return seeded{rand.NewChaCha8([32]byte{seed})} }

func newPair(t *testing.T, a, b Config) *pair {
	p := &pair{t: t, now: time.Unix(1000, 0), delay: time.Millisecond}
	for i, c := range []Config{a, b} {
		c.Port = uint16(5000 + i)
		c.Rand = newSeeded(byte(i + 1))
		p.ends[i] = New(c)
		p.classes[i] = map[uint8]bool{}
		p.addrs[i] = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(i + 1)}), c.Port)
	}
	return p
}

// flush sends what the endpoints have to send and reads what they received.
func (p *pair) flush() {
	for i, e := range p.ends {
		var out Packet
		for n := 0; e.Output(p.now, &out); n++ {
			if n > 10000 {
				p.t.Fatal("endpoint does not stop sending")
			}
			p.packets++
			p.classes[i][out.DSCP] = true
			from := p.addrs[i]
			if out.Local.IsValid() {
				from = netip.AddrPortFrom(out.Local, from.Port())
			}
			if out.Peer.Port() != p.addrs[1-i].Port() || out.Peer != p.addrs[1-i] && out.Peer != p.second && !slices.Contains(p.ends[1-i].cfg.Local, out.Peer.Addr()) {
				p.t.Fatalf("packet to %v", out.Peer)
			}
			if p.cut != nil && p.cut(from.Addr(), out.Peer.Addr()) || p.wide != nil && p.wide(out.Data, out.DontFragment) {
				continue
			}
			if p.drop != nil && p.drop(i, out.Data) || p.broken.IsValid() && (out.Peer.Addr() == p.broken || from.Addr() == p.broken) {
				continue
			}
			p.fly(flight{p.now.Add(p.delay), 1 - i, bytes.Clone(out.Data), from, out.Peer.Addr()})
		}
		p.read(i)
	}
}

// fly puts a packet on its way, behind those that leave before it.
func (p *pair) fly(f flight) {
	if p.rate > 0 {
		busy := &p.busy[1-f.to]
		if busy.Before(p.now) {
			*busy = p.now
		}
		*busy = busy.Add(time.Duration(len(f.data)+28) * time.Second / time.Duration(p.rate))
		f.at = busy.Add(p.delay)
	}
	i := len(p.flying)
	for i > 0 && p.flying[i-1].at.After(f.at) {
		i--
	}
	p.flying = slices.Insert(p.flying, i, f)
}

func (p *pair) read(i int) {
	if p.hold[i] {
		return
	}
	if p.buf == nil {
		p.buf = make([]byte, 1<<21)
	}
	buf := p.buf
	for {
		var info assoc.RecvInfo
		n, err := p.ends[i].Recv(p.now, buf, &info)
		if err != nil {
			return
		}
		p.events[i] = append(p.events[i], received{info, bytes.Clone(buf[:n])})
	}
}

// step goes to the next thing that happens, up to the limit.
func (p *pair) step(limit time.Time) bool {
	p.flush()
	at, ok := limit, false
	for _, e := range p.ends {
		if t, armed := e.Next(); armed && !t.After(at) {
			at, ok = t, true
		}
	}
	if len(p.flying) > 0 && !p.flying[0].at.After(at) {
		at, ok = p.flying[0].at, true
	}
	if !ok {
		p.now = limit
		return false
	}
	if at.After(p.now) {
		p.now = at
	}
	for len(p.flying) > 0 && !p.flying[0].at.After(p.now) {
		f := p.flying[0]
		p.flying = p.flying[1:]
		p.ends[f.to].Input(p.now, Packet{Peer: f.from, Local: f.dst, Data: f.data})
		p.flush()
	}
	for _, e := range p.ends {
		e.Advance(p.now)
	}
	p.flush()
	return true
}

func (p *pair) run(d time.Duration) {
	limit := p.now.Add(d)
	for p.step(limit) {
	}
}

// until runs until the condition holds.
func (p *pair) until(d time.Duration, what string, cond func() bool) {
	p.t.Helper()
	limit := p.now.Add(d)
	for p.flush(); !cond(); {
		if !p.step(limit) {
			if cond() {
				return
			}
			p.t.Fatalf("no %s within %v", what, d)
		}
	}
}

func (p *pair) kinds(i int) (k []assoc.Kind) {
	for _, ev := range p.events[i] {
		k = append(k, ev.info.Kind)
	}
	return k
}

func (p *pair) find(i int, kind assoc.Kind) *received {
	for j := range p.events[i] {
		if p.events[i][j].info.Kind == kind {
			return &p.events[i][j]
		}
	}
	return nil
}

// connect opens an association from end 0 to end 1 and returns both IDs.
func (p *pair) connect(params *assoc.Params) (x, y assoc.ID) {
	p.t.Helper()
	x, err := p.ends[0].Connect(p.now, []netip.AddrPort{p.addrs[1]}, params)
	if err != nil {
		p.t.Fatal(err)
	}
	p.until(time.Second, "association", func() bool { return p.find(0, assoc.CommUp) != nil && p.find(1, assoc.CommUp) != nil })
	return x, p.find(1, assoc.CommUp).info.Assoc
}

func (p *pair) send(i int, id assoc.ID, stream uint16, data []byte) {
	p.t.Helper()
	if err := p.ends[i].Send(p.now, data, &assoc.SendInfo{Assoc: id, Stream: stream, PPID: 7}); err != nil {
		p.t.Fatal(err)
	}
}

func (p *pair) messages(i int) (m [][]byte) {
	for _, ev := range p.events[i] {
		if ev.info.Kind == assoc.Message {
			m = append(m, ev.data)
		}
	}
	return m
}
