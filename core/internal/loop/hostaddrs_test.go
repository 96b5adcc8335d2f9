package loop_test

import (
	"net"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/librserpool/librserpool/core/internal/loop"
)

// TestHostAddrs: they are those of interfaces that are up, and nothing that another
// host could not use.
func TestHostAddrs(t *testing.T) {
	var want []netip.Addr
	interfaces, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range interfaces {
		nets, err := i.Addrs()
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range nets {
			a := netip.MustParsePrefix(n.String()).Addr()
			if i.Flags&net.FlagUp != 0 && !a.IsLoopback() && !a.IsLinkLocalUnicast() {
				want = append(want, a)
			}
		}
	}
	if len(want) > 16 {
		want = want[:16]
	}
	if got := loop.HostAddrs(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestHost: the system is asked again after some seconds and not before; loopback and
// what the host has is here.
func TestHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		own := []netip.Addr{netip.MustParseAddr("192.0.2.1")}
		h := loop.NewHost(func() []netip.Addr { asked++; return own })
		check := func(peer string, want bool) {
			t.Helper()
			here, addrs := h.Here([]netip.AddrPort{netip.MustParseAddrPort("198.51.100.1:1"), netip.MustParseAddrPort(peer)})
			if here != want || want != slices.Equal(addrs, own) || !want && addrs != nil {
				t.Errorf("%s is here: %v, of %v", peer, here, addrs)
			}
		}
		check("192.0.2.1:7", true)
		check("[::ffff:192.0.2.1]:7", true)
		check("127.0.0.2:7", true)
		check("[::1]:7", true)
		check("192.0.2.2:7", false)
		if here, _ := h.Here(nil); here {
			t.Error("nobody is here")
		}
		time.Sleep(5*time.Second - 1)
		if h.Addrs(); asked != 1 {
			t.Errorf("the system was asked %d times within five seconds", asked)
		}
		time.Sleep(time.Nanosecond)
		own = []netip.Addr{netip.MustParseAddr("192.0.2.2")}
		check("192.0.2.2:7", true)
		check("192.0.2.1:7", false)
		if asked != 2 {
			t.Errorf("the system was asked %d times", asked)
		}
	})
}
