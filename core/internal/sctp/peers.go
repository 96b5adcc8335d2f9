package sctp

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

// Behind a NAT several peers have one address, and some of them the same SCTP
// port: they differ by the UDP port that the NAT gave them. So a peer is
// (address, UDP port, SCTP port) for whatever carries no tag that proves more:
// an INIT from another UDP port opens another association (SCTP-2-05). With the
// right tag a packet may come from any UDP port, for a NAT may change it
// (RFC 6951 section 5.4, SCTP-5-02); then the path moves.
//
// Whether the newcomer is a neighbour or the old peer, which has lost its memory
// and got a new port, only the old association can tell: it is asked, by a
// HEARTBEAT to where it was, and if nobody answers it ends as it always does.

// peerKey is what peers behind one NAT can have in common.
type peerKey struct {
	addr netip.Addr
	port uint16 // SCTP
}

// maxRivals is how many associations a newcomer makes the endpoint ask.
const maxRivals = 8

// errReplaced is the end of an association whose peer does not answer since
// another one has come from its address and SCTP port.
var errReplaced = fmt.Errorf("%w; it seems to have begun anew from another UDP port", assoc.ErrTimeout)

// enter makes a path findable by its address; of several with the same UDP port
// the last one is found.
func (e *Endpoint) enter(p *path) {
	k := p.key()
	p.twin, e.byPeer[k] = e.byPeer[k], p
}

// leave takes a path out again.
func (e *Endpoint) leave(p *path) {
	k := p.key()
	first := e.byPeer[k]
	if first == p {
		first = p.twin
	} else {
		q := first
		for q.twin != p {
			q = q.twin
		}
		q.twin = p.twin
	}
	p.twin = nil
	if first == nil {
		delete(e.byPeer, k)
	} else {
		e.byPeer[k] = first
	}
}

func (p *path) key() peerKey { return peerKey{p.addr, p.a.peerPort} }

// maxTwins is how many peers may have one address and SCTP port: behind one NAT the
// SCTP ports mostly differ. Every INIT from there looks at all of them.
const maxTwins = 64

// crowded says that there are so many: of those that have shown that they are
// there, or with listed of all, for whom a peer lists may be anybody.
func (e *Endpoint) crowded(addr netip.Addr, port uint16, listed bool) bool {
	n := 0
	for p := e.byPeer[peerKey{addr, port}]; p != nil && n < maxTwins; p = p.twin {
		if p.confirmed || listed {
			n++
		}
	}
	return n == maxTwins
}

// pathAt finds the path to an address and UDP port; port is SCTP's.
func (e *Endpoint) pathAt(at netip.AddrPort, port uint16) *path {
	p := e.byPeer[peerKey{at.Addr(), port}]
	for p != nil && p.udpPort != at.Port() {
		p = p.twin
	}
	return p
}

// findPeer returns the association with a path to one of the addresses that
// passes a test.
func (e *Endpoint) findPeer(from netip.Addr, addrs []netip.Addr, port uint16, is func(*path) bool) *association {
	for i := -1; i < len(addrs); i++ {
		if i >= 0 {
			from = addrs[i]
		}
		for p := e.byPeer[peerKey{from, port}]; p != nil; p = p.twin {
			if is(p) {
				return p.a
			}
		}
	}
	return nil
}

// known finds the association that an INIT belongs to, by its source or a listed
// address and its UDP port (section 5.1.2 D, SCTP-2-02). While one is being set
// up, whoever is at the address is taken for the peer that is being called: both
// open at once.
func (e *Endpoint) known(in *arrival, addrs []netip.Addr) *association {
	if in.header.DstPort != e.cfg.Port {
		return nil
	}
	port := in.header.SrcPort
	if a := e.findPeer(in.from.Addr(), addrs, port, func(p *path) bool { return p.udpPort == in.from.Port() }); a != nil {
		return a
	}
	return e.findPeer(in.from.Addr(), addrs, port, func(p *path) bool { return p.a.state < established })
}

// knownByCookie finds the association that a COOKIE ECHO belongs to. Its tags
// say more than a UDP port, which may have changed since the INIT.
func (e *Endpoint) knownByCookie(in *arrival, ck *cookie) *association {
	a := e.findPeer(in.from.Addr(), ck.addrs, in.header.SrcPort, func(p *path) bool {
		a := p.a
		return ck.ownTag == a.tag || ck.peerTag == a.peerTag ||
			a.tieOwn != 0 && ck.tieOwn == a.tieOwn && ck.tiePeer == a.tiePeer
	})
	if a != nil {
		return a
	}
	return e.known(in, ck.addrs)
}

// existing finds the association that Connect would open once more: the one at
// that UDP port or, as peers behind a NAT are found elsewhere than they are
// looked for, the only one with the address. One that was opened to another UDP
// port on purpose is with somebody else.
func (e *Endpoint) existing(at netip.AddrPort, port, asked uint16) *association {
	if p := e.pathAt(at, port); p != nil {
		return p.a
	}
	p := e.byPeer[peerKey{at.Addr(), port}]
	if p == nil || p.twin != nil {
		return nil
	}
	if a := p.a; a.incoming || asked == 0 || asked == a.params.EncapPort {
		return a
	}
	return nil
}

// reflects finds the association whose own packet an ABORT or SHUTDOWN COMPLETE
// with the T bit answers: it bears the peer's tag (section 8.5.1, SCTP-2-03).
func (e *Endpoint) reflects(in *arrival, first chunk.Raw) *association {
	if first.Type != chunk.TypeAbort && first.Type != chunk.TypeShutdownComplete || first.Flags&chunk.FlagT == 0 {
		return nil
	}
	return e.findPeer(in.from.Addr(), nil, in.header.SrcPort, func(p *path) bool { return p.a.peerTag == in.header.Tag })
}

// challenge asks the associations with the address and SCTP port of a newcomer
// whether their peers are still there.
func (a *association) challenge(now time.Time) {
	n := 0
	for p := a.e.byPeer[a.paths[0].key()]; p != nil && n < maxRivals; p = p.twin {
		if p.a == a || !p.confirmed {
			continue
		}
		n++
		p.a.rival = true
		if p.nonce == 0 && (p.a.state == established || p.a.state == shutdownPending || p.a.state == shutdownReceived) {
			p.a.beatNow(now, p)
		}
	}
}

// movePort takes note that the peer is at another UDP port now. Of several that
// were seen at one port the last one is there.
func (p *path) movePort(port uint16) {
	p.udpPort = port
	p.a.e.counters.PortChanges++
	p.a.e.leave(p)
	p.a.e.enter(p)
}
