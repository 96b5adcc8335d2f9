package loop

import (
	"net/netip"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// reachable is the transport at which others reach an endpoint bound to local:
// what is to be advertised, or else in place of a wildcard the addresses of this
// host, or loopback if it has no others.
func reachable(local []netip.AddrPort, host, advertise []netip.Addr) protocol.Transport {
	t := protocol.Transport{Protocol: protocol.SCTP, Use: protocol.DataAndControl}
	for _, a := range local {
		t.Port = a.Port()
		if a.Addr().IsUnspecified() {
			t.Addrs = append(t.Addrs, everywhere(a.Addr(), host)...)
		} else {
			t.Addrs = append(t.Addrs, a.Addr().Unmap())
		}
	}
	if len(advertise) > 0 {
		t.Addrs = advertise
	}
	return t
}

// everywhere are the addresses that a wildcard stands for.
func everywhere(wildcard netip.Addr, host []netip.Addr) (out []netip.Addr) {
	for _, a := range host {
		if a.Is4() || wildcard.Is6() {
			out = append(out, a)
		}
	}
	if len(out) == 0 {
		out = append(out, netip.AddrFrom4([4]byte{127, 0, 0, 1}))
		if wildcard.Is6() {
			out = append(out, netip.IPv6Loopback())
		}
	}
	return out
}

// overTCP are the TCP transports at the same places: one address each
// (COM-3.5-01).
func overTCP(t protocol.Transport) []protocol.Transport {
	var out []protocol.Transport
	for i := range t.Addrs {
		out = append(out, protocol.Transport{Protocol: protocol.TCP, Port: t.Port, Addrs: t.Addrs[i : i+1]})
	}
	return out
}
