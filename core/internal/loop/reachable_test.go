package loop

import (
	"fmt"
	"net"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

var byValue = cmp.Comparer(func(a, b netip.Addr) bool { return a == b })

// TestReachable: who is bound to all addresses is reached at those of the host, of the
// families that it is bound to; what is to be advertised takes the place of all.
func TestReachable(t *testing.T) {
	ips := func(texts ...string) (out []netip.Addr) {
		for _, s := range texts {
			out = append(out, netip.MustParseAddr(s))
		}
		return out
	}
	both := ips("192.0.2.1", "2001:db8::1")
	for _, c := range []struct {
		local                 []string
		host, advertise, want []netip.Addr
	}{
		{[]string{"198.51.100.7:5"}, both, nil, ips("198.51.100.7")},
		{[]string{"[::ffff:198.51.100.7]:5", "[2001:db8::7]:5"}, both, nil, ips("198.51.100.7", "2001:db8::7")},
		{[]string{"0.0.0.0:5"}, both, nil, ips("192.0.2.1")},
		{[]string{"[::]:5"}, both, nil, both},
		{[]string{"[::]:5"}, nil, nil, ips("127.0.0.1", "::1")},
		{[]string{"0.0.0.0:5"}, ips("2001:db8::1"), nil, ips("127.0.0.1")},
		{[]string{"0.0.0.0:5"}, both, ips("203.0.113.9"), ips("203.0.113.9")},
	} {
		var local []netip.AddrPort
		for _, s := range c.local {
			local = append(local, netip.MustParseAddrPort(s))
		}
		got := reachable(local, c.host, c.advertise)
		want := protocol.Transport{Protocol: protocol.SCTP, Use: protocol.DataAndControl, Port: 5, Addrs: c.want}
		if diff := cmp.Diff(want, got, byValue); diff != "" {
			t.Errorf("%v (-want +got):\n%s", c.local, diff)
		}
	}
	var want []protocol.Transport
	for _, a := range both {
		want = append(want, protocol.Transport{Protocol: protocol.TCP, Port: 5, Addrs: []netip.Addr{a}})
	}
	got := overTCP(protocol.Transport{Protocol: protocol.SCTP, Use: protocol.DataAndControl, Port: 5, Addrs: both})
	if diff := cmp.Diff(want, got, byValue); diff != "" {
		t.Errorf("over TCP (-want +got):\n%s", diff)
	}
}

// TestAppendReachable: nothing that another host could not use, and not without end.
func TestAppendReachable(t *testing.T) {
	var nets []net.Addr
	for _, text := range []string{"192.0.2.1/24", "127.0.0.1/8", "169.254.1.1/16", "fe80::1/64", "2001:db8::1/64", "::1/128"} {
		ip, n, err := net.ParseCIDR(text)
		if err != nil {
			t.Fatal(err)
		}
		n.IP = ip
		nets = append(nets, n)
	}
	nets = append(nets, &net.UnixAddr{Name: "nonsense"})
	if got := fmt.Sprint(appendReachable(nil, nets)); got != "[192.0.2.1 2001:db8::1]" {
		t.Errorf("got %v", got)
	}
	var out []netip.Addr
	for range 20 {
		out = appendReachable(out, nets[:1])
	}
	if len(out) != 16 {
		t.Errorf("%d addresses", len(out))
	}
}
