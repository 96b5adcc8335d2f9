package registrar

import (
	"net/netip"
	"slices"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// A loopback address means something on one host only. A PE that has registered
// at one is on the host of its home, and the address is told only to those who
// are on that host, too: on any other host it leads to somebody else, or nobody.

func allLoopback(addrs []netip.Addr) bool {
	return len(addrs) > 0 && !slices.ContainsFunc(addrs, func(a netip.Addr) bool { return !a.IsLoopback() })
}

// canServe says whether a registrar can be at a transport of which a peer tells:
// loopback addresses of another host are of no use.
func canServe(told *peer, t protocol.Transport) bool {
	return len(t.Addrs) > 0 && (!allLoopback(t.Addrs) || told.here)
}
