package registrar

import (
	"net/netip"
	"time"
)

// links are the associations and connections there are.
type links struct {
	*core
	all     map[Link]*link
	housing int                      // those that are the association of some PE
	byAddr  map[netip.AddrPort]*link // ASAP over SCTP, by address of the peer
}

// full says whether there are as many as there may be. The associations of PEs
// do not count: the number of PEs is bounded itself.
func (ls *links) full() bool { return len(ls.all)-ls.housing >= ls.cfg.Limits.Links }

func (ls *links) add(ev AssocUp) *link {
	l := newLink(ev)
	ls.all[ev.Link] = l
	ls.enter(l)
	return l
}

// remove returns the link that is removed; nil if there is none of that name.
func (ls *links) remove(name Link) *link {
	l := ls.all[name]
	if l == nil {
		return nil
	}
	delete(ls.all, name)
	ls.leave(l)
	ls.timers.Stop(&l.idle)
	return l
}

// readdress notes that the peer of a link has other addresses now.
func (ls *links) readdress(l *link, addrs []netip.AddrPort) {
	ls.leave(l)
	l.setAddrs(addrs)
	ls.enter(l)
}

// enter makes the link findable by its peer's addresses; an older one with the
// same peer goes on being the one to use.
func (ls *links) enter(l *link) {
	if l.Channel != ASAPOverSCTP {
		return
	}
	for _, a := range l.addrs {
		if ls.byAddr[a] == nil {
			ls.byAddr[a] = l
		}
	}
}

func (ls *links) leave(l *link) {
	for _, a := range l.addrs {
		if ls.byAddr[a] == l {
			delete(ls.byAddr, a)
		}
	}
}

// withEndpointOf returns an association with the PE's endpoint, or nil.
func (ls *links) withEndpointOf(el *element) *link {
	for _, a := range el.ASAP.AddrPorts() {
		if l := ls.byAddr[a]; l != nil {
			return l
		}
	}
	return nil
}

// checkIdle starts the clock of a link that only served a probe.
func (ls *links) checkIdle(now time.Time, l *link) {
	if l.Channel == ASAPOverSCTP && l.idleNow() {
		ls.timers.Set(&l.idle, now.Add(ls.cfg.Timers.IdleLink))
	}
}

// closeIdle closes a link that we opened and that was of no use for a while.
func (ls *links) closeIdle(l *link) {
	if l.idleNow() {
		ls.emit(Shutdown{Link: l.Link})
	}
}

// attach makes l the association of a PE; nil: it has none any more.
func (ls *links) attach(now time.Time, mon *monitor, l *link) {
	old := mon.link
	if old == l {
		return
	}
	if old != nil {
		if old.monitors.remove(mon); old.monitors.len() == 0 {
			ls.housing--
		}
	}
	mon.link = l
	if l != nil {
		if l.monitors.add(mon); l.monitors.len() == 1 {
			ls.housing++
		}
	}
	if old != nil {
		ls.checkIdle(now, old)
	}
}

// detachAll takes a link that is gone from the PEs whose association it was, and
// returns them.
func (ls *links) detachAll(l *link) []*monitor {
	all := l.monitors.take()
	if len(all) > 0 {
		ls.housing--
	}
	for _, mon := range all {
		mon.link = nil
	}
	return all
}
