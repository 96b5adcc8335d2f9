package registrar

import (
	"net/netip"
	"slices"
	"time"

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

func (r *Registrar) handleAssocUp(now time.Time, ev AssocUp) {
	l := r.links[ev.Link]
	if l == nil {
		if len(r.links)-r.housing >= r.cfg.Limits.Links {
			r.emit(Abort{Link: ev.Link, Reason: "registrar has too many associations"})
			r.connectFailed(now, ev.Token, nil)
			return
		}
		l = newLink(ev)
		r.links[ev.Link] = l
		r.enter(l)
	}
	r.connected(now, ev.Token, l)
	r.checkIdle(now, l)
}

// enter makes the link findable by its peer's addresses; an older one with the
// same peer goes on being the one to use.
func (r *Registrar) enter(l *link) {
	if l.Channel != ASAPOverSCTP {
		return
	}
	for _, a := range l.addrs {
		if r.byAddr[a] == nil {
			r.byAddr[a] = l
		}
	}
}

func (r *Registrar) leave(l *link) {
	for _, a := range l.addrs {
		if r.byAddr[a] == l {
			delete(r.byAddr, a)
		}
	}
}

func (r *Registrar) handleAssocLost(now time.Time, ev AssocLost) {
	l := r.links[ev.Link]
	if l == nil {
		return
	}
	delete(r.links, ev.Link)
	r.leave(l)
	r.timers.Stop(&l.idle)
	r.abandon(now, l)
	r.partFrom(now, l, ev.Err)
}

// handleAssocRestarted treats the peer as a new one behind the same link: it
// subscribed to nothing yet, and its PEs have to show that they live.
func (r *Registrar) handleAssocRestarted(now time.Time, ev AssocRestarted) {
	l := r.links[ev.Link]
	if l == nil {
		r.handleAssocUp(now, AssocUp{Link: ev.Link, Local: ev.Local, Peer: ev.Peer})
		return
	}
	r.leave(l)
	l.setAddrs(ev.Peer)
	r.enter(l)
	r.abandon(now, l)
	r.doubt(now, l.peer)
}

// abandon forgets what went over the link. Subscriptions die with it
// (ASAP-2.2.5-03). A PE is not removed for the loss of its association, it is
// asked at its recorded ASAP Transport at once.
func (r *Registrar) abandon(now time.Time, l *link) {
	for _, s := range l.subs.take() {
		r.unsubscribe(s)
	}
	asked, monitors := l.asked.take(), l.monitors.take()
	if len(monitors) > 0 {
		r.housing--
	}
	for _, mon := range monitors {
		mon.link = nil
	}
	for _, mon := range asked {
		mon.via = nil
		r.probeFailed(now, mon, false)
	}
	for _, mon := range monitors {
		if mon.el != nil && mon.link == nil {
			r.probeSoon(now, mon)
		}
	}
}

// idleLink is due when a link that we opened was of no use for a while.
type idleLink struct{ *link }

func (i idleLink) due(r *Registrar, _ time.Time) {
	if i.idleNow() {
		r.emit(Shutdown{Link: i.Link})
	}
}

func (l *link) idleNow() bool {
	return l.ours && l.peer == nil && l.monitors.len()+l.asked.len()+l.subs.len() == 0
}

// checkIdle starts the clock of a link that only served a probe.
func (r *Registrar) checkIdle(now time.Time, l *link) {
	if l.Channel == ASAPOverSCTP && l.idleNow() {
		r.timers.Set(&l.idle, now.Add(r.cfg.Timers.IdleLink))
	}
}
