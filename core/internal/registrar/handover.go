package registrar

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/timerq"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// A registrar hands PEs over to others when it leaves, and when it owns more
// than its share. RFC 5353 knows the takeover only, by which one registrar gets
// them all after the other one is dead. The handover is made of its messages:
// the owner announces the PE with the new home (HANDLE_UPDATE ADD_PE), the new
// home, told so by the owner, asks the PE (KEEP_ALIVE with H). A registrar that
// does not know the custom ignores the ADD_PE (ENRP-3.3.1-06), and the audits
// bring the PE back to its owner.

// handover is the state of what was given away.
type handover struct {
	leaving bool
	open    int // PEs given whose new home has not announced them
	done    bool
	timer   timerq.Timer[deadline]
}

// Leave begins to hand over all PEs, before the registrar is closed. Left is the
// effect when that is done, or given up.
type Leave struct{}

func (Leave) event() {}

// Left says that a registrar that leaves has nobody to wait for any more.
type Left struct{}

func (Left) effect() {}

// leaveTime is how long a registrar waits for the new homes when it leaves, and
// for a while more if there are many PEs.
const leaveTime = 3 * time.Second

type leaveTimeout struct{}

func (leaveTimeout) due(r *Registrar, _ time.Time) { r.endLeave() }

func (r *Registrar) leaveGroup(now time.Time) {
	h := &r.handover
	if h.leaving {
		return
	}
	h.leaving = true
	n := r.space.Owned(r.id)
	heirs := r.heirs(now)
	if n == 0 || len(heirs) == 0 || !r.cfg.Handover {
		r.endLeave()
		return
	}
	r.emit(Log{Level: Info, Msg: "handing over to other registrars before leaving", Server: r.id})
	h.timer.Value = leaveTimeout{}
	r.timers.Set(&h.timer, now.Add(leaveTime+time.Duration(n)*time.Second/claimRate))
	for el := range r.space.Elements() {
		if el.Home == r.id {
			r.give(now, el, r.poorest(heirs))
		}
	}
}

func (r *Registrar) endLeave() {
	if r.handover.leaving && !r.handover.done {
		r.handover.done = true
		r.timers.Stop(&r.handover.timer)
		r.emit(Left{})
	}
}

// heirs are the peers that can take PEs: they are there, and for long enough
// to know them.
func (r *Registrar) heirs(now time.Time) []*peer {
	var out []*peer
	for _, p := range r.peers {
		settled := p.download == nil && p.session == nil && !p.probing && now.Sub(p.since) >= 2*r.cfg.Timers.Heartbeat
		if p.active() && p.link != nil && (settled || r.handover.leaving) && !now.Before(p.refusedUntil) {
			out = append(out, p)
		}
	}
	return out
}

func (r *Registrar) poorest(peers []*peer) *peer {
	best := peers[0]
	for _, p := range peers[1:] {
		if r.space.Owned(p.id) < r.space.Owned(best.id) {
			best = p
		}
	}
	return best
}

// give makes a peer the home of a PE of ours.
func (r *Registrar) give(now time.Time, el *element, to *peer) {
	r.disown(now, el, to.id)
	if !el.State.given {
		el.State.given = true
		r.handover.open++
	}
	r.counts.Given++
	r.announce(enrp.AddPE, el)
}

// received: the new home has the PE, or it is gone; one PE less to wait for.
func (r *Registrar) received(el *element) {
	if !el.State.given {
		return
	}
	el.State.given = false
	if r.handover.open--; r.handover.open == 0 {
		r.endLeave()
	}
}

// refusedFor is how long a peer gets no PEs after it could not reach one.
const refusedFor = 10 * time.Minute

// takeGiven takes a PE that its owner hands over to us.
func (r *Registrar) takeGiven(now time.Time, p *peer, m enrp.HandleUpdate) {
	el := r.space.Element(m.Handle, m.Element.ID)
	if el == nil || el.Home != p.id || r.handover.leaving || !r.cfg.Handover {
		return // ENRP-3.3.1-06
	}
	spread := time.Duration(r.space.Owned(p.id)) * time.Second / claimRate
	r.space.SetHome(el, r.id)
	r.claim(now, el, p.id, spread)
}

// Not more than balanceStep PEs are handed over in a heartbeat, half of what is
// too much, and nothing while the difference is small.
const balanceStep = 100

// balance hands PEs over to the peer that owns the fewest, if we own more than
// our share. Every PE knows one registrar more afterwards.
func (r *Registrar) balance(now time.Time) {
	if !r.cfg.Handover || !r.serving || r.handover.leaving || r.handover.open > 0 {
		return
	}
	heirs := r.heirs(now)
	if len(heirs) == 0 {
		return
	}
	to := r.poorest(heirs)
	mine, theirs, all := r.space.Owned(r.id), r.space.Owned(to.id), r.space.Owned(r.id)
	for _, p := range heirs {
		all += r.space.Owned(p.id)
	}
	share := all / (len(heirs) + 1)
	surplus := min(mine-share, share-theirs)
	if surplus < max(2, share/10) {
		return
	}
	n := min((surplus+1)/2, balanceStep)
	for el := range r.space.Elements() {
		if n == 0 {
			return
		}
		if w := el.State.watch; el.Home == r.id && r.holds(el) && !w.claimed && !w.probing {
			r.give(now, el, to)
			n--
		}
	}
}

// couldNotReach notes that a PE that we gave to a peer did not stay there: it
// could not reach the PE, or does not know the custom.
func (r *Registrar) couldNotReach(now time.Time, el *element, p *peer) {
	if el.State.given && p != nil {
		p.refusedUntil = now.Add(refusedFor)
	}
	r.received(el)
}

// giveOn hands over what registers while we leave.
func (r *Registrar) giveOn(now time.Time, el *element) {
	if !r.handover.leaving || r.handover.done {
		return
	}
	if heirs := r.heirs(now); len(heirs) > 0 {
		r.give(now, el, r.poorest(heirs))
	}
}
