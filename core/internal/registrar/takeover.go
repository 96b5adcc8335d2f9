package registrar

import (
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/timerq"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// takeover is our attempt to become the home of a dead registrar's PEs (RFC
// 5353 section 3.5.1). It is kept with the target.
type takeover struct {
	target  *peer
	waiting []*peer // who has not agreed yet
	timer   timerq.Timer[deadline]
}

// peerDead begins the takeover of a registrar that is dead (ENRP-3.4.3-03). A
// registrar that is still starting itself only stops to count on it.
func (r *Registrar) peerDead(now time.Time, p *peer) {
	if p.takeover != nil || p.inactive {
		return
	}
	if !r.hasLeft(p) {
		r.emit(Log{Level: Warn, Msg: "registrar does not answer", Server: p.id, At: p.at()})
	}
	p.probing = false
	r.timers.Stop(&p.silence)
	r.endDownload(p) // ENRP-3.5-25
	r.endSession(p)
	if !r.serving {
		r.deadWhileStarting(now, p)
		return
	}
	t := &takeover{target: p}
	t.timer.Value = t
	p.takeover = t
	for _, q := range r.peers {
		if q.active() {
			t.waiting = append(t.waiting, q) // ENRP-3.5-02
		}
	}
	r.sendInitTakeover(now, t, append(slices.Clone(t.waiting), p)) // ENRP-3.5-01
	r.leaveTakeovers(now, p)
	r.checkTakeover(now, t)
}

// hasLeft says whether a registrar that is not there any more has ended in order:
// it has shut down and handed over what it owned.
func (r *Registrar) hasLeft(p *peer) bool { return p.ended && r.space.Owned(p.id) == 0 }

// active says that a peer is not thought dead, by us or another.
func (p *peer) active() bool { return !p.inactive && p.takeover == nil }

func (r *Registrar) deadWhileStarting(now time.Time, p *peer) {
	p.inactive = true
	r.timers.Set(&p.silence, now.Add(r.cfg.Timers.TakeoverResume))
	r.loseMentor(now, p)
}

// loseMentor turns to a backup when the mentor is gone (ENRP-3.2-19).
func (r *Registrar) loseMentor(now time.Time, p *peer) {
	if r.join.mentor == p {
		r.nextMentor(now)
	}
}

func (r *Registrar) sendInitTakeover(now time.Time, t *takeover, to []*peer) {
	m := enrp.InitTakeover{Route: enrp.Route{Sender: r.id}, Target: t.target.id}
	for _, q := range to {
		r.tell(q, m)
	}
	r.timers.Set(&t.timer, now.Add(3*r.cfg.Timers.NoResponse))
}

// due: acknowledgements are missing (ENRP-3.5-11).
func (t *takeover) due(r *Registrar, now time.Time) {
	r.sendInitTakeover(now, t, slices.Clone(t.waiting))
}

// checkTakeover: with all acknowledgements in the takeover is won; with nobody
// to ask, at once (ENRP-3.5-09).
func (r *Registrar) checkTakeover(now time.Time, t *takeover) {
	if len(t.waiting) == 0 && t.target.takeover == t {
		r.takeOver(now, t.target)
	}
}

// endTakeover forgets our attempt.
func (r *Registrar) endTakeover(p *peer) {
	if p.takeover != nil {
		r.timers.Stop(&p.takeover.timer)
		p.takeover = nil
	}
}

// cancelTakeover: the target was heard, so it lives (ENRP-3.5-04).
func (r *Registrar) cancelTakeover(now time.Time, p *peer) {
	if p.takeover == nil {
		return
	}
	r.emit(Log{Level: Info, Msg: "registrar answers again, takeover stopped", Server: p.id, At: p.at()})
	r.endTakeover(p)
	r.stillAlive(now, p)
}

// leaveTakeovers: who is dead or gone is not waited for (ENRP-3.5-10).
func (r *Registrar) leaveTakeovers(now time.Time, p *peer) {
	for _, q := range slices.Clone(r.peers) {
		if t := q.takeover; t != nil {
			r.acknowledged(now, t, p)
		}
	}
}

// acknowledged strikes a peer off the list; duplicates and strangers do
// nothing.
func (r *Registrar) acknowledged(now time.Time, t *takeover, p *peer) {
	i := slices.Index(t.waiting, p)
	if i < 0 {
		return
	}
	t.waiting = slices.Delete(t.waiting, i, i+1)
	r.checkTakeover(now, t)
}

// handleInitTakeover: somebody thinks a registrar dead (RFC 5353 section
// 3.5.1).
func (r *Registrar) handleInitTakeover(now time.Time, p *peer, m enrp.InitTakeover) {
	if m.Target == r.id { // (1): show everybody that we live (ENRP-3.5-03)
		r.groupcast(r.presence(0, false))
		return
	}
	if target := r.peersByID[m.Target]; target != nil && target != p {
		if target.takeover != nil && !r.outranked(p) {
			return // (2B): the higher identifier goes on, in silence (ENRP-3.5-06, 27)
		}
		r.endTakeover(target) // (2A) (ENRP-3.5-05)
		r.standBack(now, target)
	}
	r.tell(p, enrp.InitTakeoverAck{Route: enrp.Route{Sender: r.id, Receiver: p.id}, Target: m.Target})
}

// standBack leaves the target to somebody else (ENRP-3.5-07), who has some
// time to finish (ENRP-3.5-11).
func (r *Registrar) standBack(now time.Time, target *peer) {
	target.inactive, target.probing = true, false
	r.leaveTakeovers(now, target)
	r.timers.Set(&target.silence, now.Add(r.cfg.Timers.TakeoverResume))
}

func (r *Registrar) handleInitTakeoverAck(now time.Time, p *peer, m enrp.InitTakeoverAck) {
	if target := r.peersByID[m.Target]; target != nil && target.takeover != nil {
		r.acknowledged(now, target.takeover, p)
	}
}

// takeOver: the arbitration is won (RFC 5353 section 3.5.2). First everybody
// hears of it (ENRP-3.5-13), then the target is forgotten (ENRP-3.5-14), then
// its PEs are claimed (ENRP-3.5-15): those whose home it still is
// (ENRP-3.5-23).
func (r *Registrar) takeOver(now time.Time, target *peer) {
	r.counts.Takeovers++
	if n := r.space.Owned(target.id); n > 0 {
		r.emit(Log{Level: Warn, Msg: "taking over the PEs of a dead registrar", Server: target.id, At: target.at(), PEs: n})
	}
	r.keepCandidate(now, target)
	r.removePeer(target)
	r.depart(now, target.id)
	r.groupcast(enrp.TakeoverServer{Route: enrp.Route{Sender: r.id}, Target: target.id})
	n := r.space.Owned(target.id)
	if n == 0 {
		return
	}
	spread := time.Duration(n) * time.Second / claimRate
	for el := range r.space.Elements() {
		if el.Home == target.id {
			r.space.SetHome(el, r.id)
			r.claim(now, el, target.id, spread)
		}
	}
}

// claimRate is how many PEs a second are asked to change their home; they
// would all answer at once.
const claimRate = 5000

// claim begins the supervision of a PE that did not register with us, and asks
// it within the time spread to make us its home (ENRP-3.5-16); who does not
// answer goes (ENRP-3.5-18).
func (r *Registrar) claim(now time.Time, el *element, from protocol.ServerID, spread time.Duration) {
	r.closeOffer(el)
	mon := r.monitorOf(el)
	mon.claimed, mon.claimedFrom, mon.reports = true, from, 0
	r.setLife(now, mon)
	r.askWithin(now, mon, spread)
}

// askWithin asks a PE within the time spread to make us its home.
func (r *Registrar) askWithin(now time.Time, mon *monitor, spread time.Duration) {
	if mon.probing {
		r.settle(now, mon)
	}
	if spread < 50*time.Millisecond {
		r.startProbe(now, mon)
		return
	}
	r.setProbe(mon, now.Add(time.Duration(r.cfg.Rand.Int64N(int64(spread)))))
}

// handleTakeoverServer: the sender is the home of the target's PEs now
// (ENRP-3.5-17, ENRP-3.5-20).
func (r *Registrar) handleTakeoverServer(now time.Time, p *peer, m enrp.TakeoverServer) {
	switch m.Target {
	case p.id:
		return
	case r.id: // we live, and take notice; the PEs come back by registering (ENRP-3.5-19)
		r.groupcast(r.presence(0, false))
	default:
		r.depart(now, m.Target)
		if n := r.space.Owned(m.Target); n > 0 {
			r.emit(Log{Level: Info, Msg: "a registrar takes over the PEs of a dead one", Server: p.id, At: p.at(), PEs: n})
		}
		if target := r.peersByID[m.Target]; target != nil {
			r.endTakeover(target)
			r.leaveTakeovers(now, target)
			r.keepCandidate(now, target)
			r.removePeer(target)
			r.loseMentor(now, target)
		}
	}
	for el := range r.space.Elements() {
		if el.Home == m.Target || r.yields(el, p, m.Target) {
			r.disown(now, el, p.id)
		}
	}
}

// yields: two that did not know of each other took over the same registrar;
// both hear of the other, the higher identifier keeps what it claimed
// (ENRP-3.5-22).
func (r *Registrar) yields(el *element, to *peer, target protocol.ServerID) bool {
	mon := el.State.monitor
	return el.Home == r.id && mon != nil && mon.claimed && mon.claimedFrom == target && r.outranked(to)
}

// outranked says whether a peer wins against us (ENRP-3.5-05).
func (r *Registrar) outranked(by *peer) bool {
	if r.cfg.Interop.LowerIDWins {
		return by.id < r.id
	}
	return by.id > r.id
}
