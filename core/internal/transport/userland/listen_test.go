package userland

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/transport"
)

func addrs(text ...string) (out []netip.AddrPort) {
	for _, s := range text {
		out = append(out, netip.MustParseAddrPort(s))
	}
	return out
}

func TestListenAddresses(t *testing.T) {
	for _, test := range []struct {
		name  string
		local []netip.AddrPort
		want  []string // hosts
	}{
		{"default", nil, []string{"::"}},
		{"both families", addrs("[::]:0"), []string{"::"}},
		{"both families twice", addrs("[::]:0", "0.0.0.0:0"), []string{"::"}},
		{"IPv4 wildcard", addrs("0.0.0.0:0"), []string{"0.0.0.0"}},
		{"mapped", addrs("[::ffff:127.0.0.1]:0"), []string{"127.0.0.1"}},
		{"several", addrs("127.0.0.1:0", "[::1]:0", "127.0.0.2:0"), []string{"127.0.0.1", "::1", "127.0.0.2"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, err := Listen(transport.Config{Local: test.local})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			got := e.LocalAddrs()
			if len(got) != len(test.want) {
				t.Fatalf("local addresses %v, want hosts %v", got, test.want)
			}
			for i, a := range got {
				if a.Addr() != netip.MustParseAddr(test.want[i]) || a.Port() == 0 || a.Port() != got[0].Port() {
					t.Errorf("local addresses %v, want hosts %v with one port", got, test.want)
				}
			}
			for _, s := range e.sockets {
				if s.local.Port() != got[0].Port() {
					t.Errorf("UDP port %d differs from SCTP port %d", s.local.Port(), got[0].Port())
				}
			}
		})
	}
}

// Without a port of its own an endpoint has the SCTP port of its UDP port, so
// that no other of this host is mistaken for it; one whose UDP port is given
// draws its SCTP port (SCTP-2-05).
// UDP-5.1-01, UDP-R-01: the UDP port can be chosen, apart from the SCTP port.
func TestListenWithUDPPort(t *testing.T) {
	s := open(t, "127.0.0.1:0")
	s.file.Close()
	for _, local := range []string{"127.0.0.1:7", "127.0.0.1:0"} {
		e, err := Listen(transport.Config{Local: addrs(local), UDPPort: s.local.Port()})
		if err != nil {
			t.Fatal(err)
		}
		want := netip.MustParseAddrPort(local).Port()
		if got := e.LocalAddrs()[0].Port(); got == 0 || want != 0 && got != want {
			t.Errorf("SCTP port %d, want %d", got, want)
		}
		if got := e.sockets[0].local; got != s.local {
			t.Errorf("UDP socket %v, want %v", got, s.local)
		}
		e.Close()
	}
}

func TestListenErrors(t *testing.T) {
	taken := open(t, "127.0.0.1:0")
	readers := loners.Load()
	for _, test := range []struct {
		name string
		cfg  transport.Config
		want error
	}{
		{"port taken", transport.Config{Local: []netip.AddrPort{taken.local}}, syscall.EADDRINUSE},
		{"port taken on one address", transport.Config{Local: []netip.AddrPort{netip.AddrPortFrom(netip.MustParseAddr("127.0.0.3"), taken.local.Port()), taken.local}}, syscall.EADDRINUSE},
		{"foreign address", transport.Config{Local: addrs("192.0.2.1:0")}, syscall.EADDRNOTAVAIL},
		{"two ports", transport.Config{Local: addrs("127.0.0.1:1", "127.0.0.1:2")}, assoc.ErrInvalid},
		{"multicast", transport.Config{Local: addrs("239.1.2.3:0")}, assoc.ErrInvalid},
		{"no address", transport.Config{Local: []netip.AddrPort{{}}}, assoc.ErrInvalid},
	} {
		e, err := Listen(test.cfg)
		if err == nil {
			e.Close()
		}
		if !errors.Is(err, test.want) {
			t.Errorf("%s: error %v, want %v", test.name, err, test.want)
		}
	}
	if n := loners.Load(); n != readers {
		t.Errorf("%d sockets have a reader of their own, %d had one before", n, readers)
	}
	// Whatever was opened before the failure is closed again.
	if e, err := Listen(transport.Config{Local: []netip.AddrPort{netip.AddrPortFrom(netip.MustParseAddr("127.0.0.3"), taken.local.Port())}}); err != nil {
		t.Error(err)
	} else {
		e.Close()
	}
}

func TestConnectErrors(t *testing.T) {
	e, err := Listen(transport.Config{Local: addrs("127.0.0.1:0")})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		peer []netip.AddrPort
		want error
		says string
	}{
		{"none", nil, assoc.ErrInvalid, "to no address"},
		{"zero", []netip.AddrPort{{}}, assoc.ErrInvalid, "to invalid AddrPort"},
		{"port 0", addrs("127.0.0.1:0"), assoc.ErrInvalid, "to 127.0.0.1:0"},
		{"multicast", addrs("224.0.0.1:5"), assoc.ErrInvalid, "to 224.0.0.1:5"},
		{"other family", addrs("[::1]:5"), assoc.ErrUnreachable, "is for IPv4"},
	} {
		if id, err := e.Connect(test.peer, nil); id != 0 || !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: error %v, want %v, %s", test.name, err, test.want, test.says)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("second Close: %v, want net.ErrClosed", err)
	}
	if _, err := e.Connect(addrs("127.0.0.1:5"), nil); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Connect after Close: %v, want net.ErrClosed", err)
	}
}

// A packet for which the system knows no way ends the set-up at once, with the
// system's reason: from a loopback address none leads to another host.
func TestConnectWithoutRoute(t *testing.T) {
	e, err := Listen(transport.Config{Local: addrs("127.0.0.1:0")})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	arrived := make(chan struct{}, 1)
	e.Notify(func() {
		select {
		case arrived <- struct{}{}:
		default:
		}
	}, func(assoc.ID) {})
	if _, err := e.Connect(addrs("192.0.2.1:9"), nil); err != nil {
		t.Fatal(err)
	}
	for {
		var info assoc.RecvInfo
		_, err := e.Recv(make([]byte, 1000), &info)
		switch {
		case errors.Is(err, assoc.ErrWouldBlock):
			select {
			case <-arrived:
			case <-time.After(10 * time.Second): // before a set-up times out
				t.Fatal("no outcome")
			}
		case err != nil:
			t.Fatal(err)
		default:
			var errno syscall.Errno
			if info.Kind != assoc.CannotStart || !errors.Is(info.Err, assoc.ErrUnreachable) || !errors.As(info.Err, &errno) {
				t.Errorf("%v: %v", info.Kind, info.Err)
			}
			return
		}
	}
}
