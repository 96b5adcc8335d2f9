package registrar

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/timerq"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// A registrar hands PEs over to others when it leaves, and when it owns more
// than its share. RFC 5353 knows the takeover only, by which one registrar gets
// them all after the other one is dead. The handover is made of its messages:
// the owner offers the PE to the new home alone, by a HANDLE_UPDATE ADD_PE that names
// the new home as its home; the new home asks the PE (KEEP_ALIVE with H), and when that
// acknowledges, announces it as its own to all. Until then the owner stays the
// owner: a registrar that does not know the custom ignores what others say of
// its own PEs (ENRP-3.3.1-06), and nothing has changed.

// handover is the state of what was offered to others.
type handover struct {
	leaving bool
	open    int // PEs offered that the new home has not announced
	done    bool
	timer   timerq.Timer[deadline] // end of leaving, or of the offers
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
	newHomes := r.newHomes(now)
	if n == 0 || len(newHomes) == 0 || !r.cfg.Handover {
		r.endLeave()
		return
	}
	r.emit(Log{Level: Info, Msg: "handing over to other registrars before leaving", Server: r.id, PEs: n})
	h.timer.Value = leaveTimeout{}
	r.timers.Set(&h.timer, now.Add(leaveTime+time.Duration(n)*time.Second/claimRate))
	for el := range r.space.Elements() {
		if el.Home == r.id {
			r.offer(el, r.leastLoaded(newHomes))
		}
	}
}

func (r *Registrar) endLeave() {
	if r.handover.leaving && !r.handover.done {
		r.handover.done = true
		r.timers.Stop(&r.handover.timer)
		for _, p := range r.peers { // in order: who is closed is thought dead
			if p.link != nil {
				r.emit(Shutdown{Link: p.link.Link})
			}
		}
		r.emit(Left{})
	}
}

// newHomes are the peers that can take PEs: they are there, and for long enough
// to know them, and have not refused any of late. One that leaves cannot choose.
func (r *Registrar) newHomes(now time.Time) []*peer {
	var out []*peer
	for _, p := range r.peers {
		settled := p.download == nil && p.session == nil && !p.probing && now.Sub(p.since) >= 2*r.cfg.Timers.Heartbeat
		settled = settled && !now.Before(p.refusedUntil)
		if p.active() && p.link != nil && (settled || r.handover.leaving) {
			out = append(out, p)
		}
	}
	return out
}

// leastLoaded returns who owns the fewest PEs, with those on offer.
func (r *Registrar) leastLoaded(peers []*peer) *peer {
	best := peers[0]
	for _, p := range peers[1:] {
		if r.space.Owned(p.id)+p.offered < r.space.Owned(best.id)+best.offered {
			best = p
		}
	}
	return best
}

// offer asks a peer to become the home of a PE of ours.
func (r *Registrar) offer(el *element, to *peer) {
	r.closeOffer(el)
	el.State.newHome = to.id
	to.offered++
	r.handover.open++
	r.counts.Offered++
	e := el.Element
	e.Home = to.id
	r.tell(to, enrp.HandleUpdate{
		Route:   enrp.Route{Sender: r.id, Receiver: to.id},
		Action:  enrp.AddPE,
		Handle:  el.Pool().Handle,
		Element: e,
	})
}

// closeOffer: the new home has the PE, or it will not have it; one PE less to wait
// for.
func (r *Registrar) closeOffer(el *element) {
	if el.State.newHome == 0 {
		return
	}
	if p := r.peersByID[el.State.newHome]; p != nil {
		p.offered--
	}
	el.State.newHome = 0
	r.handover.open--
}

// handedOver: an offer ends for good, also because the PE is gone.
func (r *Registrar) handedOver(el *element) {
	if el.State.newHome == 0 {
		return
	}
	if r.closeOffer(el); r.handover.open == 0 {
		r.endLeave()
	}
}

// offerTime is how long a new home has to ask a PE, and that to answer.
const offerTime = 15 * time.Second

// refusedFor is how long a peer gets no PEs after it did not take one.
const refusedFor = 10 * time.Minute

type offersOver struct{}

// due: a peer that does not know the custom, or cannot reach the PEs, is left
// alone for a while.
func (offersOver) due(r *Registrar, now time.Time) {
	for el := range r.space.Elements() {
		if p := r.peersByID[el.State.newHome]; p != nil {
			p.refusedUntil = now.Add(refusedFor)
		}
		r.closeOffer(el)
	}
}

// takeOffer asks a PE that its owner offers whether it makes us its home
// (takeOffered).
func (r *Registrar) takeOffer(now time.Time, p *peer, m enrp.HandleUpdate) {
	el := r.space.Element(m.Handle, m.Element.ID)
	if el == nil || el.Home != p.id || r.handover.leaving || !r.cfg.Handover {
		return // ENRP-3.3.1-06
	}
	mon := r.monitorOf(el)
	mon.claimed, mon.claimedFrom = true, p.id
	r.askWithin(now, mon, time.Duration(r.space.Owned(p.id))*time.Second/claimRate)
}

// takeOffered: a PE that was offered acknowledges that we are its home, and
// everybody hears of it.
func (r *Registrar) takeOffered(now time.Time, mon *monitor) {
	r.space.SetHome(mon.el, r.id)
	r.setLife(now, mon)
	r.announce(enrp.AddPE, mon.el)
	r.offerWhileLeaving(now, mon.el)
}

// Not more than rebalanceStep PEs are handed over in a heartbeat, half of what is
// too much, and nothing while the difference is small.
const rebalanceStep = 100

// rebalance offers PEs to the peer that owns the fewest, if we own more than our
// share. Every PE knows one registrar more afterwards.
func (r *Registrar) rebalance(now time.Time) {
	if !r.cfg.Handover || !r.serving || r.handover.leaving || r.handover.open > 0 {
		return
	}
	newHomes := r.newHomes(now)
	if len(newHomes) == 0 {
		return
	}
	to := r.leastLoaded(newHomes)
	mine, theirs, all := r.space.Owned(r.id), r.space.Owned(to.id), r.space.Owned(r.id)
	for _, p := range newHomes {
		all += r.space.Owned(p.id)
	}
	share := all / (len(newHomes) + 1)
	surplus := min(mine-share, share-theirs)
	if surplus < max(2, share/10) {
		return
	}
	n := min((surplus+1)/2, rebalanceStep)
	r.handover.timer.Value = offersOver{}
	r.timers.Set(&r.handover.timer, now.Add(offerTime))
	for el := range r.space.Elements() {
		if n == 0 {
			return
		}
		if mon := el.State.monitor; el.Home == r.id && r.holds(el) && !mon.claimed && !mon.probing {
			r.offer(el, to)
			n--
		}
	}
}

// offerWhileLeaving offers what comes while we leave.
func (r *Registrar) offerWhileLeaving(now time.Time, el *element) {
	if !r.handover.leaving || r.handover.done {
		return
	}
	if newHomes := r.newHomes(now); len(newHomes) > 0 {
		r.offer(el, r.leastLoaded(newHomes))
	}
}
