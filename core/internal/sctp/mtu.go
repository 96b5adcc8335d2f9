package sctp

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

// The size of packets on a path is found by probing (RFC 8899; SCTP-3-131):
// a HEARTBEAT, filled up with a PAD chunk and not to be fragmented, is answered
// or it is not. Everything else may be fragmented, so that a chunk which was
// cut for larger packets still arrives (SCTP-3-03). A search costs packets;
// it begins when there is more to send than one packet holds.

// Sizes of what is below SCTP, and of IP packets.
const (
	udpHeader  = 8
	ipv4Header = 20
	ipv6Header = 40
	baseMTU    = 1200 // is assumed to pass everywhere (RFC 8899 section 5.1.2)
	minMTU     = 576
	maxMTU     = 65535
)

const (
	maxProbes    = 3                // of one size (RFC 8899 section 5.1.2)
	probeTimeout = time.Second      // at least (section 5.1.1)
	raiseAfter   = 10 * time.Minute // a finished search begins again (section 5.1.1)
	mtuStep      = 32               // smallest gain worth a probe
	blackHole    = 2                // timeouts in a row after which large packets are suspected (section 4.3)
)

// commonMTUs are tried before anything in between: Ethernet, its jumbo frames,
// and what loopback carries.
var commonMTUs = [...]int{1500, 9000, maxMTU}

// packetSize is the size of SCTP packets in IP packets of size mtu; zero or
// less stands for one that is to be found.
func packetSize(addr netip.Addr, mtu int) int {
	if mtu <= 0 {
		mtu = baseMTU
	}
	mtu = min(max(mtu, minMTU), maxMTU)
	if addr.Is4() {
		return mtu - ipv4Header - udpHeader
	}
	return mtu - ipv6Header - udpHeader
}

// search is the state of the search for the size of a path's packets. Sizes
// are of SCTP packets.
type search struct {
	failed  int    // smallest size that did not pass; 0 = none
	size    int    // of the probe that is out; 0 = none
	tries   int    // how many of this size were lost
	nonce   uint64 // of the probe
	due     bool   // the probe waits to be sent
	ended   time.Time
	silence int // T3 expirations since data was last acknowledged
	timer   timer
}

// discover begins a search on every path: what is cut must fit all of them
// (section 7.3, SCTP-3-130).
func (a *association) discover(now time.Time) {
	if a.params.MTU > 0 {
		return
	}
	for _, p := range a.paths {
		s := &p.search
		if s.size != 0 || !p.usable() || !s.ended.IsZero() && now.Sub(s.ended) < raiseAfter {
			continue
		}
		if !s.ended.IsZero() {
			s.failed, s.ended = 0, time.Time{}
		}
		p.probeNext(now)
	}
}

// next is the size to try, or 0 if the search is over.
func (p *path) next() int {
	s := &p.search
	limit := packetSize(p.addr, p.a.e.cfg.MaxMTU) &^ 3
	for _, mtu := range commonMTUs {
		n := min(packetSize(p.addr, mtu)&^3, limit)
		if n > p.mtu && (s.failed == 0 || n < s.failed) {
			return n
		}
	}
	if s.failed == 0 || s.failed-p.mtu <= max(mtuStep, p.mtu/16) {
		return 0
	}
	return (p.mtu + (s.failed-p.mtu)/2) &^ 3
}

func (p *path) probeNext(now time.Time) {
	s := &p.search
	s.size, s.tries = p.next(), 0
	if s.size == 0 {
		s.ended = now
		p.a.stopTimer(&s.timer)
		return
	}
	p.probe(now)
}

func (p *path) probe(now time.Time) {
	s, a := &p.search, p.a
	s.nonce, s.due = a.e.rand.uint64(), true
	a.startTimer(&s.timer, now, max(probeTimeout, p.rto.value))
	a.wake()
}

// probeLost is neither congestion nor a failure of the path (RFC 8899 section
// 3, number 7).
func (a *association) probeLost(now time.Time, p *path) {
	s := &p.search
	s.tries++
	switch {
	case p.inactive || a.state > shutdownReceived || a.state == shutdownSent:
		p.stopSearch()
	case s.tries < maxProbes:
		p.probe(now)
	default:
		p.onPacketTooBig(now, s.size)
	}
}

// onPacketTooBig notes that packets of a size do not pass and goes on with the search.
func (p *path) onPacketTooBig(now time.Time, size int) {
	s := &p.search
	if s.failed == 0 || size < s.failed {
		s.failed = size
	}
	if p.mtu >= s.failed {
		p.setMTU(packetSize(p.addr, 0))
		s.ended = time.Time{}
	}
	if s.size >= s.failed {
		p.probeNext(now)
	}
}

// forgetMTU returns to what is known of any path.
func (p *path) forgetMTU() {
	p.stopSearch()
	p.search.failed, p.search.ended = 0, time.Time{}
	p.mtu = packetSize(p.addr, p.a.params.MTU)
}

// stopSearch ends a search without a result.
func (p *path) stopSearch() {
	p.search.size, p.search.due = 0, false
	p.a.stopTimer(&p.search.timer)
}

// setMTU sets the size of packets. A larger one brings the initial window that
// belongs to it (sections 7.2.1, 7.2.5; SCTP-3-85).
func (p *path) setMTU(size int) {
	raised := size > p.mtu
	p.mtu = size
	if raised {
		p.cwnd = max(p.cwnd, initialCongestion(p.pmdcs(), p.addr.Is4()).cwnd)
	}
	p.cwnd = max(p.cwnd, p.pmdcs())
}

// buildProbe makes the probe packet.
func (a *association) buildProbe(q *path, p *Packet) bool {
	s := &q.search
	s.due = false
	w := a.start(q, p)
	w.limit = s.size
	var info [beatInfoSize]byte
	info[0], info[1] = probeInfoVersion, q.index
	binary.BigEndian.PutUint16(info[2:], uint16(s.size))
	binary.BigEndian.PutUint64(info[12:], s.nonce)
	w.b = chunk.AppendHeartbeat(w.b, info[:])
	w.b = chunk.AppendPad(w.b, w.left())
	p.DontFragment = true
	return a.finish(&w, q, p)
}

// handleProbeAck takes the answer to the probe that is out: its size passes.
func (a *association) handleProbeAck(now time.Time, info []byte) {
	if len(info) != beatInfoSize || int(info[1]) >= len(a.paths) {
		return
	}
	p := a.paths[info[1]]
	s := &p.search
	if s.size == 0 || s.due || binary.BigEndian.Uint64(info[12:]) != s.nonce {
		return
	}
	p.setMTU(s.size)
	p.probeNext(now)
	a.wake()
}

// timedOut suspects large packets when nothing comes back: they may vanish
// since the route has changed (RFC 8899 section 4.3).
func (s *search) timedOut(now time.Time, p *path) {
	s.silence++
	if s.silence >= blackHole && p.a.params.MTU <= 0 && p.mtu > packetSize(p.addr, 0) {
		s.silence = 0
		p.stopSearch()
		p.onPacketTooBig(now, p.mtu)
	}
}

// TooBig reports that a packet to the given address and UDP port was larger
// than the path carries: the system did not send it, or an ICMP message says
// so and gives the IP packet size that passes, mtu, which is zero if it is not
// known. quoted is the beginning of the SCTP packet, whose tag shows that the
// message can be believed (SCTP-5-08, SCTP-5-10).
func (e *Endpoint) TooBig(now time.Time, to netip.AddrPort, quoted []byte, mtu int) {
	a, p, h := e.quotedPath(to, quoted)
	if a == nil || a.state < established || h.Tag != a.peerTag || a.params.MTU > 0 || mtu > 0 && mtu < baseMTU {
		e.counters.UnreachableIgnored++
		return
	}
	size := len(quoted)
	if mtu > 0 {
		size = packetSize(p.addr, mtu)&^3 + 4 // the first that does not pass
	}
	if size > packetSize(p.addr, 0) {
		p.onPacketTooBig(now, size)
	}
}
