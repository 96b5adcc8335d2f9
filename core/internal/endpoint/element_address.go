package endpoint

import (
	"net/netip"
	"slices"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
)

// ownAddrs are the addresses of the association with the home, and those of
// this host if that is on it and has not refused them.
func (e *element) ownAddrs(home assoc.ID) []netip.AddrPort {
	addrs := e.hunt.addrs(home)
	if home == e.strictHome {
		return addrs.local
	}
	return slices.Concat(addrs.local, addrs.host)
}

// offersHostAddrs says whether the request in flight has addresses of this host
// that are not those of its association.
func (e *element) offersHostAddrs() bool {
	return e.sentTo != e.strictHome && slices.ContainsFunc(e.hunt.addrs(e.sentTo).host, func(a netip.AddrPort) bool {
		return len(e.want.User.Addrs) == 0 && slices.Contains(e.requested.User.Addrs, a.Addr().Unmap().WithZone(""))
	})
}

// userTransport fills in what the application left out of a user transport: by
// default it is the SCTP endpoint used towards the registrar (ASAP-6.1-01), at
// the addresses of that association, so that the addresses are a subset of
// those (ASAP-2.2.1-02). Another transport has a port of its own. known is what
// was registered before.
func userTransport(want, known protocol.Transport, local []netip.AddrPort) protocol.Transport {
	t := want
	if t.Protocol == protocol.Opaque {
		return t
	}
	if t.IsZero() {
		t.Protocol = protocol.SCTP
	}
	var addrs []netip.Addr
	for _, a := range local {
		if ip := a.Addr().Unmap().WithZone(""); ip.IsValid() && !ip.IsUnspecified() {
			addrs = append(addrs, ip)
			if t.Port == 0 && t.Protocol == protocol.SCTP {
				t.Port = a.Port()
			}
		}
	}
	if len(addrs) == 0 {
		addrs = known.Addrs
		if t.Port == 0 {
			t.Port = known.Port
		}
	}
	if len(t.Addrs) == 0 {
		t.Addrs = addrs
		if t.Protocol != protocol.SCTP && len(addrs) > 1 {
			// The others have exactly one: where there is a choice, not loopback.
			i := max(slices.IndexFunc(addrs, func(a netip.Addr) bool { return !a.IsLoopback() }), 0)
			t.Addrs = addrs[i : i+1]
		}
	}
	return t
}
