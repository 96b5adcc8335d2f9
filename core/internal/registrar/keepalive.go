package registrar

import (
	"errors"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// startProbe asks a PE whether it lives, unless that is under way.
func (r *Registrar) startProbe(now time.Time, w *watch) {
	if w.probing {
		return
	}
	w.probing, w.left = true, int8(r.cfg.KeepAlive.Retries)
	r.sendKeepAlive(now, w)
}

// probeSoon starts a probe that others can provoke: at once, but not more
// often than allowed (SEC-2.14-01).
func (r *Registrar) probeSoon(now time.Time, w *watch) {
	earliest := w.lastProbe + moment(r.cfg.KeepAlive.Gap)
	switch {
	case w.probing:
	case r.moment(now) >= earliest:
		r.startProbe(now, w)
	case w.probe == 0 || w.probe > earliest:
		w.probe = earliest
		r.rearm(w)
	}
}

// sendKeepAlive sends over the PE's association, any other with its endpoint,
// or a new one.
func (r *Registrar) sendKeepAlive(now time.Time, w *watch) {
	w.lastProbe = r.moment(now)
	r.counts.Probes++
	r.setProbe(w, now.Add(r.probeTimeout()))
	if l := r.linkOf(w); l != nil {
		r.ask(w, l)
		r.emit(SendASAP{Link: l.Link, Message: r.keepAlive(w)})
		return
	}
	if w.dial == nil {
		r.dialPE(w, r.keepAlive(w))
	}
}

// keepAlive names the PE too: the RFC has no place for that, but a process
// with several PEs needs it (ASAP-3.4-07).
func (r *Registrar) keepAlive(w *watch) asap.EndpointKeepAlive {
	return asap.EndpointKeepAlive{NewHome: w.claimed, Server: r.id, Handle: w.el.Pool().Handle, ID: w.el.ID}
}

func (r *Registrar) linkOf(w *watch) *link {
	if w.link != nil {
		return w.link
	}
	for _, a := range w.el.ASAP.AddrPorts() {
		if l := r.byAddr[a]; l != nil {
			return l
		}
	}
	return nil
}

// probeFailed tries again, or gives the PE up: at once if the failure is
// conclusive, otherwise after the last try (ASAP-3.5-07, ASAP-3.5-12). Some PEs
// answer their home only, so to anybody else silence alone says nothing.
func (r *Registrar) probeFailed(now time.Time, w *watch, conclusive bool) {
	if w.el == nil || !w.probing {
		return
	}
	if !conclusive && w.left > 0 {
		w.left--
		r.sendKeepAlive(now, w)
		return
	}
	if w.el.Home != r.id && (!conclusive || w.claimed) {
		r.unwatch(now, w.el) // what others say it is, it stays
		return
	}
	r.counts.Dead++
	r.tellGone(w) // one that only hung for a while comes back at once
	r.remove(now, w.el, "PE does not answer, removed")
}

// conclusive says whether a failed set-up shows that nobody is there: anything
// but our own lack of something.
func conclusive(err error) bool {
	return err != nil && !errors.Is(err, assoc.ErrNoResources) && !errors.Is(err, assoc.ErrWouldBlock)
}

// handleKeepAliveAck believes an acknowledgement from the PE's association,
// the one that was asked over, or one with the PE's recorded endpoint (some
// PEs answer over their home's association).
func (r *Registrar) handleKeepAliveAck(now time.Time, l *link, m asap.EndpointKeepAliveAck) {
	el := r.space.Element(m.Handle, m.ID)
	if el == nil || el.State.watch == nil {
		return
	}
	w := el.State.watch
	if l == w.link || l == w.via || sameEndpoint(l, el) {
		r.confirmed(w)
		r.alive(now, w, l)
	}
}

// sameEndpoint says whether the link's peer is the PE's recorded endpoint.
func sameEndpoint(l *link, el *element) bool {
	return l.Channel == ASAPOverSCTP && l.transport.Port == el.ASAP.Port && slices.ContainsFunc(el.ASAP.Addrs, l.hasAddr)
}

// alive: the PE was heard over l and stays (ASAP-3.5-08).
func (r *Registrar) alive(now time.Time, w *watch, l *link) {
	if w.claimed && w.probing && w.el.Home != r.id {
		r.takeOffered(now, w)
	}
	if w.link == nil && w.el.Home == r.id {
		r.attach(now, w, l)
	}
	w.claimed = false
	r.settle(now, w)
	r.scheduleProbe(now, w)
}

// scheduleProbe sets the time of the next probe. Only the owner supervises
// (OWN-09), at intervals that vary by half so that they spread (ASAP-3.5-13).
func (r *Registrar) scheduleProbe(now time.Time, w *watch) {
	if interval := r.probeInterval(); interval > 0 && w.el.Home == r.id {
		half := int64(interval / 2)
		r.setProbe(w, now.Add(time.Duration(half+r.cfg.Rand.Int64N(2*half+1))))
	}
}

// probeInterval keeps all probes within the budget.
func (r *Registrar) probeInterval() time.Duration {
	k := r.cfg.KeepAlive
	if k.Rate <= 0 || k.Interval <= 0 {
		return k.Interval
	}
	each := time.Duration(r.space.Owned(r.id)) * time.Second / time.Duration(k.Rate)
	return min(max(each, k.Least), k.Interval)
}

// probeTimeout is how long an acknowledgement may take.
func (r *Registrar) probeTimeout() time.Duration {
	k := r.cfg.KeepAlive
	if k.Rate <= 0 || k.Interval <= 0 {
		return k.Timeout
	}
	return min(r.probeInterval()*6/10, k.Timeout)
}
