package registrar

import "time"

func (r *Registrar) handleAssocUp(now time.Time, ev AssocUp) {
	l := r.links.all[ev.Link]
	if l == nil {
		if r.links.full() {
			r.emit(Abort{Link: ev.Link, Reason: "registrar has too many associations"})
			r.connectFailed(now, ev.Token, nil)
			return
		}
		l = r.links.add(ev)
	}
	r.connected(now, ev.Token, l)
	r.links.checkIdle(now, l)
}

// connected gives the association to those who have waited for it.
func (r *Registrar) connected(now time.Time, t Token, l *link) {
	a := r.attempts.end(t)
	if a == nil {
		return
	}
	r.monitors.connected(now, a, l)
	if a.peer != nil {
		r.peers.connected(a.peer, l)
	}
	if a.candidate != nil {
		r.candidates.reached(now, a.candidate, l)
	}
	r.peers.sendWaiting(a, l)
}

// connectFailed: nobody was reached. Of a peer that means that it is dead
// (ENRP-3.4.3-03).
func (r *Registrar) connectFailed(now time.Time, t Token, err error) {
	a := r.attempts.end(t)
	if a == nil {
		return
	}
	for _, mon := range a.monitors {
		r.monitors.probeFailed(now, mon, conclusive(err))
	}
	if a.candidate != nil {
		r.candidates.failed(now, a.candidate, err)
	}
	if p := a.peer; p != nil && r.peers.byID[p.id] == p && p.link == nil && conclusive(err) {
		r.takeovers.begin(now, p)
	}
}

func (r *Registrar) handleAssocLost(now time.Time, ev AssocLost) {
	l := r.links.remove(ev.Link)
	if l == nil {
		return
	}
	r.abandon(now, l)
	r.liveness.partFrom(now, l, ev.Err)
}

// handleAssocRestarted treats the peer as a new one behind the same link: it
// subscribed to nothing yet, and its PEs have to show that they live.
func (r *Registrar) handleAssocRestarted(now time.Time, ev AssocRestarted) {
	l := r.links.all[ev.Link]
	if l == nil {
		r.handleAssocUp(now, AssocUp{Link: ev.Link, Local: ev.Local, Peer: ev.Peer})
		return
	}
	r.links.readdress(l, ev.Peer)
	r.abandon(now, l)
	r.liveness.doubt(now, l.peer)
}

// abandon forgets what went over the link. Subscriptions die with it
// (ASAP-2.2.5-03), PEs do not.
func (r *Registrar) abandon(now time.Time, l *link) {
	for _, s := range l.subs.take() {
		r.subscribers.unsubscribe(s)
	}
	r.monitors.linkGone(now, l)
}
