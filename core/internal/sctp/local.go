package sctp

import (
	"net/netip"

	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

// severalLocal says that the endpoint is bound to more than one specific
// address. Only such an endpoint lists addresses: one with a single address,
// or with a wildcard, is answered where its packets come from, also through a
// NAT (SCTP-3-125, SCTP-5-05).
func (e *Endpoint) severalLocal() bool { return len(e.cfg.Local) > 1 }

// appendLocal appends the address parameters of an INIT or INIT ACK to a peer.
// Loopback means something only on this host, and link-local addresses mean
// nothing without their interface.
func (e *Endpoint) appendLocal(params []byte, peer netip.Addr) []byte {
	if !e.severalLocal() {
		return params
	}
	for _, l := range e.cfg.Local {
		if !l.IsLinkLocalUnicast() && (!l.IsLoopback() || peer.IsLoopback()) {
			params = chunk.AppendAddr(params, l)
		}
	}
	return params
}

// reaches says that packets from own address l can arrive at peer.
func reaches(l, peer netip.Addr) bool {
	return l.Is4() == peer.Is4() && l.IsLoopback() == peer.IsLoopback() &&
		l.IsLinkLocalUnicast() == peer.IsLinkLocalUnicast()
}

// source is the own address, steps behind l among those that reach peer; it
// is invalid, for the system to choose, if the endpoint does not know its
// addresses.
func (e *Endpoint) source(l netip.Addr, steps int, peer netip.Addr) netip.Addr {
	if !e.severalLocal() {
		return l
	}
	at, n := 0, 0
	for _, x := range e.cfg.Local {
		if !reaches(x, peer) {
			continue
		}
		if x == l {
			at = n
		}
		n++
	}
	if n == 0 {
		return netip.Addr{}
	}
	at = (at + steps) % n
	for _, x := range e.cfg.Local {
		if reaches(x, peer) {
			if at == 0 {
				return x
			}
			at--
		}
	}
	return netip.Addr{}
}

// spread gives a new path a source address. Paths take turns, so that two
// addresses on either side make two paths that have nothing in common
// (section 6.4.1, SCTP-3-123).
func (p *path) spread() {
	a := p.a
	if !a.e.severalLocal() {
		return
	}
	var first netip.Addr
	if len(a.paths) > 0 {
		first = a.paths[0].home
	}
	p.home = a.e.source(first, int(p.index), p.addr)
	p.local = p.home
}

// tryHome makes the next heartbeat of a path that works from a substitute
// address an attempt to return: as long as two paths share an address, its
// loss is the loss of both.
func (p *path) tryHome() {
	p.trial = !p.trial && p.a.e.severalLocal() && p.local != p.home && p.usable() && p.errors == 0
}

// turn tries a path from the next own address if it has failed, or if nothing
// works well: it may be this side's network (section 6.4.1). That is no reason
// to send more.
func (p *path) turn() {
	a := p.a
	if !a.e.severalLocal() || !p.inactive && a.anyGood() {
		return
	}
	if l := a.e.source(p.local, 1, p.addr); l != p.local {
		window := p.cwnd
		p.moveTo(l)
		p.cwnd = min(p.cwnd, window)
	}
}

// anyGood says that on some path no answer is missing.
func (a *association) anyGood() bool {
	for _, p := range a.paths {
		if p.usable() && p.errors == 0 {
			return true
		}
	}
	return false
}

// moveTo changes the source address of the path. That is another route, about
// which nothing is known yet (section 7.2.5, SCTP-3-85).
func (p *path) moveTo(l netip.Addr) {
	known := p.local.IsValid()
	p.local = l
	if known {
		p.forgetMTU()
		p.reinitialise()
	}
}

// reinitialise begins congestion control anew, with initial values: packets go
// another way, or wait in other queues, than those that it learned from. What is
// in flight stays there, and the round trip is measured as if for the first time.
func (p *path) reinitialise() {
	flight := p.flight
	p.congestion = initialCongestion(p.pmdcs(), p.addr.Is4())
	p.flight = flight
	p.srtt, p.rttvar = 0, 0
	p.stopTiming()
}
