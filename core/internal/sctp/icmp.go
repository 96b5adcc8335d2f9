package sctp

import (
	"encoding/binary"
	"net/netip"
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
	case a.state == cookieWait && first == chunk.TypeInit && quotesTag(quoted, a.tag),
		a.state == cookieEchoed && h.Tag == a.peerTag:
		a.lost(assoc.CannotStart, 0, assoc.ErrRefused) // SCTP-5-09
	case a.state >= established && h.Tag == a.peerTag:
		a.unreachable(now, p, first, quoted)
	default:
		e.counters.UnreachableIgnored++
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
// believed (SCTP-5-09).
func (a *association) unreachable(now time.Time, p *path, first chunk.Type, quoted []byte) {
	if p.nonce != 0 && first == chunk.TypeHeartbeat && quotesBeat(quoted, p) {
		a.beatMissed(now, p)
		return
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
