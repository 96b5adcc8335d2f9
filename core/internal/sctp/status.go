package sctp

import (
	"net/netip"
	"reflect"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// override returns p with the non-zero fields of by.
func override(p, by assoc.Params) assoc.Params {
	to, from := reflect.ValueOf(&p).Elem(), reflect.ValueOf(by)
	for i := range from.NumField() {
		if f := from.Field(i); !f.IsZero() {
			to.Field(i).Set(f)
		}
	}
	return p
}

// SetParams changes the non-zero fields of p for one association, or with id
// 0 for those that start later. Timers that run keep their time, except that
// the next heartbeat moves with the interval (SCTP-4-22). What was negotiated
// at the set-up stays. Another codepoint means other queues on the way, so
// congestion control begins anew on every path (section 7.2.5.1, SCTP-3-85). A
// receive buffer that becomes smaller takes back what its peer was promised: what
// is under way then may have to be sent again. Of larger ones those who wait for room
// are told at once: the user (SCTP-3-08), the peer (SCTP-3-42).
func (e *Endpoint) SetParams(id assoc.ID, p assoc.Params) error {
	if id == 0 {
		if p.Primary.IsValid() {
			return assoc.ErrInvalid // of which association?
		}
		e.params = override(e.params, p)
		return nil
	}
	a := e.byID[id]
	if a == nil {
		return assoc.ErrNotConnected
	}
	if p.Primary.IsValid() && !a.prefer(p.Primary.Unmap()) {
		return assoc.ErrInvalid
	}
	old := a.params
	a.params = normalise(override(old, p))
	a.params.OutStreams, a.params.InStreams = old.OutStreams, old.InStreams
	requeued := dscp(a.params) != dscp(old)
	for _, q := range a.paths {
		if requeued {
			q.reinitialise()
		}
		if p.MTU != 0 {
			q.forgetMTU()
			q.cwnd = max(q.cwnd, q.pmdcs())
		}
		q.rto.value = min(max(q.rto.value, a.params.RTOMin), a.params.RTOMax)
		a.moveBeat(q, a.params.HeartbeatInterval-old.HeartbeatInterval)
	}
	if requeued {
		a.wake() // the window may have become larger
	}
	a.room()
	a.windowOpened()
	return nil
}

// prefer makes the path to addr the primary one. That has to be verified
// (section 5.4, SCTP-3-124).
func (a *association) prefer(addr netip.Addr) bool {
	p := a.pathTo(addr)
	if p == nil || !p.confirmed {
		return false
	}
	if a.primary != p && a.state >= established {
		a.primary = p
		a.notifyPath(p, assoc.PathMadePrimary, nil)
	}
	a.wake()
	return true
}

// moveBeat moves the next heartbeat by the change of its interval.
func (a *association) moveBeat(p *path, by time.Duration) {
	switch {
	case by == 0 || p.nonce != 0 || a.state < established || a.state > shutdownReceived:
	case a.params.HeartbeatInterval < 0:
		a.stopTimer(&p.beat)
	case p.beat.Armed():
		a.e.setTimer(&p.beat, p.beat.At().Add(by))
	default:
		a.scheduleBeat(p, p.lastData) // at once, if that is long ago
	}
}

// Status describes an association (section 11.1.8, SCTP-4-10).
func (e *Endpoint) Status(id assoc.ID) (assoc.Status, error) {
	a := e.byID[id]
	if a == nil {
		return assoc.Status{}, assoc.ErrNotConnected
	}
	s := assoc.Status{
		State: a.state.String(), Primary: int(a.primary.index),
		PeerWindow: a.out.window, Unacked: a.out.unacked, Unsent: a.out.unsent, QueuedBytes: a.out.queued,
		InStreams: a.inStreams, OutStreams: a.outStreams,
		QueuedPayload: a.out.queued - messageOverhead*(a.out.unacked+a.out.unsent),
		Unread:        a.in.held - a.in.lent.bytes, Retransmissions: a.resends,
	}
	for _, p := range a.paths {
		s.Paths = append(s.Paths, p.status())
	}
	return s, nil
}

// AssocAddrs returns the SCTP addresses of both ends of an association. The
// local ones are those that packets arrived at.
func (e *Endpoint) AssocAddrs(id assoc.ID) (local, peer []netip.AddrPort, err error) {
	a := e.byID[id]
	if a == nil {
		return nil, nil, assoc.ErrNotConnected
	}
	for _, p := range a.paths {
		peer = append(peer, netip.AddrPortFrom(p.addr, a.peerPort))
		if p.local.IsValid() && !e.severalLocal() {
			local = append(local, netip.AddrPortFrom(p.local, e.cfg.Port))
		}
	}
	if e.severalLocal() {
		for _, l := range e.cfg.Local {
			local = append(local, netip.AddrPortFrom(l, e.cfg.Port))
		}
	}
	return local, peer, nil
}
