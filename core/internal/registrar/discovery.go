package registrar

import (
	"net/netip"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/timerq"
)

// discovery finds registrars by multicast, which RFC 5351 section 3.1 mentions
// and RFC 5353 does not specify (E-16): a registrar says ENRP_PRESENCE to a
// group, in UDP datagrams. Nobody can tell who sent such a datagram, so it is
// only a hint where to connect: there the usual ENRP_PRESENCE over SCTP asks
// for an answer (ENRP-3.4.1-02), and a registrar that gives one is a peer.
type discovery struct {
	*core
	peers      *peers
	candidates *candidates
	handover   *handover

	timer  timerq.Timer[deadline]
	until  time.Time // before, others may still be found, and we are not alone
	knocks bucket
	open   []*peerCandidate // knocks without an outcome
}

// Knocks at addresses that a forged datagram may have named: that many at
// once, that many a second, and that many without an outcome (OVR-3.1-01).
const (
	knockBurst = 50
	knockRate  = 10
	maxKnocks  = 64
)

func (d *discovery) start(now time.Time) {
	if !d.cfg.Multicast || d.cfg.ENRP.IsZero() {
		return
	}
	d.until = now.Add(d.cfg.Timers.Discover)
	d.timer.Value = presentTime{}
	d.timers.Set(&d.timer, now)
}

// present says to the group that we are there. A registrar that joins asks to be
// found, four times in the time that it listens. Later all together say about one
// presence per second, however many they are.
func (d *discovery) present(now time.Time) {
	if d.handover.leaving {
		return
	}
	d.emit(SendPresence{Message: d.peers.presence(0, !d.serving)})
	wait := d.cfg.Timers.Discover / 4
	if d.serving {
		wait = time.Duration(len(d.peers.list)+1) * d.cfg.Timers.Announce
	}
	d.timers.Set(&d.timer, now.Add(wait))
}

// handleHeard connects to a registrar that is not connected. What the datagram
// says beyond that, its checksum for one, counts for nothing: the message over
// SCTP says it too.
func (d *discovery) handleHeard(now time.Time, ev PresenceHeard) {
	m, id := ev.Message, ev.Message.Sender
	if !d.cfg.Multicast || d.cfg.ENRP.IsZero() || id == 0 || id == d.id || !m.HasServer || m.Server.ID != id {
		return
	}
	p := d.peers.byID[id]
	if p != nil && (p.link != nil || p.attempt != nil) || !d.knocks.allow(now, knockRate, knockBurst) {
		return
	}
	if p != nil {
		d.peers.tell(p, d.peers.presence(id, true)) // thought dead perhaps, or not yet connected
		return
	}
	c := &peerCandidate{addrs: callable(m.Server.Transport), id: id, heard: true}
	if len(c.addrs) > 0 && len(d.open) < maxKnocks && !d.calling(c) {
		d.open = append(d.open, c)
		d.candidates.reachOut(c)
	}
}

// knocked ends a knock. Somebody who is there has to answer before the link counts
// as idle.
func (d *discovery) knocked(now time.Time, c *peerCandidate, l *link) {
	if !c.heard {
		return
	}
	d.open = slices.DeleteFunc(d.open, func(o *peerCandidate) bool { return o == c })
	if l != nil && l.peer == nil {
		d.timers.Set(&l.idle, now.Add(d.cfg.Timers.IdleLink))
	}
}

// callable are the addresses at which a registrar can be that says so itself.
func callable(t protocol.Transport) []netip.AddrPort {
	if t.Protocol != protocol.SCTP || t.Port == 0 {
		return nil
	}
	return slices.DeleteFunc(t.AddrPorts(), func(a netip.AddrPort) bool {
		return a.Addr().IsUnspecified() || a.Addr().IsMulticast()
	})
}

// calling says whether we are at the candidate's address ourselves, or about to
// be connected there.
func (d *discovery) calling(c *peerCandidate) bool {
	there := func(o *peerCandidate) bool { return slices.ContainsFunc(o.addrs, c.has) }
	return slices.ContainsFunc(d.cfg.ENRP.AddrPorts(), c.has) || slices.ContainsFunc(d.open, there) ||
		slices.ContainsFunc(d.candidates.list, func(o *peerCandidate) bool { return o.attempt != nil && there(o) })
}
