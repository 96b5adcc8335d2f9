package registrar

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// presence is an ENRP_PRESENCE, always complete: with the checksum as of now
// (ENRP-2.1-03, ENRP-3.6-02) and Server Information (ENRP-2.1-04).
func (r *Registrar) presence(to protocol.ServerID, replyRequired bool) enrp.Presence {
	return enrp.Presence{
		Route:         enrp.Route{Sender: r.id, Receiver: to},
		ReplyRequired: replyRequired,
		Checksum:      r.space.Checksum(r.id),
		HasChecksum:   true,
		Server:        protocol.Server{ID: r.id, Transport: r.cfg.ENRP},
		HasServer:     !r.cfg.ENRP.IsZero(),
	}
}

type heartbeatTime struct{}

func (r *Registrar) startHeartbeat(now time.Time) {
	if r.cfg.ENRP.IsZero() {
		return // nobody to be present for
	}
	r.heartbeat.Value = heartbeatTime{}
	r.timers.Set(&r.heartbeat, now.Add(r.cfg.Timers.Heartbeat))
}

// due: every PEER-HEARTBEAT-CYCLE all peers hear of us (ENRP-3.4.2-01).
func (heartbeatTime) due(r *Registrar, now time.Time) {
	r.groupcast(r.presence(0, false))
	r.requestPeerList()
	r.dropCandidates(now)
	r.retryCandidates()
	r.checkCandidates(now)
	r.lookUpMissing(now)
	r.rebalance(now)
	r.startHeartbeat(now)
}

// requestPeerList asks one peer, the next one every time, whom else it knows: two that
// started at the same time, or were cut off from each other, have friends in
// common who know the other one. The RFC has the list for newcomers only.
func (r *Registrar) requestPeerList() {
	if !r.serving || len(r.peers) == 0 {
		return
	}
	p := r.peers[r.listTurn%len(r.peers)]
	r.listTurn++
	if p.active() && p.link != nil {
		r.askForList(p.link)
	}
}

// handlePresence learns where the peer serves, answers if asked to
// (ENRP-3.4.1-03), and compares checksums.
func (r *Registrar) handlePresence(now time.Time, p *peer, m enrp.Presence) {
	if m.HasServer && m.Server.ID == p.id && r.canServe(p, m.Server.Transport) {
		p.server = m.Server.Transport
		r.replaceAt(now, p)
	}
	r.addHeard(now, p)
	if m.ReplyRequired {
		r.tell(p, r.presence(p.id, false))
	} else if m.Receiver == r.id {
		p.returned = time.Time{} // its answer comes behind all that had waited
	}
	if m.HasChecksum {
		r.auditPeer(now, p, m.Checksum)
	}
}

// replaceAt finds registrars that were where p is now: they restarted under a
// new identifier (ENRP-2.1-01), so the old one is dead.
func (r *Registrar) replaceAt(now time.Time, p *peer) {
	at := p.addrs()[0]
	for _, q := range r.peers {
		if q == p || q.link != nil || len(q.addrs()) == 0 || q.addrs()[0] != at {
			continue
		}
		r.peerDead(now, q)
		return
	}
}

// due: a peer that was silent for MAX-TIME-LAST-HEARD is asked
// (ENRP-3.4.3-02), one that does not answer within MAX-TIME-NO-RESPONSE is
// dead (ENRP-3.4.3-03).
func (s peerSilent) due(r *Registrar, now time.Time) {
	silentUntil := s.lastHeard.Add(r.cfg.Timers.LastHeard)
	switch {
	case s.inactive: // the one who took it over never finished (ENRP-3.5-11)
		s.inactive = false
		r.doubt(now, s.peer)
	case s.probing:
		r.peerDead(now, s.peer)
	case now.Before(silentUntil):
		r.timers.Set(&s.silence, silentUntil)
	default:
		r.doubt(now, s.peer)
	}
}

// doubt asks a peer whether it lives.
func (r *Registrar) doubt(now time.Time, p *peer) {
	if p == nil || p.probing || !p.active() {
		return
	}
	p.probing = true
	r.timers.Set(&p.silence, now.Add(r.cfg.Timers.NoResponse))
	r.tell(p, r.presence(p.id, true))
}

// stillAlive ends doubts about a peer.
func (r *Registrar) stillAlive(now time.Time, p *peer) {
	p.probing, p.inactive = false, false
	r.timers.Set(&p.silence, now.Add(r.cfg.Timers.LastHeard))
}
