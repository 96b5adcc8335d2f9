package sctp

import (
	"errors"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

var (
	epoch    = time.Unix(1000, 0)
	peerAddr = netip.MustParseAddrPort("192.0.2.7:7")
)

// A peer that comes back under the same address takes the association over;
// what it did not acknowledge before goes back (SCTP-2-25 case A).
func TestPeerRestarts(t *testing.T) {
	p := newPair(t, Config{}, Config{})
	_, y := p.connect(nil)
	p.run(2 * time.Second)
	p.drop = func(int, []byte) bool { return true }
	p.send(1, y, 0, []byte("to the old one"))
	p.flush()
	p.drop = nil
	p.ends[0] = New(Config{Port: 5000, Rand: newSeeded(77)})
	p.events[0] = nil
	if _, err := p.ends[0].Connect(p.now, []netip.AddrPort{p.addrs[1]}, nil); err != nil {
		t.Fatal(err)
	}
	p.until(time.Second, "restart", func() bool { return p.find(1, assoc.Restart) != nil && p.find(0, assoc.CommUp) != nil })
	p.wantKinds(1, assoc.CommUp, assoc.SendFailed, assoc.Restart)
	if ev := p.find(1, assoc.SendFailed); string(ev.data) != "to the old one" || ev.info.Unsent {
		t.Errorf("%+v", ev)
	}
	if p.find(1, assoc.Restart).info.Assoc != y {
		t.Error("another ID")
	}
	p.send(1, y, 0, []byte("to the new one"))
	p.send(0, p.find(0, assoc.CommUp).info.Assoc, 0, []byte("from the new one"))
	p.until(time.Second, "messages", func() bool { return len(p.messages(0)) == 1 && len(p.messages(1)) == 1 })
	if got := string(p.messages(0)[0]); got != "to the new one" {
		t.Errorf("%q", got)
	}
}

// Both ends open at once and get one association each (SCTP-2-20, SCTP-2-25
// case B).
func TestSimultaneousOpen(t *testing.T) {
	for _, noListen := range []bool{false, true} {
		p := newPair(t, Config{NoListen: noListen}, Config{NoListen: noListen})
		for i := range 2 {
			id, err := p.ends[i].Connect(p.now, []netip.AddrPort{p.addrs[1-i]}, nil)
			if err != nil {
				t.Fatal(err)
			}
			p.send(i, id, 0, []byte{byte('a' + i)})
		}
		p.until(2*time.Second, "messages", func() bool { return len(p.messages(0)) == 1 && len(p.messages(1)) == 1 })
		p.run(time.Second / 2)
		for i := range 2 {
			p.wantKinds(i, assoc.CommUp, assoc.Message)
			if n := len(p.ends[i].byID); n != 1 {
				t.Errorf("%d associations", n)
			}
		}
	}
}

// unreachable tells end i that the other end's port is closed, for every
// packet that it sends from now on.
func (p *pair) unreachable(i int) {
	p.drop = func(from int, data []byte) bool {
		if from == i {
			p.ends[i].Unreachable(p.now, p.addrs[1-i], data)
		}
		return true
	}
}

// UDP-5.5-01.
func TestPortUnreachable(t *testing.T) { // SCTP-5-08, SCTP-5-09
	t.Run("while connecting", func(t *testing.T) {
		p := newPair(t, Config{}, Config{})
		p.unreachable(0)
		if _, err := p.ends[0].Connect(p.now, []netip.AddrPort{p.addrs[1]}, nil); err != nil {
			t.Fatal(err)
		}
		p.flush()
		p.read(0)
		p.wantKinds(0, assoc.CannotStart)
		if !errors.Is(p.events[0][0].info.Err, assoc.ErrRefused) {
			t.Error(p.events[0][0].info.Err)
		}
	})
	t.Run("established", func(t *testing.T) {
		p := newPair(t, Config{}, Config{})
		x, _ := p.connect(nil)
		p.unreachable(0)
		start := p.now
		p.send(0, x, 0, []byte("lost"))
		p.until(time.Second, "end", func() bool { return p.find(0, assoc.CommLost) != nil })
		if took := p.now.Sub(start); took > 10*ms {
			t.Errorf("noticed after %v", took)
		}
	})
	t.Run("but it answers", func(t *testing.T) {
		p := newPair(t, Config{}, Config{})
		x, _ := p.connect(nil)
		var quoted []byte
		p.drop = func(from int, data []byte) bool { quoted = append(quoted[:0], data...); return true }
		p.send(0, x, 0, []byte("once"))
		p.flush()
		p.drop = nil
		for range 5 { // one packet may bring several, of routers and hosts
			p.ends[0].Unreachable(p.now, p.addrs[1], quoted)
		}
		p.until(time.Second, "message", func() bool { return len(p.messages(1)) == 1 })
		p.run(100 * ms)
		if s, err := p.ends[0].Status(x); err != nil || s.Paths[0].Errors != 0 || p.find(0, assoc.CommLost) != nil {
			t.Errorf("%+v, %v", s, err)
		}
	})
	t.Run("forged", func(t *testing.T) {
		p := newPair(t, Config{}, Config{})
		x, _ := p.connect(nil)
		p.run(ms)
		for _, quoted := range [][]byte{nil, {1, 2, 3}, chunk.AppendHeader(nil, chunk.Header{SrcPort: 5000, DstPort: 5001, Tag: 12345})} {
			p.ends[0].Unreachable(p.now, p.addrs[1], quoted)
		}
		if s, _ := p.ends[0].Status(x); s.Paths[0].Errors != 0 || p.ends[0].Counters().UnreachableIgnored != 3 {
			t.Errorf("%+v, %+v", s, p.ends[0].Counters())
		}
	})
}

// The peer moves to another UDP port, as behind a NAT: packets with the right
// tag take the association along (SCTP-5-02).
// UDP-5.1-02, UDP-5.4-01: the port is that of the path.
func TestPeerMovesToAnotherPort(t *testing.T) {
	p := newPair(t, Config{}, Config{})
	x, y := p.connect(nil)
	p.send(0, x, 0, []byte("moved"))
	var out Packet
	if !p.ends[0].Output(p.now, &out) {
		t.Fatal("nothing to send")
	}
	moved := netip.AddrPortFrom(p.addrs[0].Addr(), 40000)
	bad := append([]byte(nil), out.Data...)
	bad[4] ^= 1
	chunk.Seal(bad)
	p.ends[1].Input(p.now, Packet{Peer: moved, Data: bad})
	if s, _ := p.ends[1].Status(y); s.Paths[0].UDPPort != 5000 {
		t.Error("a wrong tag moves the port")
	}
	p.ends[1].Input(p.now, Packet{Peer: moved, Data: out.Data})
	if s, _ := p.ends[1].Status(y); s.Paths[0].UDPPort != 40000 || p.ends[1].Counters().PortChanges != 1 {
		t.Errorf("%+v", s)
	}
}

// INITs leave nothing behind (SCTP-2-27), and an idle association is small.
func TestMemory(t *testing.T) {
	e := New(Config{Port: 5000, Rand: newSeeded(1)})
	now := epoch
	var out Packet
	connect := func(i int, finish bool) {
		now = now.Add(ms)
		peer := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 7)
		params := chunk.AppendParam(nil, chunk.ParamForwardTSN, nil)
		b := chunk.AppendHeader(nil, chunk.Header{SrcPort: 7, DstPort: 5000})
		b = appendInit(b, chunk.TypeInit, 1, &offer{window: 1 << 16, outStreams: 65535, inStreams: 65535}, params, 0)
		chunk.Seal(b)
		e.Input(now, Packet{Peer: peer, Data: b})
		if !e.Output(now, &out) || !finish {
			return
		}
		c, _, err := chunk.Next(out.Data[chunk.HeaderSize:])
		if err != nil {
			t.Fatal(err)
		}
		o, err := readOffered(c, peer.Addr())
		if err != nil {
			t.Fatal(err)
		}
		b = chunk.AppendHeader(nil, chunk.Header{SrcPort: 7, DstPort: 5000, Tag: o.tag})
		b = chunk.AppendRaw(b, chunk.TypeCookieEcho, 0, o.cookie)
		chunk.Seal(b)
		e.Input(now, Packet{Peer: peer, Data: b})
		for e.Output(now, &out) {
		}
		readAll(e)
	}
	heap := func() int {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc)
	}
	connect(0, false)
	before := heap()
	for i := range 10_000 {
		connect(i, false)
	}
	if grown := heap() - before; grown > 64<<10 || !e.Idle() {
		t.Errorf("%d bytes after 10,000 INITs", grown)
	}
	const n = 2000
	before = heap()
	for i := range n {
		connect(i, true)
	}
	if len(e.byID) != n {
		t.Fatalf("%d associations", len(e.byID))
	}
	per := (heap() - before) / n
	t.Logf("%d bytes per idle association", per)
	if per > 4096 {
		t.Errorf("%d bytes per idle association", per)
	}
	runtime.KeepAlive(e)
}

func TestLimitsPerPeer(t *testing.T) { // SCTP-6-07
	e := New(Config{Port: 5000, Rand: newSeeded(1), MaxAssocs: 3, MaxAssocsPerPeer: 2})
	addr := peerAddr.Addr()
	for i := range 2 {
		if !e.room(addr, true) {
			t.Fatalf("no room for number %d", i)
		}
		a := e.newAssociation(assoc.Params{}, uint32(i+1), uint16(i+1))
		a.incoming = true
		a.primary = a.newPath(addr, 7)
		a.source.incoming++
	}
	if e.room(addr, true) || !e.room(netip.MustParseAddr("192.0.2.8"), true) || !e.room(netip.MustParseAddr("127.0.0.1"), true) {
		t.Error("limit per peer")
	}
	e.newAssociation(assoc.Params{}, 9, 9)
	if e.room(netip.MustParseAddr("127.0.0.1"), false) {
		t.Error("limit of the endpoint")
	}
}

// With two addresses of the peer, data moves to the second when the first
// fails, and back when it works again (SCTP-3-122, SCTP-3-124).
func TestAlternatePath(t *testing.T) {
	p := newPair(t, Config{}, Config{})
	p.second = netip.AddrPortFrom(netip.MustParseAddr("10.9.0.2"), 5001)
	x, err := p.ends[0].Connect(p.now, []netip.AddrPort{p.addrs[1], p.second}, &assoc.Params{AssocMaxRetrans: 8})
	if err != nil {
		t.Fatal(err)
	}
	p.run(4 * time.Second)
	p.broken = p.addrs[1].Addr()
	for i := range 40 {
		p.send(0, x, 0, []byte{byte(i)})
		p.run(200 * ms)
	}
	got := p.messages(1)
	if len(got) != 40 {
		t.Fatalf("%d messages arrived, events %v", len(got), p.kinds(0))
	}
	for i, m := range got {
		if m[0] != byte(i) {
			t.Errorf("message %d is %v", i, m)
		}
	}
	s, _ := p.ends[0].Status(x)
	if s.Primary != 0 || s.Paths[0].Active || !s.Paths[1].Active || p.find(0, assoc.PeerAddrChange) == nil {
		t.Errorf("%+v, events %v", s, p.kinds(0))
	}
	p.broken = netip.Addr{}
	p.run(5 * time.Second)
	p.send(0, x, 0, []byte("home again"))
	p.flush()
	if s, _ := p.ends[0].Status(x); !s.Paths[0].Active || s.Paths[0].InFlight == 0 {
		t.Errorf("%+v", s)
	}
	if p.find(0, assoc.CommLost) != nil {
		t.Errorf("events %v", p.kinds(0))
	}
}

// Addresses that a peer lists carry no data before a heartbeat has verified
// them (SCTP-3-121).
func TestListedAddressIsVerified(t *testing.T) {
	e, a := receiver(t, assoc.Params{})
	listed := netip.MustParseAddr("192.0.2.99")
	a.learn([]netip.Addr{listed, peerAddr.Addr()})
	a.startBeats(epoch)
	if len(a.paths) != 2 || a.paths[1].confirmed {
		t.Fatalf("%d paths", len(a.paths))
	}
	now := epoch.Add(time.Second)
	e.Advance(now)
	if err := e.Send(now, []byte("data"), &assoc.SendInfo{Assoc: a.id}); err != nil {
		t.Fatal(err)
	}
	var out Packet
	var beat []byte
	for e.Output(now, &out) {
		for rest := out.Data[chunk.HeaderSize:]; len(rest) > 0; {
			c, more, err := chunk.Next(rest)
			if err != nil {
				t.Fatal(err)
			}
			rest = more
			if out.Peer.Addr() != listed {
				continue
			}
			if c.Type != chunk.TypeHeartbeat {
				t.Errorf("chunk of type %d to an address that is not verified", c.Type)
			}
			beat = append([]byte(nil), c.Value...)
		}
	}
	if beat == nil {
		t.Fatal("no heartbeat")
	}
	b := chunk.AppendHeader(nil, chunk.Header{SrcPort: 7, DstPort: 5000, Tag: a.tag})
	b = chunk.AppendRaw(b, chunk.TypeHeartbeatAck, 0, beat)
	chunk.Seal(b)
	e.Input(now, Packet{Peer: netip.AddrPortFrom(listed, 7), Data: b})
	if !a.paths[1].confirmed {
		t.Error("not confirmed")
	}
}
