package registrar

import (
	"net/netip"
	"slices"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/timerq"
)

// link is an established association or connection.
type link struct {
	Link
	addrs     []netip.AddrPort   // of the other side
	transport protocol.Transport // what it makes the ASAP Transport of a PE
	peer      *peer              // the registrar at the other side, once known
	ours      bool               // opened by us
	here      bool               // the other side is on this host
	host      []netip.Addr       // then, the addresses of this host
	idle      timerq.Timer[deadline]

	monitors indexedSet[monitor]      // PEs whose association this is
	asked    indexedSet[monitor]      // PEs that were sent a KEEP_ALIVE over it
	subs     indexedSet[subscription] // what its peer subscribed to
	reports  bucket                   // unreachability reports
}

func newLink(ev AssocUp) *link {
	l := &link{Link: ev.Link, ours: ev.Token != 0, here: ev.Here, host: ev.Host}
	l.monitors.index = func(mon *monitor) *int32 { return &mon.linkSlot }
	l.asked.index = func(mon *monitor) *int32 { return &mon.viaSlot }
	l.subs.index = func(s *subscription) *int32 { return &s.linkSlot }
	l.idle.Value = idleLink{l}
	l.setAddrs(ev.Peer)
	l.here = l.here || allLoopback(l.transport.Addrs)
	return l
}

// setAddrs derives from the other side's addresses the ASAP Transport of the PEs
// behind the link (ASAP-3.1-24); Transport Use has no meaning there and is 0.
func (l *link) setAddrs(addrs []netip.AddrPort) {
	l.addrs = make([]netip.AddrPort, 0, len(addrs))
	l.transport = protocol.Transport{Protocol: protocol.SCTP}
	for _, a := range addrs {
		a = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
		if slices.Contains(l.addrs, a) {
			continue
		}
		l.addrs = append(l.addrs, a)
		l.transport.Addrs = append(l.transport.Addrs, a.Addr())
		l.transport.Port = a.Port()
	}
}

// hasAddr says whether the peer has the IP address.
func (l *link) hasAddr(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	return slices.ContainsFunc(l.transport.Addrs, func(own netip.Addr) bool { return own.WithZone("") == a })
}

// used says whether a PE, a PU or a registrar uses the link.
func (l *link) used() bool {
	return l.peer != nil || l.monitors.len()+l.asked.len()+l.subs.len() > 0
}

func (l *link) idleNow() bool { return l.ours && !l.used() }
