package sctp

import (
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

// arrival is a packet on its way through the engine.
type arrival struct {
	now    time.Time
	from   netip.AddrPort // IP address and UDP port
	local  netip.Addr
	header chunk.Header
	path   *path // that it came in on, once the association is known

	kind      chunk.Type // of the first chunk
	first     bool       // the chunk at hand is the first one
	alone     bool       // and the only one
	reflected bool       // the tag is the peer's, the T bit is set (section 8.5.1)

	data    bool // contained DATA
	dups    bool // contained duplicates
	sackNow bool // asks for a SACK at once
}

// Input takes one UDP datagram that arrived. p.Data is not retained.
func (e *Endpoint) Input(now time.Time, p Packet) {
	e.counters.PacketsIn++
	h, chunks, err := chunk.ParsePacket(p.Data)
	if err != nil {
		e.countBad(err)
		return
	}
	in := arrival{
		now: now, header: h, local: p.Local.Unmap(),
		from: netip.AddrPortFrom(p.Peer.Addr().Unmap(), p.Peer.Port()), // an address has one form (SCTP-5-12)
	}
	first, rest, err := chunk.Next(chunks)
	if err != nil || !unicast(in.from.Addr()) || in.from.Port() == 0 {
		e.counters.BadPacket++
		return
	}
	in.kind, in.first, in.alone = first.Type, true, len(rest) == 0
	switch {
	case first.Type == chunk.TypeInit:
		e.handleInit(&in, first)
	case h.Tag == 0: // tag zero is for INITs that travel alone (SCTP-1-16)
		e.counters.BadPacket++
	case first.Type == chunk.TypeCookieEcho:
		e.handleCookieEcho(&in, first, rest)
	default:
		e.deliver(&in, first, chunks)
	}
}

func (e *Endpoint) countBad(err error) {
	if err == chunk.ErrChecksum {
		e.counters.BadChecksum++
	} else {
		e.counters.BadPacket++
	}
}

// unicast says that an address can be a peer's (section 8.4 rule 1).
func unicast(a netip.Addr) bool {
	return a.IsValid() && !a.IsMulticast() && !a.IsUnspecified() && a != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// deliver finds the association that a packet belongs to by its verification
// tag (section 8.5, SCTP-2-01), and hands it over.
func (e *Endpoint) deliver(in *arrival, first chunk.Raw, chunks []byte) {
	h := in.header
	if a := e.byTag[h.Tag]; a != nil && a.peerPort == h.SrcPort && h.DstPort == e.cfg.Port {
		in.path = a.pathTo(in.from.Addr())
		if in.path == nil && first.Type == chunk.TypeInitAck {
			in.path = a.pathOfInitAck(first, in.from.Addr()) // section 5.1.2 D, SCTP-2-02
		}
		if in.path == nil {
			e.counters.BadTag++ // without the right tag no address is followed (SCTP-5-04)
			return
		}
		a.receive(in, chunks)
		return
	}
	if h.DstPort != e.cfg.Port {
		e.outOfTheBlue(in, chunks)
		return
	}
	e.deliverForeign(in, first, chunks)
}

// deliverForeign takes a packet without our tag. From a known peer it is
// dropped, with the exceptions of section 8.5.1 (SCTP-2-03, SCTP-2-12).
func (e *Endpoint) deliverForeign(in *arrival, first chunk.Raw, chunks []byte) {
	if a := e.reflects(in, first); a != nil {
		in.reflected = true
		in.path = a.pathTo(in.from.Addr())
		a.receive(in, chunks)
		return
	}
	p := e.pathAt(in.from, in.header.SrcPort)
	switch {
	case p == nil:
		e.outOfTheBlue(in, chunks)
	case first.Type == chunk.TypeShutdownAck && p.a.state < established:
		e.answerShutdownAck(in)
	default:
		e.counters.BadTag++
	}
}
