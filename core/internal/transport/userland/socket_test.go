package userland

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/internal/sctp"
)

func open(t *testing.T, addr string) *socket {
	t.Helper()
	s, err := openSocket(netip.MustParseAddrPort(addr), true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.file.Close() })
	return s
}

func write(s *socket, packets []sctp.Packet) (lost int, troubled bool) {
	out := sendBatches.Get().(*sendBatch)
	defer sendBatches.Put(out)
	return out.write(s, packets)
}

// receive reads until want packets have come.
func receive(t *testing.T, s *socket, want int) (got []sctp.Packet) {
	t.Helper()
	s.rx.take = func(n int, _ bool) bool {
		for i := range n {
			if !s.rx.packets(i, func(p *sctp.Packet) {
				q := *p
				q.Data = bytes.Clone(p.Data)
				got = append(got, q)
			}) {
				t.Errorf("datagram %d is of no use", i)
			}
		}
		return len(got) < want
	}
	if err := s.rx.run(); err != nil {
		t.Fatal(err)
	}
	return got
}

// packet is a pattern that looks like an SCTP packet to a port.
func packet(n, seed int, port uint16) []byte {
	b := pattern(n, seed)
	if n >= 4 {
		binary.BigEndian.PutUint16(b[2:], port)
	}
	return b
}

func pattern(n, seed int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + seed)
	}
	return b
}

// Packets of all sizes keep order, boundaries and addresses, whether the
// system segments and coalesces them or not (SCTP-5-01, SCTP-5-13).
// UDP-5.2-01, UDP-5.3-01: a datagram is a packet, between the ports of the two.
func TestPacketsThroughSockets(t *testing.T) {
	sizes := []int{16, 1400, 1400, 1400, 1400, 300, 1400, 1400, 65507, 1, 1, 1, 9000, 9000, 9000, 9000, 9000, 9000, 9000, 9000, 9000, 20, 65507, 65507}
	for _, test := range []struct {
		name, from, to string
		gso            bool
	}{
		{"IPv4", "127.0.0.1:0", "127.0.0.1:0", true},
		{"IPv4 without segmentation", "127.0.0.1:0", "127.0.0.1:0", false},
		{"IPv6", "[::1]:0", "[::1]:0", true},
		{"IPv6 without segmentation", "[::1]:0", "[::1]:0", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, b := open(t, test.from), open(t, test.to)
			a.gso = a.gso && test.gso
			var out []sctp.Packet
			for i, n := range sizes {
				out = append(out, sctp.Packet{Peer: b.local, Data: packet(n, i, b.local.Port()), DontFragment: i%5 == 1 && n < 2000})
			}
			if lost, _ := write(a, out); lost != 0 {
				t.Fatalf("%d packets refused", lost)
			}
			for i, p := range receive(t, b, len(sizes)) {
				if p.Peer != a.local || p.Local != b.local.Addr() {
					t.Errorf("packet %d from %v to %v, want %v to %v", i, p.Peer, p.Local, a.local, b.local)
				}
				if !bytes.Equal(p.Data, out[i].Data) {
					t.Errorf("packet %d: %d bytes differ from the %d sent", i, len(p.Data), len(out[i].Data))
				}
			}
		})
	}
}

// Packets are put together for peers like us only: what may be a kernel's SCTP
// gets them one by one.
func TestCoalescing(t *testing.T) {
	s := open(t, "127.0.0.1:0")
	if !s.gso {
		t.Skip("this kernel has no UDP segmentation")
	}
	for _, test := range []struct {
		udp, sctp uint16
		want      int // messages for three packets
	}{{40000, 40000, 1}, {40000, 40001, 3}, {kernelPort, 40000, 3}, {kernelPort, kernelPort, 3}} {
		to := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), test.udp)
		p := sctp.Packet{Peer: to, Data: packet(100, 1, test.sctp)}
		out := &sendBatch{s: s, msgs: newMmsg(writeBatch)}
		if got := out.arrange([]sctp.Packet{p, p, p}); got != test.want {
			t.Errorf("UDP port %d, SCTP port %d: %d messages, want %d", test.udp, test.sctp, got, test.want)
		}
	}
}

// Where the system does not segment, packets go out all the same, and it is not asked
// again. It refuses to for sockets without checksums.
func TestSegmentationFallsBack(t *testing.T) {
	a, b := open(t, "127.0.0.1:0"), open(t, "127.0.0.1:0")
	if !a.gso {
		t.Skip("this kernel has no UDP segmentation")
	}
	var err error
	if closed := a.conn.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_NO_CHECK, 1) }); closed != nil || err != nil {
		t.Fatal(closed, err)
	}
	p := sctp.Packet{Peer: b.local, Data: packet(1000, 1, b.local.Port())}
	if lost, _ := write(a, []sctp.Packet{p, p}); lost != 0 {
		t.Fatalf("%d packets refused", lost)
	}
	if a.gso {
		t.Error("the system is asked again")
	}
	for _, got := range receive(t, b, 2) {
		if !bytes.Equal(got.Data, p.Data) {
			t.Error("packet differs")
		}
	}
}

// TestRefusedPacketsAreCounted: those of the message that the system did not take, and no
// others; what follows goes out.
func TestRefusedPacketsAreCounted(t *testing.T) {
	a, b := open(t, "127.0.0.1:0"), open(t, "127.0.0.1:0")
	fits := sctp.Packet{Peer: b.local, Data: packet(100, 1, b.local.Port())}
	nowhere := fits
	nowhere.Peer = netip.MustParseAddrPort("192.0.2.1:9") // a loopback address reaches no other host
	if lost, _ := write(a, []sctp.Packet{fits, fits, fits, nowhere, fits}); lost != 1 {
		t.Errorf("%d packets refused, want 1", lost)
	}
	receive(t, b, 4)
}

// A wildcard socket knows where a packet came to and answers from there
// (SCTP-5-11).
func TestAnswerLeavesFromTheAddressAsked(t *testing.T) {
	for _, test := range []struct{ wildcard, client, host string }{
		{"0.0.0.0:0", "127.0.0.1:0", "127.0.0.9"},
		{"[::]:0", "[::1]:0", "::1"},
	} {
		server, client := open(t, test.wildcard), open(t, test.client)
		to := netip.AddrPortFrom(netip.MustParseAddr(test.host), server.local.Port())
		write(client, []sctp.Packet{{Peer: to, Data: []byte("question")}})
		q := receive(t, server, 1)[0]
		if q.Local != to.Addr() || q.Peer != client.local {
			t.Fatalf("question from %v to %v, want %v to %v", q.Peer, q.Local, client.local, to.Addr())
		}
		write(server, []sctp.Packet{{Peer: q.Peer, Local: q.Local, Data: []byte("answer")}})
		if a := receive(t, client, 1)[0]; a.Peer != to {
			t.Errorf("answer came from %v, want %v", a.Peer, to)
		}
	}
}

// ICMP port unreachable arrives with the packet that it is about, the error
// queue is emptied, and sending goes on (SCTP-5-10).
func TestErrorQueue(t *testing.T) {
	for _, host := range []string{"127.0.0.1:0", "[::1]:0"} {
		s, live, gone := open(t, host), open(t, host), open(t, host)
		gone.file.Close()
		lost := pattern(200, 3)
		write(s, []sctp.Packet{{Peer: gone.local, Data: lost}})
		s.rx.take = func(n int, troubled bool) bool {
			if n != 0 || !troubled {
				t.Errorf("read returned %d, troubled %v; want trouble alone", n, troubled)
			}
			return false
		}
		if err := s.rx.run(); err != nil {
			t.Fatal(err)
		}
		found := s.unreachable()
		if len(found) != 1 || found[0].to != gone.local || !bytes.Equal(found[0].quoted, lost) {
			t.Fatalf("error queue held %+v, want packet to %v", found, gone.local)
		}
		if rest := s.unreachable(); len(rest) != 0 {
			t.Errorf("error queue still holds %+v", rest)
		}

		// The error of one packet does not swallow the next.
		write(s, []sctp.Packet{{Peer: gone.local, Data: lost}})
		if refused, troubled := write(s, []sctp.Packet{{Peer: live.local, Data: []byte("x")}}); refused != 0 || !troubled {
			t.Errorf("send after an error: %d refused, troubled %v; want 0 and true", refused, troubled)
		}
		receive(t, live, 1)
		if found := s.unreachable(); len(found) != 1 {
			t.Errorf("error queue held %+v, want one entry", found)
		}
	}
}

// ICMP messages about something else are not mistaken for an
// unreachable port.
func TestICMPErrors(t *testing.T) {
	message := func(level, kind int32, data ...byte) []byte {
		b := make([]byte, 64)
		d, n := appendControl(b, 0, level, kind, 16)
		copy(d[4:], data)
		d[0], d[1] = byte(unix.ECONNREFUSED), 0
		return b[:n]
	}
	for _, test := range []struct {
		name    string
		control []byte
		want    bool
	}{
		{"IPv4 port", message(unix.IPPROTO_IP, unix.IP_RECVERR, unix.SO_EE_ORIGIN_ICMP, 3, 3), true},
		{"IPv4 protocol", message(unix.IPPROTO_IP, unix.IP_RECVERR, unix.SO_EE_ORIGIN_ICMP, 3, 2), true},
		{"IPv4 host", message(unix.IPPROTO_IP, unix.IP_RECVERR, unix.SO_EE_ORIGIN_ICMP, 3, 1), false},
		{"IPv4 time exceeded", message(unix.IPPROTO_IP, unix.IP_RECVERR, unix.SO_EE_ORIGIN_ICMP, 11, 3), false},
		{"IPv4 local", message(unix.IPPROTO_IP, unix.IP_RECVERR, unix.SO_EE_ORIGIN_LOCAL, 3, 3), false},
		{"IPv6 port", message(unix.IPPROTO_IPV6, unix.IPV6_RECVERR, unix.SO_EE_ORIGIN_ICMP6, 1, 4), true},
		{"IPv6 address", message(unix.IPPROTO_IPV6, unix.IPV6_RECVERR, unix.SO_EE_ORIGIN_ICMP6, 1, 3), false},
		{"other message", message(unix.IPPROTO_IP, unix.IP_PKTINFO, unix.SO_EE_ORIGIN_ICMP, 3, 3), false},
		{"IPv6 packet too big", message(unix.IPPROTO_IPV6, unix.IPV6_RECVERR, unix.SO_EE_ORIGIN_ICMP6, 2, 0), false},
		{"garbage", []byte{1, 2, 3}, false},
		{"cut short", message(unix.IPPROTO_IP, unix.IP_RECVERR, unix.SO_EE_ORIGIN_ICMP, 3, 3)[:20], false},
		{"nothing", nil, false},
	} {
		if got, mtu := icmpError(test.control); got != test.want || mtu != 0 {
			t.Errorf("%s: %v, want %v, MTU %d", test.name, got, test.want, mtu)
		}
	}
	mtu := []byte{0, 0, 0, 0}
	binary.NativeEndian.PutUint32(mtu, 1400)
	for name, control := range map[string][]byte{
		"IPv4 fragmentation needed": message(unix.IPPROTO_IP, unix.IP_RECVERR, append([]byte{unix.SO_EE_ORIGIN_ICMP, 3, 4, 0}, mtu...)...),
		"IPv6 packet too big":       message(unix.IPPROTO_IPV6, unix.IPV6_RECVERR, append([]byte{unix.SO_EE_ORIGIN_ICMP6, 2, 0, 0}, mtu...)...),
	} {
		if gone, mtu := icmpError(control); gone || mtu != 1400 {
			t.Errorf("%s: %v, %d", name, gone, mtu)
		}
	}
}

func TestSockaddr(t *testing.T) {
	for _, text := range []string{"127.0.0.1:9899", "255.255.255.255:65535", "[::1]:1", "[2001:db8::1]:3863", "[fe80::1%7]:9901"} {
		var s sockaddr
		a := netip.MustParseAddrPort(text)
		s.put(a)
		if got := s.get(); got != a {
			t.Errorf("%v became %v", a, got)
		}
	}
	// SCTP-5-12: mapped addresses are IPv4.
	var s sockaddr
	s.put(netip.MustParseAddrPort("[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:5"))
	s.put(netip.MustParseAddrPort("192.0.2.7:5"))
	if rest := s[8:unix.SizeofSockaddrInet4]; !bytes.Equal(rest, make([]byte, len(rest))) {
		t.Errorf("an IPv4 address ends with %x", rest)
	}
	binaryMapped := netip.MustParseAddrPort("[::ffff:192.0.2.7]:5")
	s.put(binaryMapped)
	if got := s.get(); got != netip.MustParseAddrPort("192.0.2.7:5") {
		t.Errorf("mapped address became %v", got)
	}
	for in, want := range map[string]string{
		"[::ffff:192.0.2.7]:5": "192.0.2.7:5", "0.0.0.0:5": "127.0.0.1:5", "[::]:5": "[::1]:5",
		"[fe80::1%lo]:5": "[fe80::1%1]:5", "192.0.2.1:5": "192.0.2.1:5",
	} {
		if got := normal(netip.MustParseAddrPort(in)); got != netip.MustParseAddrPort(want) {
			t.Errorf("normal(%s) = %v, want %s", in, got, want)
		}
	}
}

// In steady state neither direction allocates.
func TestSocketsDoNotAllocate(t *testing.T) {
	if underRace {
		t.Skip("allocations cannot be counted under the race detector")
	}
	a, b := open(t, "0.0.0.0:0"), open(t, "0.0.0.0:0")
	to := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), b.local.Port())
	out := []sctp.Packet{{Peer: to, Data: packet(100, 1, to.Port())}, {Peer: to, Data: packet(100, 2, to.Port())}, {Peer: to, Data: packet(90, 2, to.Port())}}
	seen := 0
	visit := func(p *sctp.Packet) { seen++ }
	b.rx.take = func(n int, _ bool) bool {
		for i := range n {
			b.rx.packets(i, visit)
		}
		return seen < len(out)
	}
	if n := testing.AllocsPerRun(100, func() {
		write(a, out)
		seen = 0
		b.rx.run()
	}); n != 0 {
		t.Errorf("%v allocations for three packets, want none", n)
	}
}

// A socket with a lot to read leaves others of its poll group their turn.
func TestPollGroupTakesTurns(t *testing.T) {
	c, err := newPollGroup()
	if err != nil {
		t.Fatal(err)
	}
	from := open(t, "127.0.0.1:0")
	const batches = 3
	turns := make(chan string, batches+1)
	member := func(name string, datagrams int, first func()) *socket {
		s, err := openSocket(netip.MustParseAddrPort("127.0.0.1:0"), false)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.close)
		for range datagrams {
			write(from, []sctp.Packet{{Peer: s.local, Data: []byte("x")}})
		}
		s.rx.take = func(int, bool) bool {
			first()
			first = func() {}
			turns <- name
			return true
		}
		return s
	}
	quiet := member("quiet", 1, func() {})
	busy := member("busy", batches*readBatch, func() {
		if err := c.join(quiet); err != nil {
			t.Error(err)
		}
	})
	if err := c.join(busy); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"busy", "quiet", "busy", "busy"} {
		if got := <-turns; got != want {
			t.Fatalf("turn %d was for the %s socket, want the %s one", i, got, want)
		}
	}
}

// TestPollGroupChangesHands: to another goroutine if the one in charge has been at one
// socket from one look to the next, and not if it went on.
func TestPollGroupChangesHands(t *testing.T) {
	g, err := newPollGroup()
	if err != nil {
		t.Fatal(err)
	}
	look := func(reading bool, since uint) (changed bool) {
		g.mu.Lock()
		before := g.owner
		g.reading, g.seen = reading, g.visits-since
		g.mu.Unlock()
		g.look()
		g.mu.Lock()
		defer g.mu.Unlock()
		g.watch.Stop()
		if g.watching != reading {
			t.Errorf("reading: %v, looks again: %v", reading, g.watching)
		}
		return g.owner != before
	}
	if look(false, 0) {
		t.Error("one that waits is relieved")
	}
	if look(true, 1) {
		t.Error("one that goes on is relieved")
	}
	if !look(true, 0) {
		t.Error("one that is stuck is not relieved")
	}
}

// TestPollGroupTellsOfErrorsOnce: to whoever reads the socket next.
func TestPollGroupTellsOfErrorsOnce(t *testing.T) {
	w, s := &worker{}, &socket{}
	g := &pollGroup{owner: w, sockets: []*socket{nil, s}, watching: true}
	g.report([]unix.EpollEvent{{Fd: 1, Events: unix.EPOLLIN | unix.EPOLLERR}})
	if got, failed := g.next(w, nil, false); got != s || !failed {
		t.Errorf("%p, failed: %v; want %p, which has", got, failed, s)
	}
	g.report([]unix.EpollEvent{{Fd: 0, Events: unix.EPOLLERR}, {Fd: 1, Events: unix.EPOLLIN}}) // one of them is gone
	if got, failed := g.next(w, s, false); got != s || failed {
		t.Errorf("%p, failed: %v; want %p, which has not", got, failed, s)
	}
}

// TestWorkerHoldsOneInbox: while there is something to read, and none while it waits.
func TestWorkerHoldsOneInbox(t *testing.T) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(epoll)
	g := &pollGroup{rest: []*socket{{}}}
	w := &worker{group: g}
	if !w.ask(uintptr(epoll)) || w.in == nil {
		t.Fatal("nothing to read into")
	}
	if in := w.in; !w.ask(uintptr(epoll)) || w.in != in {
		t.Error("the second batch has another inbox than the first")
	}
	g.rest = nil
	if w.ask(uintptr(epoll)) || w.in != nil {
		t.Error("waits, and holds an inbox")
	}
}
