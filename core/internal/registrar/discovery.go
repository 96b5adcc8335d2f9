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
// for an answer (ENRP-3.4.1-02), and who gives it is a peer.
type discovery struct {
	timer  timerq.Timer[deadline]
	until  time.Time // before, others may still be found: we do not think ourselves alone
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

type presentTime struct{}

func (r *Registrar) startDiscovery(now time.Time) {
	if !r.cfg.Multicast || r.cfg.ENRP.IsZero() {
		return
	}
	d := &r.discovery
	d.until = now.Add(r.cfg.Timers.Discover)
	d.timer.Value = presentTime{}
	r.timers.Set(&d.timer, now)
}

// due: who joins asks to be found, four times in the time that it listens.
// Later all together say about one presence per second to the group, however
// many they are.
func (presentTime) due(r *Registrar, now time.Time) {
	if r.handover.leaving {
		return
	}
	r.emit(SendPresence{Message: r.presence(0, !r.serving)})
	wait := r.cfg.Timers.Discover / 4
	if r.serving {
		wait = time.Duration(len(r.peers)+1) * r.cfg.Timers.Announce
	}
	r.timers.Set(&r.discovery.timer, now.Add(wait))
}

// handlePresenceHeard connects to a registrar that is not connected. What the
// datagram says beyond that, its checksum for one, counts for nothing: the
// message over SCTP says it too.
func (r *Registrar) handlePresenceHeard(now time.Time, ev PresenceHeard) {
	m, id := ev.Message, ev.Message.Sender
	if !r.cfg.Multicast || r.cfg.ENRP.IsZero() || id == 0 || id == r.id || !m.HasServer || m.Server.ID != id {
		return
	}
	p := r.peersByID[id]
	if p != nil && (p.link != nil || p.attempt != nil) || !r.discovery.knocks.allow(now, knockRate, knockBurst) {
		return
	}
	if p != nil {
		r.tell(p, r.presence(id, true)) // thought dead perhaps, or not yet connected
		return
	}
	c := &peerCandidate{addrs: callable(m.Server.Transport), id: id, heard: true}
	if d := &r.discovery; len(c.addrs) > 0 && len(d.open) < maxKnocks && !r.calling(c) {
		d.open = append(d.open, c)
		r.reachOut(c)
	}
}

// knocked ends a knock. If somebody is there, an answer is due from him.
func (r *Registrar) knocked(now time.Time, c *peerCandidate, l *link) {
	if !c.heard {
		return
	}
	d := &r.discovery
	d.open = slices.DeleteFunc(d.open, func(o *peerCandidate) bool { return o == c })
	if l != nil && l.peer == nil {
		r.timers.Set(&l.idle, now.Add(r.cfg.Timers.IdleLink))
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
func (r *Registrar) calling(c *peerCandidate) bool {
	there := func(a netip.AddrPort) bool { return slices.Contains(c.addrs, a) }
	return slices.ContainsFunc(r.cfg.ENRP.AddrPorts(), there) ||
		slices.ContainsFunc(r.discovery.open, func(o *peerCandidate) bool { return slices.ContainsFunc(o.addrs, there) }) ||
		slices.ContainsFunc(r.candidates, func(o *peerCandidate) bool { return o.attempt != nil && slices.ContainsFunc(o.addrs, there) })
}

// addHeard makes a registrar that was heard over SCTP while we join one of
// those that can be the mentor (OVR-3.1-01), behind those that are configured.
func (r *Registrar) addHeard(now time.Time, p *peer) {
	if !r.cfg.Multicast || r.join.step == joinDone || len(p.addrs()) == 0 || p.link == nil {
		return
	}
	for _, c := range r.candidates {
		if c.id == p.id || r.candidateLink(c) == p.link {
			return
		}
	}
	if len(r.candidates) >= len(r.cfg.Peers)+maxKnocks {
		return
	}
	r.candidates = append(r.candidates, &peerCandidate{addrs: p.addrs(), id: p.id, link: p.link, until: now.Add(lostFor)})
	if r.join.step == joinSeek {
		r.join.at = len(r.candidates) - 2
		r.nextMentor(now)
	}
}
