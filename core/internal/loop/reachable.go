package loop

import (
	"net"
	"net/netip"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// reachable is the transport at which others reach an endpoint bound to local:
// in place of a wildcard the addresses of this host, or loopback if it has no
// others.
func reachable(local []netip.AddrPort) protocol.Transport {
	t := protocol.Transport{Protocol: protocol.SCTP, Use: protocol.DataAndControl}
	for _, a := range local {
		t.Port = a.Port()
		if a.Addr().IsUnspecified() {
			t.Addrs = append(t.Addrs, hostAddrs(a.Addr().Is4())...)
		} else {
			t.Addrs = append(t.Addrs, a.Addr().Unmap())
		}
	}
	return t
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

func hostAddrs(only4 bool) []netip.Addr {
	nets, _ := net.InterfaceAddrs() // no answer: no addresses
	var out []netip.Addr
	for _, n := range nets {
		prefix, err := netip.ParsePrefix(n.String())
		if a := prefix.Addr(); err == nil && a.IsGlobalUnicast() && (a.Is4() || !only4) {
			out = append(out, a)
		}
	}
	if len(out) == 0 {
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}
	}
	return out
}
