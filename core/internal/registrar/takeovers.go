package registrar

import (
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/timerq"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// takeovers are our attempts to become the home of dead registrars' PEs, and what
// others tell of theirs (RFC 5353 section 3.5).
type takeovers struct {
	*core
	peers      *peers
	liveness   *liveness
	candidates *candidates
	join       *join
	sessions   *sessions
	downloads  *downloads
	elements   *elements
	claims     *claims
}

// takeover is one of our attempts. It is kept with the target.
type takeover struct {
	target  *peer
	waiting []*peer // peers that have not agreed yet
	timer   timerq.Timer[deadline]
}

// begin begins the takeover of a registrar that is dead (ENRP-3.4.3-03). While we
// are starting ourselves, we only stop to count on it.
func (ts *takeovers) begin(now time.Time, p *peer) {
	if p.takeover != nil || p.inactive {
		return
	}
	if !ts.hasLeft(p) {
		ts.emit(Log{Level: Warn, Msg: "registrar does not answer", Server: p.id, At: p.at()})
	}
	p.probing = false
	ts.timers.Stop(&p.silence)
	ts.downloads.end(p) // nothing that it owns is swept now (ENRP-3.5-25)
	ts.sessions.end(p)
	if !ts.serving {
		ts.deadWhileStarting(now, p)
		return
	}
	t := ts.add(p)
	ts.sendInit(now, t, append(slices.Clone(t.waiting), p)) // the target is asked as well (ENRP-3.5-01)
	ts.strikeOff(now, p)
	ts.check(now, t)
}

// add makes a takeover to which all that are not thought dead have to agree
// (ENRP-3.5-02).
func (ts *takeovers) add(target *peer) *takeover {
	t := &takeover{target: target}
	t.timer.Value = t
	target.takeover = t
	for _, q := range ts.peers.list {
		if q.active() {
			t.waiting = append(t.waiting, q)
		}
	}
	return t
}

// hasLeft says whether a registrar that is not there any more has ended in order:
// it has shut down its association, and handed over what it owned.
func (ts *takeovers) hasLeft(p *peer) bool { return p.ended && ts.space.Owned(p.id) == 0 }

// deadWhileStarting waits for another registrar to take over the dead one.
func (ts *takeovers) deadWhileStarting(now time.Time, p *peer) {
	p.inactive = true
	ts.timers.Set(&p.silence, now.Add(ts.cfg.Timers.TakeoverResume))
	ts.join.loseMentor(now, p)
}

func (ts *takeovers) sendInit(now time.Time, t *takeover, to []*peer) {
	m := enrp.InitTakeover{Route: enrp.Route{Sender: ts.id}, Target: t.target.id}
	for _, q := range to {
		ts.peers.tell(q, m)
	}
	ts.timers.Set(&t.timer, now.Add(3*ts.cfg.Timers.NoResponse))
}

// remind asks those again whose acknowledgements are missing (ENRP-3.5-11).
func (ts *takeovers) remind(now time.Time, t *takeover) {
	ts.sendInit(now, t, slices.Clone(t.waiting))
}

// check: with all acknowledgements in the takeover is won; with nobody to ask, at
// once (ENRP-3.5-09).
func (ts *takeovers) check(now time.Time, t *takeover) {
	if len(t.waiting) == 0 && t.target.takeover == t {
		ts.takeOver(now, t.target)
	}
}

// end forgets our attempt.
func (ts *takeovers) end(p *peer) {
	if p.takeover != nil {
		ts.timers.Stop(&p.takeover.timer)
		p.takeover = nil
	}
}

// cancel: the target was heard, so it lives (ENRP-3.5-04).
func (ts *takeovers) cancel(now time.Time, p *peer) {
	if p.takeover == nil {
		return
	}
	ts.emit(Log{Level: Info, Msg: "registrar answers again, takeover stopped", Server: p.id, At: p.at()})
	ts.end(p)
	ts.liveness.stillAlive(now, p)
}

// strikeOff: no takeover waits any more for a peer that is dead or gone
// (ENRP-3.5-10).
func (ts *takeovers) strikeOff(now time.Time, p *peer) {
	for _, q := range slices.Clone(ts.peers.list) {
		if t := q.takeover; t != nil {
			ts.acknowledged(now, t, p)
		}
	}
}

// acknowledged takes a peer off those that have not agreed yet. A second
// acknowledgement, or one that was not asked for, does nothing.
func (ts *takeovers) acknowledged(now time.Time, t *takeover, p *peer) {
	i := slices.Index(t.waiting, p)
	if i < 0 {
		return
	}
	t.waiting = slices.Delete(t.waiting, i, i+1)
	ts.check(now, t)
}

// takeOver: the arbitration is won (RFC 5353 section 3.5.2). The target is
// forgotten (ENRP-3.5-14), everybody hears of it (ENRP-3.5-13), then its PEs are
// claimed (ENRP-3.5-15): those whose home it still is (ENRP-3.5-23).
func (ts *takeovers) takeOver(now time.Time, target *peer) {
	ts.counts.Takeovers++
	if n := ts.space.Owned(target.id); n > 0 {
		ts.emit(Log{Level: Warn, Msg: "taking over the PEs of a dead registrar", Server: target.id, At: target.at(), PEs: n})
	}
	ts.forget(now, target)
	ts.peers.departed.add(now, target.id)
	ts.peers.groupcast(enrp.TakeoverServer{Route: enrp.Route{Sender: ts.id}, Target: target.id})
	ts.claims.claimAll(now, target.id)
}

// forget removes a registrar from the peers, but not where it was: it may only
// have been cut off.
func (ts *takeovers) forget(now time.Time, target *peer) {
	ts.candidates.keep(now, target)
	ts.downloads.end(target)
	ts.sessions.end(target)
	ts.end(target)
	ts.peers.remove(target)
}
