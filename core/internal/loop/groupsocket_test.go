package loop

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/transport"
	"github.com/librserpool/librserpool/core/internal/transport/userland"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// loopbackGroups are a group of each family on loopback that has a route to it
// (that of IPv6 is rare), or the test is skipped.
func loopbackGroups(t *testing.T) []Group {
	t.Helper()
	lo := loopbackInterface(t)
	var out []Group
	for _, format := range []string{"239.77.%d.%d:%d@%s", "[ff01::%x:%x]:%d@%s"} {
		g, err := ParseGroup(fmt.Sprintf(format, rand.IntN(256), rand.IntN(256), 10_000+rand.IntN(20_000), lo.Name), 1)
		if err != nil {
			t.Fatal(err)
		}
		if m, err := g.speak(0); err == nil {
			if err := m.say(nil); err == nil {
				out = append(out, g)
			}
			m.close()
		}
	}
	if len(out) == 0 {
		t.Skipf("no multicast on %s", lo.Name)
	}
	return out
}

// What is said to the group is heard by all who listen, what is garbage by none;
// it stays in the local network.
func TestGroup(t *testing.T) {
	want := enrp.Presence{Route: enrp.Route{Sender: 7}, Checksum: 1, HasChecksum: true, HasServer: true, Server: protocol.Server{ID: 7,
		Transport: protocol.Transport{Protocol: protocol.SCTP, Port: 9901, Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.1")}}}}
	good, err := enrp.Append(nil, want)
	if err != nil {
		t.Fatal(err)
	}
	other, err := enrp.Append(nil, enrp.ListRequest{Route: enrp.Route{Sender: 7}})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range loopbackGroups(t) {
		var ears []*GroupReceiver
		for range 2 {
			ear, err := g.Listen()
			if err != nil {
				t.Fatal(err)
			}
			defer ear.Close()
			ears = append(ears, ear)
		}
		m, err := g.speak(g.Addr.Port())
		if err != nil {
			t.Fatal(err)
		}
		defer m.close()
		if hops := g.hopsOf(t, m); hops != 1 {
			t.Errorf("%v: datagrams go %d hops", g.Addr, hops)
		}
		for _, b := range [][]byte{{}, {1}, good[:len(good)-1], other, make([]byte, 9000), good} {
			if err := m.say(b); err != nil {
				t.Fatal(err)
			}
		}
		for _, ear := range ears {
			_ = ear.conn.SetReadDeadline(time.Now().Add(30 * time.Second))
			got, from, err := ear.HearPresence()
			if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); err != nil || diff != "" {
				t.Errorf("%v: from %v, %v (-want +got):\n%s", g.Addr, from, err, diff)
			}
			ear.Close()
			if _, _, err := ear.HearAnnounce(); !errors.Is(err, net.ErrClosed) {
				t.Errorf("closed, and hears: %v", err)
			}
		}
	}
}

func (g Group) hopsOf(t *testing.T, m *groupSender) (hops int) {
	t.Helper()
	raw, err := m.conn.(*net.UDPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	level, name := unix.IPPROTO_IP, unix.IP_MULTICAST_TTL
	if !g.v4() {
		level, name = unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_HOPS
	}
	if err := raw.Control(func(fd uintptr) { hops, _ = unix.GetsockoptInt(int(fd), level, name) }); err != nil {
		t.Fatal(err)
	}
	return hops
}

// A group has room at the UDP port of an endpoint of the same host, also of one
// that is bound to any address, which stays the only one there.
func TestGroupAtPortOfEndpoint(t *testing.T) {
	for _, g := range loopbackGroups(t) {
		for _, local := range []string{"0.0.0.0", "127.0.0.1", "::"} {
			cfg := transport.Config{Local: []netip.AddrPort{netip.AddrPortFrom(netip.MustParseAddr(local), g.Addr.Port())}}
			ep, err := userland.Listen(cfg)
			if err != nil {
				t.Logf("%s: %v", local, err)
				continue
			}
			m, err := joinGroup(&g, ep)
			if err != nil {
				t.Fatalf("%v beside %s: %v", g.Addr, local, err)
			}
			ear, err := g.Listen() // of another program
			if err != nil {
				t.Errorf("%v beside %s, a second time: %v", g.Addr, local, err)
			} else {
				ear.Close()
			}
			if second, err := userland.Listen(cfg); !errors.Is(err, unix.EADDRINUSE) {
				t.Errorf("a second endpoint at %s: %v", local, err)
				if err == nil {
					second.Close()
				}
			}
			m.leave()
			ep.Close()
		}
	}
}

// A group is joined in its family, at its address and port; one whose port another
// program has for itself is not, and that is said.
func TestGroupSockets(t *testing.T) {
	lo := loopbackInterface(t)
	if i := (Group{}).index(); i != 0 {
		t.Errorf("no interface is number %d, which is one", i)
	}
	for _, c := range []struct{ group, any string }{{"239.77.3.1", "0.0.0.0"}, {"ff01::77:3", "::"}} {
		taken, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(c.any), 0)))
		if err != nil {
			t.Logf("%s: %v", c.any, err)
			continue
		}
		g := Group{Addr: netip.AddrPortFrom(netip.MustParseAddr(c.group), taken.LocalAddr().(*net.UDPAddr).AddrPort().Port()), Interface: lo}
		if ear, err := g.Listen(); !errors.Is(err, unix.EADDRINUSE) {
			t.Errorf("%v at a port that is taken: %v", g.Addr, err)
			if err == nil {
				ear.Close()
			}
		}
		m, err := g.speak(g.Addr.Port()) // then from another one
		if err != nil {
			t.Fatal(err)
		}
		from := m.conn.LocalAddr().(*net.UDPAddr).AddrPort()
		if from.Port() == 0 || from.Port() == g.Addr.Port() || from.Addr().Unmap() != netip.MustParseAddr(c.any) {
			t.Errorf("%v is spoken to from %v", g.Addr, from)
		}
		m.close()
		taken.Close()
		if m, err = g.speak(g.Addr.Port()); err != nil {
			t.Fatal(err)
		}
		if from := m.conn.LocalAddr().(*net.UDPAddr).AddrPort(); from.Port() != g.Addr.Port() {
			t.Errorf("%v is spoken to from %v, though its port is free", g.Addr, from)
		}
		m.close()
		ear, err := g.Listen()
		if err != nil {
			t.Fatal(err)
		}
		if at := ear.conn.LocalAddr().(*net.UDPAddr).AddrPort(); at.Addr().WithZone("") != g.Addr.Addr() || at.Port() != g.Addr.Port() {
			t.Errorf("%v is heard at %v", g.Addr, at)
		}
		ear.Close()
		nowhere := g
		nowhere.Interface = &net.Interface{Index: 1 << 20}
		if ear, err := nowhere.Listen(); err == nil {
			t.Errorf("%v is heard at an interface that does not exist", g.Addr)
			ear.Close()
		}
		if m, err := nowhere.speak(0); err == nil {
			t.Errorf("%v is spoken to at an interface that does not exist", g.Addr)
			m.close()
		}
	}
}
