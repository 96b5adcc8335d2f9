package registrar

import (
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// candidates are where registrars may be found.
type candidates struct {
	*core
	attempts  *attempts
	peers     *peers
	join      *join
	discovery *discovery

	list []*peerCandidate // the configured ones first, in the order in which join asks
}

// configure adds the configured candidates.
func (cs *candidates) configure() {
	for _, addrs := range cs.cfg.Peers {
		if cs.isSelf(addrs) {
			cs.complain(cs.started, "peer "+fmt.Sprint(addrs), Log{Msg: "a configured peer is this registrar itself, and does not count", Peer: fmt.Sprint(addrs)})
		}
		cs.add(addrs)
	}
}

// add adds a configured candidate, unless it is known or ourselves.
func (cs *candidates) add(addrs []netip.AddrPort) (added bool) {
	known := func(c *peerCandidate) bool { return slices.Equal(c.addrs, addrs) }
	if len(addrs) == 0 || cs.isSelf(addrs) || slices.ContainsFunc(cs.list, known) {
		return false
	}
	cs.list = append(cs.list, &peerCandidate{addrs: addrs})
	return true
}

// isSelf says whether we serve at one of the addresses.
func (cs *candidates) isSelf(addrs []netip.AddrPort) bool {
	return slices.ContainsFunc(addrs, func(a netip.AddrPort) bool {
		return slices.Contains(cs.cfg.ENRP.AddrPorts(), a) ||
			slices.ContainsFunc(cs.cfg.Local, func(l netip.AddrPort) bool { return servesAt(l, a) })
	})
}

// servesAt says whether an endpoint that is bound to l is reached at a of this
// host's addresses.
func servesAt(l, a netip.AddrPort) bool {
	everywhere := l.Addr().IsUnspecified() && a.Addr().IsLoopback() && (l.Addr().Is6() || a.Addr().Is4())
	return l == a || everywhere && l.Port() == a.Port()
}

// How long a peer that was given up is looked for, and how many of them are.
const (
	lostFor = time.Hour
	maxLost = 64
)

// keep remembers where a peer was that is given up.
func (cs *candidates) keep(now time.Time, p *peer) {
	lost := 0
	for _, c := range cs.list {
		if slices.Equal(c.addrs, p.addrs()) {
			c.id = p.id
			if !c.until.IsZero() {
				c.until = now.Add(lostFor)
			}
			return
		}
		if !c.until.IsZero() {
			lost++
		}
	}
	if len(p.addrs()) > 0 && lost < maxLost {
		cs.list = append(cs.list, &peerCandidate{addrs: p.addrs(), until: now.Add(lostFor), id: p.id})
	}
}

// welcomeBack notes that a peer was given up before.
func (cs *candidates) welcomeBack(now time.Time, p *peer) {
	for _, c := range cs.list {
		if c.id == p.id {
			p.returned = now
		}
	}
}

// drop forgets registrars that were given up long ago. While we join their places
// in the list are counted.
func (cs *candidates) drop(now time.Time) {
	if cs.join.step == joinDone {
		cs.list = slices.DeleteFunc(cs.list, func(c *peerCandidate) bool {
			return !c.until.IsZero() && !c.pending() && now.After(c.until)
		})
	}
}

// retry tries the registrars that are not among the peers: they may have been
// down, or cut off.
func (cs *candidates) retry() {
	if cs.join.step != joinDone {
		return
	}
	for _, c := range cs.list {
		if !c.pending() && !cs.known(c) {
			cs.reachOut(c)
		}
	}
}

// addNamed adds a candidate that a name leads to.
func (cs *candidates) addNamed(a netip.AddrPort) {
	if cs.add([]netip.AddrPort{a}) {
		cs.list[len(cs.list)-1].named = true
	}
}

// dropNamed forgets those that no name leads to any more, but not while we join,
// for the same reason.
func (cs *candidates) dropNamed(found []netip.AddrPort) {
	if cs.join.step == joinDone {
		cs.list = slices.DeleteFunc(cs.list, func(c *peerCandidate) bool {
			return c.named && !c.pending() && !slices.Contains(found, c.addrs[0])
		})
	}
}

// addHeard adds a registrar that was heard over SCTP after multicast
// (OVR-3.1-01), behind those that are configured.
func (cs *candidates) addHeard(now time.Time, p *peer) (added bool) {
	if !cs.cfg.Multicast || len(p.addrs()) == 0 || p.link == nil || len(cs.list) >= len(cs.cfg.Peers)+maxKnocks {
		return false
	}
	for _, c := range cs.list {
		if c.id == p.id || cs.linkTo(c) == p.link {
			return false
		}
	}
	cs.list = append(cs.list, &peerCandidate{addrs: p.addrs(), id: p.id, link: p.link, until: now.Add(lostFor)})
	return true
}
