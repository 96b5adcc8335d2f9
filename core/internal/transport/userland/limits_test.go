package userland

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp"
	"github.com/librserpool/librserpool/core/internal/transport"
)

// TestWhatTravelsTogether: packets of one length, from one address to one peer, with one
// class, the last one perhaps shorter; no more than the system cuts up in one go.
func TestWhatTravelsTogether(t *testing.T) {
	to := netip.MustParseAddrPort("127.0.0.1:40000")
	many := func(n, size int) (out []sctp.Packet) {
		for range n {
			out = append(out, sctp.Packet{Peer: to, Data: packet(size, 1, to.Port())})
		}
		return out
	}
	alter := func(i int, change func(*sctp.Packet)) []sctp.Packet {
		out := many(4, 100)
		change(&out[i])
		return out
	}
	for name, c := range map[string]struct {
		packets []sctp.Packet
		want    []int // packets of each message
	}{
		"alike":            {many(4, 100), []int{4}},
		"a shorter last":   {append(many(3, 100), many(1, 99)...), []int{4}},
		"a shorter inside": {append(many(2, 100), append(many(1, 99), many(2, 100)...)...), []int{3, 2}},
		"a longer one":     {append(many(2, 100), many(2, 101)...), []int{2, 2}},
		"64":               {many(64, 100), []int{64}},
		"65000 bytes":      {many(14, 5000), []int{13, 1}},
		"another peer":     {alter(2, func(p *sctp.Packet) { p.Peer = netip.MustParseAddrPort("127.0.0.2:40000") }), []int{2, 1, 1}},
		"another source":   {alter(2, func(p *sctp.Packet) { p.Local = netip.MustParseAddr("127.0.0.2") }), []int{2, 1, 1}},
		"another class":    {alter(2, func(p *sctp.Packet) { p.DSCP = 46 }), []int{2, 1, 1}},
		"too short":        {many(2, 4), []int{1, 1}},
		"just long enough": {many(2, 5), []int{2}},
		"to a kernel": {[]sctp.Packet{
			{Peer: netip.MustParseAddrPort("127.0.0.1:9899"), Data: packet(100, 1, 9899)}, {Peer: netip.MustParseAddrPort("127.0.0.1:9899"), Data: packet(100, 1, 9899)},
		}, []int{1, 1}},
	} {
		out := &sendBatch{s: &socket{gso: true}, msgs: newMmsg(writeBatch)}
		n := out.arrange(c.packets)
		var got []int
		for k := range n {
			got = append(got, out.first[k+1]-out.first[k])
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: messages of %v packets, want %v", name, got, c.want)
		}
		for k, i := 0, 0; k < n; k++ {
			h := &out.msgs.headers[k]
			if int(h.Iovlen) != got[k] || h.Iov != &out.iovecs[i] {
				t.Errorf("%s: message %d has %d parts", name, k, h.Iovlen)
			}
			want := 0
			if got[k] > 1 {
				want += unix.CmsgSpace(2)
			}
			if c.packets[i].DSCP != 0 {
				want += unix.CmsgSpace(4)
			}
			if int(h.Controllen) != want || (h.Control == nil) != (want == 0) {
				t.Errorf("%s: message %d has %d bytes of control, want %d", name, k, h.Controllen, want)
			}
			i += got[k]
		}
	}
}

// TestRoute: a packet leaves from its source address, or else from a wildcard of its
// peer's family, or any socket of that; where there is none it does not leave.
func TestRoute(t *testing.T) {
	at := func(addr string) *socket {
		a := netip.MustParseAddr(addr)
		return &socket{local: netip.AddrPortFrom(a, 5), v6: a.Is6(), wildcard: a.IsUnspecified()}
	}
	one, two, six, any4 := at("192.0.2.1"), at("192.0.2.2"), at("2001:db8::1"), at("0.0.0.0")
	for i, c := range []struct {
		sockets     []*socket
		local, peer string
		want        *socket
	}{
		{[]*socket{one, two, six}, "192.0.2.2", "192.0.2.9:1", two},
		{[]*socket{one, two, six}, "192.0.2.7", "192.0.2.9:1", one},
		{[]*socket{one, two, six}, "2001:db8::7", "[2001:db8::9]:1", six},
		{[]*socket{one, any4, two}, "192.0.2.7", "192.0.2.9:1", any4},
		{[]*socket{one, any4, two}, "192.0.2.2", "192.0.2.9:1", two},
		{[]*socket{one, two}, "192.0.2.1", "[2001:db8::9]:1", nil},
		{[]*socket{one}, "192.0.2.7", "[2001:db8::9]:1", one},
	} {
		e := &Endpoint{sockets: c.sockets}
		got := e.route(&sctp.Packet{Local: netip.MustParseAddr(c.local), Peer: netip.MustParseAddrPort(c.peer)})
		if got != c.want {
			t.Errorf("%d: from %s to %s by %v", i, c.local, c.peer, got)
		}
	}
}

// TestMaxMTU: a burst of the largest packets has room in the smallest socket, and the
// smallest packets that there are in any.
func TestMaxMTU(t *testing.T) {
	for _, c := range []struct {
		rooms []int
		want  int
	}{{[]int{8 << 20}, 65535}, {[]int{64 * 65535}, 65535}, {[]int{8 << 20, 64 * 9000}, 9000}, {[]int{64*9000 - 1}, 8999}, {[]int{64 * 1499}, 1500}, {[]int{64 * 1501}, 1501}, {[]int{0}, 1500}} {
		var sockets []*socket
		for _, room := range c.rooms {
			sockets = append(sockets, &socket{room: room})
		}
		if got := maxMTU(sockets); got != c.want {
			t.Errorf("%v: %d, want %d", c.rooms, got, c.want)
		}
	}
}

// TestDatagrams: a datagram is cut where the system says that it was put together, and
// came to the address that the system names; what was cut off, or came to nobody knows
// where, is of no use.
func TestDatagrams(t *testing.T) {
	in := inboxes.Get().(*inbox)
	s := &socket{local: netip.MustParseAddrPort("0.0.0.0:5")}
	s.rx.init(s)
	s.rx.in = in
	for i := range in.msgs.headers {
		if h := &in.msgs.headers[i]; h.Iovlen != 1 || h.Iov.Base != &in.buffer[i*datagram] || h.Iov.Len != datagram {
			t.Errorf("datagram %d is read into %d parts, the first of %d bytes", i, h.Iovlen, h.Iov.Len)
		}
	}
	peer, home := netip.MustParseAddrPort("192.0.2.9:7"), netip.MustParseAddr("192.0.2.1")
	copy(in.buffer[datagram:], "abcdefgh")
	h := &in.msgs.headers[1]
	read := func(flags int32, fill func(b []byte) int) (got []string, useful bool) {
		in.msgs.names[1].put(peer)
		h.length, h.Flags = 8, flags
		h.SetControllen(fill(in.msgs.controls[1][:]))
		useful = s.rx.packets(1, func(p *sctp.Packet) {
			if p.Peer != peer || p.Local != home {
				t.Errorf("from %v to %v", p.Peer, p.Local)
			}
			got = append(got, string(p.Data))
		})
		return got, useful
	}
	where := func(b []byte) int {
		d, n := appendControl(b, 0, unix.IPPROTO_IP, unix.IP_PKTINFO, unix.SizeofInet4Pktinfo)
		a := home.As4()
		copy(d[8:], a[:])
		return n
	}
	cut := func(size uint32) func(b []byte) int {
		return func(b []byte) int {
			d, n := appendControl(b, where(b), unix.IPPROTO_UDP, unix.UDP_GRO, 4)
			binary.NativeEndian.PutUint32(d, size)
			return n
		}
	}
	const padding = 4 // of a message of control data that says where
	for name, c := range map[string]struct {
		flags int32
		fill  func([]byte) int
		want  []string
	}{
		"one":                   {0, where, []string{"abcdefgh"}},
		"without padding":       {0, func(b []byte) int { return where(b) - padding }, []string{"abcdefgh"}},
		"a byte of it missing":  {0, func(b []byte) int { return where(b) - padding - 1 }, nil},
		"control of no length":  {0, func(b []byte) int { clear(b); return unix.SizeofCmsghdr }, nil},
		"in threes":             {0, cut(3), []string{"abc", "def", "gh"}},
		"in eights":             {0, cut(8), []string{"abcdefgh"}},
		"in more than there is": {0, cut(9), []string{"abcdefgh"}},
		"in nothing":            {0, cut(0), nil},
		"cut off":               {unix.MSG_TRUNC, where, nil},
		"nowhere":               {0, func([]byte) int { return 0 }, nil},
		"half an address":       {0, func(b []byte) int { return where(b) - 8 - 1 }, nil},
	} {
		if got, useful := read(c.flags, c.fill); !slices.Equal(got, c.want) || useful != (c.want != nil) {
			t.Errorf("%s: %q, of use: %v", name, got, useful)
		}
	}
	peer, home = netip.MustParseAddrPort("[fe80::9%7]:7"), netip.MustParseAddr("fe80::1%7")
	if got, useful := read(0, func(b []byte) int { return appendSource(b, 0, home) }); !useful || len(got) != 1 {
		t.Errorf("IPv6: %q, of use: %v", got, useful)
	}
	s.local = netip.AddrPortFrom(home, 5) // then nobody has to say where
	if got, useful := read(0, func([]byte) int { return 0 }); !useful || len(got) != 1 {
		t.Errorf("%q, of use: %v", got, useful)
	}
}

// TestGivenUp: a closed endpoint has a second more than its associations have to end.
func TestGivenUp(t *testing.T) {
	for guard, want := range map[time.Duration]time.Duration{5 * time.Second: 6 * time.Second, -1: 61 * time.Second, 0: assoc.Default().ShutdownGuard + time.Second} {
		e, err := Listen(transport.Config{Local: addrs("127.0.0.1:0")})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range []assoc.Params{{ShutdownGuard: guard}, {SendBuffer: 1 << 20}} {
			if err := e.SetParams(0, p); err != nil {
				t.Fatal(err)
			}
		}
		before := clock()
		e.Close()
		if got := e.giveUp.Sub(before); got < want || e.giveUp.Sub(clock()) > want {
			t.Errorf("guard %v: given up after %v, want %v", guard, got, want)
		}
	}
}

// TestClosedEndpoint: whatever is done with it says that it is closed, and no hook runs.
func TestClosedEndpoint(t *testing.T) {
	e, err := Listen(transport.Config{Local: addrs("127.0.0.1:0")})
	if err != nil {
		t.Fatal(err)
	}
	e.Close()
	for name, call := range map[string]func() error{
		"Send":       func() error { return e.Send([]byte("x"), &assoc.SendInfo{Assoc: 1}) },
		"Recv":       func() error { _, err := e.Recv(nil, &assoc.RecvInfo{}); return err },
		"Shutdown":   func() error { return e.Shutdown(1) },
		"Abort":      func() error { return e.Abort(1, "") },
		"SetParams":  func() error { return e.SetParams(0, assoc.Params{}) },
		"Status":     func() error { _, err := e.Status(1); return err },
		"AssocAddrs": func() error { _, _, err := e.AssocAddrs(1); return err },
		"Hold":       func() error { return e.Hold(1, true) },
		"Close":      e.Close,
	} {
		if err := call(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	e.Lend()
	e.Return(1, 1, 1)
	e.Notify(func() { t.Error("readable") }, nil)
	called := false
	if e.Together(func() { called = true }); !called || e.hooksDue() {
		t.Error("after the end")
	}
	for range 1000 {
		if p := randomPort(); p < 49152 {
			t.Fatalf("port %d is none that is free for all", p)
		}
	}
}

// TestRefusedPacketsAreReportedOnce: what the system did not take is forgotten when the
// engine knows.
func TestRefusedPacketsAreReportedOnce(t *testing.T) {
	e, err := Listen(transport.Config{Local: addrs("127.0.0.1:0")})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	p := sctp.Packet{Peer: netip.MustParseAddrPort("127.0.0.1:9"), Data: packet(100, 1, 9)}
	out := &sendBatch{tooBig: []sctp.Packet{p, p}, unroutable: []unroutable{{p, unix.EINVAL}, {p, unix.ENETDOWN}}}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.reportTooBig(out)
	e.reportUnroutable(out)
	if len(out.tooBig) != 0 || len(out.unroutable) != 0 || out.tooBig[:1][0].Data != nil || out.unroutable[:1][0].packet.Data != nil {
		t.Errorf("%d too big and %d unroutable are left", len(out.tooBig), len(out.unroutable))
	}
}
