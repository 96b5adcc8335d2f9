package sctp

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

func addrs(s ...string) (list []netip.Addr) {
	for _, x := range s {
		list = append(list, netip.MustParseAddr(x))
	}
	return list
}

// homes are two addresses on either side: the harness' own and one in
// another network.
var homes = [2][]netip.Addr{addrs("10.0.0.1", "10.1.0.1"), addrs("10.0.0.2", "10.1.0.2")}

// newHomes connects two endpoints with two addresses each; the second network
// is learnt from INIT and INIT ACK.
func newHomes(t *testing.T, params assoc.Params) (p *pair, x, y assoc.ID) {
	p = newPair(t, Config{Local: homes[0], Params: params}, Config{Local: homes[1], Params: params})
	x, y = p.connect(nil)
	p.run(2 * time.Second)
	return p, x, y
}

func (p *pair) paths(i int, id assoc.ID) []assoc.PathStatus {
	p.t.Helper()
	s, err := p.ends[i].Status(id)
	if err != nil {
		p.t.Fatal(err)
	}
	return s.Paths
}

func (p *pair) pathEvents(i int, s assoc.PathState) (n int) {
	for _, ev := range p.events[i] {
		if ev.info.Kind == assoc.PeerAddrChange && ev.info.PathState == s {
			n++
		}
	}
	return n
}

// network cuts one of the two networks.
func network(b byte) func(from, to netip.Addr) bool {
	return func(from, to netip.Addr) bool { return from.As4()[1] == b || to.As4()[1] == b }
}

// Both ends list their addresses, verify each other's, and pair them so that
// the paths have nothing in common (SCTP-3-120, 3-121, 3-123, 3-125).
func TestHomesAreListedAndPaired(t *testing.T) {
	p, x, y := newHomes(t, assoc.Params{})
	for i, id := range []assoc.ID{x, y} {
		paths := p.paths(i, id)
		if len(paths) != 2 || !paths[0].Active || !paths[1].Active || p.pathEvents(i, assoc.PathConfirmed) != 1 {
			t.Fatalf("end %d: %+v, events %v", i, paths, p.events[i])
		}
		for j, q := range p.ends[i].byID[id].paths {
			if q.addr != homes[1-i][j] || q.local != homes[i][j] {
				t.Errorf("end %d, path %d: from %v to %v", i, j, q.local, q.addr)
			}
		}
		local, peer, err := p.ends[i].AssocAddrs(id)
		if err != nil || len(local) != 2 || len(peer) != 2 || local[1].Addr() != homes[i][1] || local[1].Port() != p.addrs[i].Port() {
			t.Errorf("end %d: addresses %v and %v, %v", i, local, peer, err)
		}
	}
}

// An endpoint with one address, or a wildcard, lists none; loopback is only
// for loopback (SCTP-3-125, SCTP-5-05, SCTP-1-35).
// UDP-5.7-01.
func TestListedAddresses(t *testing.T) {
	lo, net4, net6, link := "127.0.0.1", "192.0.2.1", "2001:db8::1", "fe80::1"
	for _, c := range []struct {
		local []netip.Addr
		peer  string
		want  []netip.Addr
	}{
		{nil, net4, nil},
		{addrs(net4), net4, nil},
		{addrs(net4, net6), net4, addrs(net4, net6)},
		{addrs(lo, net4, link), net4, addrs(net4)},
		{addrs(lo, net4, link), lo, addrs(lo, net4)},
	} {
		e := New(Config{Port: 5000, Rand: newSeeded(1), Local: c.local})
		var got []netip.Addr
		for rest := e.appendLocal(nil, netip.MustParseAddr(c.peer)); len(rest) > 0; {
			var param chunk.Param
			var err error
			if param, rest, err = chunk.NextParam(rest); err != nil {
				t.Fatal(err)
			}
			a, ok := param.Addr()
			if !ok {
				t.Fatalf("%+v", param)
			}
			got = append(got, a)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%v to %s: listed %v, want %v", c.local, c.peer, got, c.want)
		}
	}
}

// When the first network fails, data goes on in the second within a timeout,
// whoever sends; the path is reported, the association lives; when the network
// is back so is the data (SCTP-3-114, 3-122, 3-124, 7-29).
func TestFailover(t *testing.T) {
	p, x, y := newHomes(t, assoc.Params{})
	p.cut = network(0)
	p.send(0, x, 0, []byte("there"))
	p.send(1, y, 0, []byte("back"))
	p.until(time.Second, "failover", func() bool { return len(p.messages(0)) == 1 && len(p.messages(1)) == 1 })
	for range 40 {
		p.send(0, x, 0, []byte("more"))
		p.run(200 * ms)
	}
	if n := len(p.messages(1)); n != 41 {
		t.Errorf("%d messages", n)
	}
	for i, id := range []assoc.ID{x, y} {
		if paths := p.paths(i, id); paths[0].Active || !paths[1].Active {
			t.Errorf("end %d: %+v", i, paths)
		}
		if n := p.pathEvents(i, assoc.PathUnreachable); n != 1 {
			t.Errorf("end %d: %d times unreachable", i, n)
		}
	}
	p.cut = nil
	p.run(5 * time.Second)
	for i, id := range []assoc.ID{x, y} {
		if paths := p.paths(i, id); !paths[0].Active || !paths[1].Active || p.pathEvents(i, assoc.PathAvailable) != 1 {
			t.Errorf("end %d: %+v", i, paths)
		}
		if p.find(i, assoc.CommLost) != nil {
			t.Errorf("end %d lost the association", i)
		}
	}
	p.send(0, x, 0, []byte("home again"))
	p.flush()
	if paths := p.paths(0, x); paths[0].InFlight == 0 || paths[1].InFlight != 0 {
		t.Errorf("%+v", paths)
	}
}

// An idle association survives the loss of its primary path too: heartbeats on
// the other one are its sign of life (SCTP-3-113, 3-114).
func TestIdleFailover(t *testing.T) {
	p, x, _ := newHomes(t, assoc.Params{})
	for round := range byte(2) {
		p.cut = network(round)
		p.run(30 * time.Second)
		if p.find(0, assoc.CommLost) != nil || p.find(1, assoc.CommLost) != nil {
			t.Fatalf("network %d: association lost: %v", round, p.kinds(0))
		}
		if paths := p.paths(0, x); paths[round].Active || !paths[1-round].Active {
			t.Errorf("network %d: %+v", round, paths)
		}
		p.cut = nil
		p.run(5 * time.Second)
	}
	p.cut = func(_, _ netip.Addr) bool { return true }
	p.until(20*time.Second, "end", func() bool { return p.find(0, assoc.CommLost) != nil && p.find(1, assoc.CommLost) != nil })
}

// Bytes in flight move with a retransmission to the other path, and the
// congestion windows stay apart (SCTP-3-63, 3-73, 3-122).
func TestFlightMoves(t *testing.T) {
	p, x, _ := newHomes(t, assoc.Params{MTU: 1500})
	a := p.ends[0].byID[x]
	p.cut = network(0)
	window := a.paths[1].cwnd
	p.send(0, x, 0, make([]byte, 4000))
	p.flush()
	if a.paths[0].flight == 0 || a.paths[1].flight != 0 {
		t.Fatalf("in flight: %d and %d", a.paths[0].flight, a.paths[1].flight)
	}
	p.until(time.Second, "timeout", func() bool { return p.ends[0].counters.Timeouts == 1 })
	if a.paths[0].flight != 0 || a.paths[1].flight == 0 || a.paths[0].cwnd != a.paths[0].pmdcs() || a.paths[1].cwnd != window {
		t.Errorf("in flight: %d and %d, windows %d and %d", a.paths[0].flight, a.paths[1].flight, a.paths[0].cwnd, a.paths[1].cwnd)
	}
	p.until(time.Second, "message", func() bool { return len(p.messages(1)) == 1 })
}

// A fast retransmission stays on its path (SCTP-3-73).
func TestFastRetransmitStays(t *testing.T) {
	p, x, _ := newHomes(t, assoc.Params{})
	a := p.ends[0].byID[x]
	lost := false
	p.drop = func(from int, data []byte) bool {
		if from == 0 && !lost && isData(data) {
			lost = true
			return true
		}
		return false
	}
	p.send(0, x, 0, make([]byte, 6000))
	p.send(0, x, 0, make([]byte, 6000))
	p.until(50*ms, "messages", func() bool { return len(p.messages(1)) == 2 })
	if c := p.ends[0].counters; c.FastRetransmissions != 1 || c.Timeouts != 0 || !a.paths[1].lastData.IsZero() {
		t.Errorf("%+v, last data on the other path %v", c, a.paths[1].lastData)
	}
}

// If this side's network fails, a path that has failed is tried from the other
// own address, as a new route (SCTP-3-85, 3-123).
func TestTurnsToOtherSource(t *testing.T) {
	p, x, _ := newHomes(t, assoc.Params{})
	p.cut = func(from, to netip.Addr) bool { return from == homes[0][0] || to == homes[0][0] }
	p.run(20 * time.Second)
	a := p.ends[0].byID[x]
	if q := a.paths[0]; !q.usable() || q.local != homes[0][1] {
		t.Errorf("usable %v from %v", q.usable(), q.local)
	}
	q := a.paths[1]
	q.cwnd, q.srtt, q.flight = 1<<20, time.Second, 7
	q.moveTo(homes[0][0])
	if q.cwnd != initialCongestion(q.pmdcs(), true).cwnd || q.srtt != 0 || q.flight != 7 {
		t.Errorf("cwnd %d, srtt %v, flight %d", q.cwnd, q.srtt, q.flight)
	}
	q.flight = 0
}

// The user may choose the primary path, among verified addresses (SCTP-3-124).
func TestSetPrimary(t *testing.T) {
	p, x, _ := newHomes(t, assoc.Params{})
	e := p.ends[0]
	for _, addr := range addrs("10.7.0.2", "10.0.0.1") {
		if err := e.SetParams(x, assoc.Params{Primary: addr}); err != assoc.ErrInvalid {
			t.Errorf("%v: %v", addr, err)
		}
	}
	if err := e.SetParams(0, assoc.Params{Primary: homes[1][0]}); err != assoc.ErrInvalid {
		t.Error(err)
	}
	if err := e.SetParams(x, assoc.Params{Primary: homes[1][1]}); err != nil {
		t.Fatal(err)
	}
	p.send(0, x, 0, []byte("data"))
	p.flush()
	if paths := p.paths(0, x); paths[0].InFlight != 0 || paths[1].InFlight == 0 || p.pathEvents(0, assoc.PathMadePrimary) != 1 {
		t.Errorf("%+v", paths)
	}
	q := newPair(t, Config{Local: homes[0]}, Config{Local: homes[1]})
	id, err := q.ends[0].Connect(q.now, []netip.AddrPort{q.addrs[1], netip.AddrPortFrom(homes[1][1], q.addrs[1].Port())},
		&assoc.Params{Primary: homes[1][1]})
	if err != nil {
		t.Fatal(err)
	}
	q.run(time.Second)
	if a := q.ends[0].byID[id]; a.primary.addr != homes[1][1] || a.primary.local != homes[0][1] {
		t.Errorf("primary %v from %v", a.primary.addr, a.primary.local)
	}
}

// A COOKIE ECHO from another address than the INIT came from confirms nothing
// but the address that got the INIT ACK (SCTP-3-121).
func TestCookieFromOtherAddress(t *testing.T) {
	p := newPair(t, Config{Local: homes[0]}, Config{Local: homes[1]})
	if _, err := p.ends[0].Connect(p.now, []netip.AddrPort{p.addrs[1]}, nil); err != nil {
		t.Fatal(err)
	}
	moved := false
	for range 10 {
		p.flush()
		for len(p.flying) > 0 {
			f := p.flying[0]
			p.flying = p.flying[1:]
			if chunk.Type(f.data[chunk.HeaderSize]) == chunk.TypeCookieEcho {
				f.from, moved = netip.AddrPortFrom(homes[0][1], f.from.Port()), true
			}
			p.ends[f.to].Input(p.now, Packet{Peer: f.from, Local: f.dst, Data: f.data})
		}
		if moved {
			break
		}
	}
	var a *association
	for _, a = range p.ends[1].byID {
	}
	if a == nil || len(a.paths) != 2 || a.primary.addr != homes[0][0] || !a.paths[0].confirmed || a.paths[1].confirmed {
		t.Fatalf("%+v", a)
	}
	p.until(3*time.Second, "verification", func() bool { return a.paths[1].confirmed })
}

// Of a path that comes and goes a slow reader learns the last state only
// (SCTP-4-09).
func TestPathEventsCoalesce(t *testing.T) {
	e, a := receiver(t, assoc.Params{})
	for range 50 {
		a.notifyPath(a.primary, assoc.PathUnreachable, assoc.ErrUnreachable)
		a.notifyPath(a.primary, assoc.PathAvailable, nil)
	}
	a.notifyPath(a.primary, assoc.PathUnreachable, assoc.ErrUnreachable)
	var info assoc.RecvInfo
	seen := 0
	for e.Readable() {
		if _, err := e.Recv(epoch, nil, &info); err != nil {
			t.Fatal(err)
		}
		if info.Kind == assoc.PeerAddrChange {
			seen++
			if info.PathState != assoc.PathUnreachable || info.Err == nil {
				t.Errorf("%+v", info)
			}
		}
	}
	if seen != 1 {
		t.Errorf("%d events", seen)
	}
	a.notifyPath(a.primary, assoc.PathAvailable, nil)
	if _, err := e.Recv(epoch, nil, &info); err != nil || info.PathState != assoc.PathAvailable {
		t.Errorf("%+v, %v", info, err)
	}
}

// A shutdown gets over a dead primary path (SCTP-2-53, RFC 9260 section 6.4.1).
func TestShutdownOverAlternate(t *testing.T) {
	p, x, _ := newHomes(t, assoc.Params{HeartbeatInterval: -1})
	p.cut = network(0)
	if err := p.ends[0].Shutdown(p.now, x); err != nil {
		t.Fatal(err)
	}
	p.until(3*time.Second, "end", func() bool {
		return p.find(0, assoc.ShutdownComplete) != nil && p.find(1, assoc.ShutdownComplete) != nil
	})
}

// Addresses that Connect was given and the peer does not list carry nothing before
// they are verified (section 5.4): a peer on a wildcard, which lists none, may not
// know us there. So they neither disturb the session nor delay its end where
// nobody listens any more.
func TestUnlistedAddressesAreVerified(t *testing.T) {
	for _, age := range []time.Duration{100 * ms, 5 * time.Minute} {
		p := newPair(t, Config{}, Config{})
		p.second = netip.AddrPortFrom(netip.MustParseAddr("10.1.0.2"), p.addrs[1].Port())
		p.broken = p.second.Addr()
		x, err := p.ends[0].Connect(p.now, []netip.AddrPort{p.addrs[1], p.second}, nil)
		if err != nil {
			t.Fatal(err)
		}
		p.run(age)
		p.send(0, x, 0, []byte("still there"))
		p.run(10 * ms)
		if got := p.messages(1); len(got) != 1 || p.find(0, assoc.CommLost) != nil {
			t.Fatalf("%d messages, events %v", len(got), p.kinds(0))
		}
		p.unreachable(0)
		start := p.now
		p.send(0, x, 0, []byte("lost"))
		p.until(time.Minute, "end", func() bool { return p.find(0, assoc.CommLost) != nil })
		if took := p.now.Sub(start); took > 10*ms {
			t.Errorf("after %v: noticed after %v", age, took)
		}
	}
}

// A peer has 32 addresses at most, whatever it lists (SCTP-1-35).
func TestAddressesAreBounded(t *testing.T) {
	e, a := receiver(t, assoc.Params{})
	var list []netip.Addr
	for i := range byte(40) {
		list = append(list, netip.AddrFrom4([4]byte{192, 0, 2, 100 + i}))
	}
	a.learn(list)
	a.learn(list)
	if len(a.paths) != 32 || len(e.byPeer) != 32 {
		t.Errorf("%d paths, %d of them found", len(a.paths), len(e.byPeer))
	}
	for _, p := range a.paths[1:] {
		if p.confirmed {
			t.Fatalf("%v is believed without an answer", p.addr)
		}
	}
	var params []byte
	for _, addr := range list {
		params = chunk.AppendAddr(params, addr)
	}
	c, _, _ := chunk.Next(chunk.AppendInit(nil, chunk.TypeInit, &chunk.Init{Tag: 1, Window: 1 << 16, OutStreams: 8, InStreams: 8, Params: params}, 0))
	if o, err := readOffered(c, peerAddr.Addr()); err != nil || len(o.addrs) != 32 {
		t.Errorf("%v: %d addresses are read", err, len(o.addrs))
	}
	if a.remove(); len(e.byPeer) != 0 || len(e.sources) != 0 {
		t.Errorf("%d paths and %d accounts are left", len(e.byPeer), len(e.sources))
	}
	var peers []netip.AddrPort
	for _, addr := range list {
		peers = append(peers, netip.AddrPortFrom(addr, 7))
	}
	if _, err := e.Connect(epoch, peers[:33], nil); err != assoc.ErrInvalid {
		t.Errorf("Connect to 33 addresses: %v", err)
	}
	if _, err := e.Connect(epoch, peers[:32], nil); err != nil {
		t.Errorf("Connect to 32 addresses: %v", err)
	}
}

// The primary address that Connect is given gets the INIT, and is the primary path
// when the association stands, whatever its place in the list (SCTP-3-124).
func TestConnectToPrimary(t *testing.T) {
	for i := range 2 {
		p := newPair(t, Config{Local: homes[0]}, Config{Local: homes[1]})
		var peers []netip.AddrPort
		for _, addr := range homes[1] {
			peers = append(peers, netip.AddrPortFrom(addr, p.addrs[1].Port()))
		}
		x, err := p.ends[0].Connect(p.now, peers, &assoc.Params{Primary: homes[1][i]})
		if err != nil {
			t.Fatal(err)
		}
		if s, _ := p.ends[0].Status(x); s.Primary != i {
			t.Errorf("primary %d, want %d", s.Primary, i)
		}
		for _, packet := range spoke(p.ends[0], p.now) {
			if packet.Peer.Addr() != homes[1][i] {
				t.Errorf("INIT goes to %v", packet.Peer)
			}
		}
		p.run(2 * time.Second)
		if s, err := p.ends[0].Status(x); err != nil || s.State != "ESTABLISHED" || s.Primary != i {
			t.Errorf("%v, primary %d, want %d", err, s.Primary, i)
		}
	}
}

// A cookie whose INIT came from a link-local address is good from that address only,
// which alone says in which zone the peer is.
func TestCookieFromLinkLocal(t *testing.T) {
	from := netip.MustParseAddr("fe80::2%eth0")
	for name, tt := range map[string]struct {
		echo netip.Addr
		ok   bool
	}{
		"same address":     {from, true},
		"another zone":     {from.WithZone("eth1"), true},
		"a listed address": {netip.MustParseAddr("2001:db8::2"), false},
	} {
		e := New(Config{Port: 5000, Rand: newSeeded(1)})
		params := chunk.AppendAddr(nil, netip.MustParseAddr("2001:db8::2"))
		b := chunk.AppendHeader(nil, chunk.Header{SrcPort: 7, DstPort: 5000})
		b = chunk.AppendInit(b, chunk.TypeInit, &chunk.Init{Tag: 77, Window: 9999, OutStreams: 1, InStreams: 1, TSN: 1, Params: params}, 0)
		chunk.Seal(b)
		e.Input(epoch, Packet{Peer: netip.AddrPortFrom(from, 9899), Data: b})
		answer := chunksOf(t, spoke(e, epoch)[0].Data)[0]
		o, err := readOffered(answer, from)
		if err != nil {
			t.Fatal(err)
		}
		b = chunk.AppendHeader(nil, chunk.Header{SrcPort: 7, DstPort: 5000, Tag: o.tag})
		b = chunk.AppendRaw(b, chunk.TypeCookieEcho, 0, o.cookie)
		chunk.Seal(b)
		e.Input(epoch, Packet{Peer: netip.AddrPortFrom(tt.echo, 9899), Data: b})
		if (len(e.byID) == 1) != tt.ok {
			t.Errorf("%s: %d associations", name, len(e.byID))
			continue
		}
		for _, a := range e.byID {
			if a.primary.addr != tt.echo {
				t.Errorf("%s: the path is to %v", name, a.primary.addr)
			}
		}
	}
}
