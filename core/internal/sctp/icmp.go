package sctp

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

// Unreachable reports an ICMP port unreachable for a datagram that was sent
// to the given address and UDP port; quoted is the beginning of the SCTP
// packet that was in it, as far as it is known. Without enough of it to show
// the verification tag it is ignored: anyone can send an ICMP message
// (RFC 6951 section 5.5, RFC 9260 section 10; SCTP-5-08).
func (e *Endpoint) Unreachable(now time.Time, to netip.AddrPort, quoted []byte) {
	a, p, h := e.quotedPath(to, quoted)
	if a == nil {
		e.counters.UnreachableIgnored++
		return
	}
	first := chunk.Type(255)
	if len(quoted) > chunk.HeaderSize {
		first = chunk.Type(quoted[chunk.HeaderSize])
	}
	switch {
	case p.udpPort != to.Port(): // it has moved since
		e.counters.UnreachableIgnored++
	case a.state == cookieWait && first == chunk.TypeInit && quotesTag(quoted, a.tag):
		a.giveUpAddress(now, p, assoc.ErrRefused)
	case a.state == cookieEchoed && h.Tag == a.peerTag:
		a.lost(assoc.CannotStart, 0, assoc.ErrRefused) // like an ABORT: nobody has the port (SCTP-5-09)
	case a.state >= established && h.Tag == a.peerTag:
		a.unreachable(now, p, first, quoted)
	default:
		e.counters.UnreachableIgnored++
	}
}

// Unroutable reports that the system does not know how to send a packet to the
// given address and UDP port, and why. It ends the set-up of an association there
// at once; one that stands bears it like a loss.
func (e *Endpoint) Unroutable(now time.Time, to netip.AddrPort, packet []byte, why error) {
	if a, p, _ := e.quotedPath(to, packet); a != nil && a.state == cookieWait {
		a.giveUpAddress(now, p, fmt.Errorf("%w: %w", assoc.ErrUnreachable, why))
	}
}

// giveUpAddress goes on with the next address to which an INIT may go, at once;
// with the last one it gives up (SCTP-5-09).
func (a *association) giveUpAddress(now time.Time, p *path, err error) {
	s := a.setup
	if !slices.Contains(s.vain, p) {
		s.vain = append(s.vain, p)
	}
	switch {
	case len(s.vain) == len(a.paths):
		a.lost(assoc.CannotStart, 0, err)
	case a.setupPath() == p:
		s.nextTarget(a.paths)
		a.owe(dueInit)
		a.startTimer(&a.t1, now, a.setupPath().rto.value)
	}
}

// nextTarget turns to the next address that was not given up; there is one.
func (s *setup) nextTarget(paths []*path) {
	for range paths {
		if s.target = (s.target + 1) % len(paths); !slices.Contains(s.vain, paths[s.target]) {
			return
		}
	}
}

// quotedPath finds the association and the path of a packet that was sent.
func (e *Endpoint) quotedPath(to netip.AddrPort, quoted []byte) (*association, *path, chunk.Header) {
	h, ok := chunk.PeekHeader(quoted)
	if !ok || h.SrcPort != e.cfg.Port {
		return nil, nil, h
	}
	addr := to.Addr().Unmap()
	a := e.findPeer(addr, nil, h.DstPort, func(p *path) bool {
		return h.Tag != 0 && h.Tag == p.a.peerTag || h.Tag == 0 && quotesTag(quoted, p.a.tag)
	})
	if a == nil {
		return nil, nil, h
	}
	return a, a.pathTo(addr), h
}

// quotesTag says that a quoted INIT carries our Initiate Tag.
func quotesTag(quoted []byte, tag uint32) bool {
	const at = chunk.HeaderSize + 4
	return len(quoted) >= at+4 && binary.BigEndian.Uint32(quoted[at:]) == tag
}

// unreachable brings the error counters of a path to their limit and asks the
// peer at once: it dies with the next failure, for which the ICMP message to
// that very heartbeat is enough, but a peer that is there after all is
// believed (SCTP-5-09). It makes no difference whether the message is about data or
// about a heartbeat that was due anyway.
func (a *association) unreachable(now time.Time, p *path, first chunk.Type, quoted []byte) {
	if p.nonce != 0 && first == chunk.TypeHeartbeat && quotesBeat(quoted, p) {
		if p.trial || p.errors >= a.params.PathMaxRetrans {
			a.beatMissed(now, p)
			return
		}
		p.nonce = 0
	}
	p.errors = max(p.errors, a.params.PathMaxRetrans)
	if q := a.alternate(p); q == nil || q.inactive {
		a.errors = max(a.errors, a.params.AssocMaxRetrans)
	}
	a.t2Tries = max(a.t2Tries, a.params.AssocMaxRetrans)
	if p.nonce == 0 && (a.state <= shutdownPending || a.state == shutdownReceived) {
		a.beatNow(now, p)
	}
}

// quotesBeat says that the quoted packet begins with the heartbeat that is
// outstanding on the path.
func quotesBeat(quoted []byte, p *path) bool {
	const at = chunk.HeaderSize + 8
	if len(quoted) < at+beatInfoSize {
		return false
	}
	return p.a.ownBeat(quoted[at:at+beatInfoSize]) == p
}
