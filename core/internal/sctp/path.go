package sctp

import (
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

// path is one destination address of the peer with everything that RFC 9260
// keeps per destination (section 14.3, SCTP-3-120).
type path struct {
	a       *association
	addr    netip.Addr
	udpPort uint16     // peer's encapsulation port (RFC 6951 section 5.4)
	local   netip.Addr // own address that its packets arrive at, once known
	home    netip.Addr // the one of several that is meant for it
	index   uint8
	twin    *path // the next one with the same address and SCTP port (peers.go)

	confirmed bool // given by the user or verified (section 5.4)
	inactive  bool
	errors    int
	note      *event // its last change of reachability, unread

	mtu int // largest SCTP packet
	rto
	congestion

	t3, beat timer
	early    bool // T3 goes off before its time first (early.go)
	resent   bool // it did, or fully, and nothing new was acknowledged since
	search   search

	lastData time.Time // DATA was last sent
	beatSent time.Time
	nonce    uint64 // of the outstanding HEARTBEAT; 0 = none
	trial    bool   // which comes from home
	sendBeat bool
	control  []byte // HEARTBEAT ACK and ERROR chunks that wait for a packet
}

// newPath adds a path to the association.
func (a *association) newPath(addr netip.Addr, udpPort uint16) *path {
	p := &path{a: a, addr: addr, udpPort: udpPort, index: uint8(len(a.paths))}
	p.spread()
	p.t3.Value = timerRef{a: a, path: p, kind: timerT3}
	p.beat.Value = timerRef{a: a, path: p, kind: timerBeat}
	p.search.timer.Value = timerRef{a: a, path: p, kind: timerMTU}
	p.resetTransfer()
	if len(a.paths) == 0 {
		a.source = a.e.sourceOf(addr)
		a.source.assocs++
	}
	a.paths = append(a.paths, p)
	a.e.enter(p)
	return p
}

// resetTransfer gives timing and congestion control their initial values
// (section 7.2.5, SCTP-3-85).
func (p *path) resetTransfer() {
	p.forgetMTU()
	p.rto = rto{value: p.a.params.RTOInitial}
	p.congestion = initialCongestion(p.pmdcs(), p.addr.Is4())
	p.errors = 0
	p.inactive = false
}

// pmdcs is the largest DATA chunk that a packet on the path carries.
func (p *path) pmdcs() int { return (p.mtu - chunk.HeaderSize) &^ 3 }

// maxPayload is the largest payload of one DATA chunk (SCTP-3-04). It fits
// every path that data may take (section 7.3, SCTP-3-130).
func (a *association) maxPayload() int {
	n := a.dataPath().pmdcs()
	for _, p := range a.paths {
		if p.usable() {
			n = min(n, p.pmdcs())
		}
	}
	return n - chunk.DataHeader(a.interleave)
}

func (a *association) pathTo(addr netip.Addr) *path {
	for _, p := range a.paths {
		if p.addr == addr {
			return p
		}
	}
	return nil
}

func (p *path) usable() bool { return p.confirmed && !p.inactive }

// worse says that less can be expected of p than of q: it has failed, or, as
// RFC 7829 has it, potentially failed because of what was not answered lately.
func (p *path) worse(q *path) bool {
	if p.inactive != q.inactive {
		return p.inactive
	}
	return p.errors > q.errors
}

// dataPath is where new data goes: the primary path unless another one looks
// better (SCTP-3-115, SCTP-3-122). If none works, those with the fewest
// failures take turns (SCTP-3-124).
func (a *association) dataPath() *path {
	best := a.primary
	for _, q := range a.paths {
		if q.confirmed && (!best.confirmed || best.worse(q)) {
			best = q
		}
	}
	return best
}

// alternate is the best path other than p, or nil if there is none that works;
// if p does not either, one that does not will do.
func (a *association) alternate(p *path) *path {
	var best *path
	for _, q := range a.paths {
		if q != p && q.confirmed && (best == nil || best.worse(q)) {
			best = q
		}
	}
	if best != nil && best.inactive && !p.inactive {
		return nil
	}
	return best
}

// suspect says that an answer on the path is missing, and that there are
// others to use until it comes (RFC 7829 section 3).
func (p *path) suspect() bool {
	return p.errors > 0 && !p.inactive && len(p.a.paths) > 1
}

// heard notes where a packet with a valid verification tag came from. Only
// such a packet moves the peer's UDP port (RFC 6951 section 5.4, SCTP-5-02).
func (p *path) heard(in *arrival) {
	if port := in.from.Port(); port != p.udpPort {
		p.movePort(port)
	}
	if in.local.IsValid() && in.local != p.local && !(p.local.IsValid() && p.a.e.severalLocal()) {
		p.moveTo(in.local)
	}
}

// works clears the error counter of a path that has answered (section 8.2).
func (p *path) works() {
	p.errors = 0
	p.a.rival = false
	if p.inactive {
		p.inactive = false
		p.a.notifyPath(p, assoc.PathAvailable, nil)
	}
}

// failed counts a packet on the path that was not answered (sections 8.1,
// 8.2; SCTP-3-114). It may end the association.
func (a *association) failed(p *path, counts bool) {
	p.errors++
	if p.errors > a.params.PathMaxRetrans && !p.inactive {
		p.inactive = true
		a.notifyPath(p, assoc.PathUnreachable, assoc.ErrUnreachable)
	}
	p.turn()
	if !counts {
		return
	}
	a.errors++
	if a.errors > a.params.AssocMaxRetrans {
		err := assoc.ErrTimeout
		if a.rival {
			err = errReplaced
		}
		a.lost(assoc.CommLost, 0, err)
	}
}

func (p *path) status() assoc.PathStatus {
	return assoc.PathStatus{
		Addr:    netip.AddrPortFrom(p.addr, p.a.peerPort),
		UDPPort: p.udpPort, Active: p.usable(),
		SRTT: p.srtt, RTO: p.rto.value, Cwnd: p.cwnd, InFlight: p.flight, MTU: p.mtu, Errors: p.errors,
	}
}
