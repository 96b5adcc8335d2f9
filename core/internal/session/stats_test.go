package session

import (
	"net/netip"
	"testing"
)

func TestPutFirst(t *testing.T) {
	a, b, c := netip.MustParseAddrPort("192.0.2.1:1"), netip.MustParseAddrPort("192.0.2.2:1"), netip.MustParseAddrPort("192.0.2.3:1")
	for _, first := range []netip.AddrPort{a, b, c, {}} {
		got := putFirst([]netip.AddrPort{a, b, c}, first)
		if first.IsValid() && got[0] != first || len(got) != 3 {
			t.Errorf("%v first: %v", first, got)
		}
	}
}
