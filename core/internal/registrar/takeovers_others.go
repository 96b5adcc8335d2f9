package registrar

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// handleInit: somebody thinks a registrar dead (RFC 5353 section 3.5.1, whose
// cases are named).
func (ts *takeovers) handleInit(now time.Time, p *peer, m enrp.InitTakeover) {
	if m.Target == ts.id { // (1): show everybody that we live (ENRP-3.5-03)
		ts.peers.groupcast(ts.peers.presence(0, false))
		return
	}
	if target := ts.peers.byID[m.Target]; target != nil && target != p {
		if target.takeover != nil && !ts.outranked(p) {
			return // (2B): ours is the higher identifier, we go on and do not answer (ENRP-3.5-06, 27)
		}
		ts.end(target) // (2A): we give way to the sender (ENRP-3.5-05)
		ts.standBack(now, target)
	}
	ts.peers.tell(p, enrp.InitTakeoverAck{Route: enrp.Route{Sender: ts.id, Receiver: p.id}, Target: m.Target})
}

// standBack leaves the target to somebody else (ENRP-3.5-07), who has some
// time to finish (ENRP-3.5-11).
func (ts *takeovers) standBack(now time.Time, target *peer) {
	target.inactive, target.probing = true, false
	ts.strikeOff(now, target)
	ts.timers.Set(&target.silence, now.Add(ts.cfg.Timers.TakeoverResume))
}

func (ts *takeovers) handleInitAck(now time.Time, p *peer, m enrp.InitTakeoverAck) {
	if target := ts.peers.byID[m.Target]; target != nil && target.takeover != nil {
		ts.acknowledged(now, target.takeover, p)
	}
}

// handleServer: the sender is the home of the target's PEs now (ENRP-3.5-17,
// ENRP-3.5-20).
func (ts *takeovers) handleServer(now time.Time, p *peer, m enrp.TakeoverServer) {
	switch m.Target {
	case p.id:
		return
	case ts.id: // we live, but our PEs are not ours until they register again (ENRP-3.5-19)
		ts.peers.groupcast(ts.peers.presence(0, false))
	default:
		ts.takenOver(now, p, m.Target)
	}
	for el := range ts.space.Elements() {
		if el.Home == m.Target || ts.claims.yields(el, p, m.Target) {
			ts.elements.disown(now, el, p.id)
		}
	}
}

// takenOver forgets a registrar that a peer has taken over.
func (ts *takeovers) takenOver(now time.Time, by *peer, id protocol.ServerID) {
	ts.peers.departed.add(now, id)
	if n := ts.space.Owned(id); n > 0 {
		ts.emit(Log{Level: Info, Msg: "a registrar takes over the PEs of a dead one", Server: by.id, At: by.at(), PEs: n})
	}
	if target := ts.peers.byID[id]; target != nil {
		ts.end(target)
		ts.strikeOff(now, target)
		ts.forget(now, target)
		ts.join.loseMentor(now, target)
	}
}
