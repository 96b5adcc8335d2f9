package registrar

import (
	"errors"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// startProbe asks a PE whether it lives, unless that is under way.
func (r *Registrar) startProbe(now time.Time, mon *monitor) {
	if mon.probing {
		return
	}
	mon.probing, mon.left = true, int8(r.cfg.KeepAlive.Retries)
	r.sendKeepAlive(now, mon)
}

// probeSoon starts a probe that others can provoke: at once, but not more
// often than allowed (SEC-2.14-01).
func (r *Registrar) probeSoon(now time.Time, mon *monitor) {
	earliest := mon.lastProbe + moment(r.cfg.KeepAlive.Gap)
	switch {
	case mon.probing:
	case r.moment(now) >= earliest:
		r.startProbe(now, mon)
	case mon.probe == 0 || mon.probe > earliest:
		mon.probe = earliest
		r.rearm(mon)
	}
}

// sendKeepAlive sends over the PE's association, any other with its endpoint,
// or a new one.
func (r *Registrar) sendKeepAlive(now time.Time, mon *monitor) {
	mon.lastProbe = r.moment(now)
	r.counts.Probes++
	r.setProbe(mon, now.Add(r.probeTimeout()))
	if l := r.linkOf(mon); l != nil {
		r.ask(mon, l)
		r.emit(SendASAP{Link: l.Link, Message: r.keepAlive(mon)})
		return
	}
	if mon.attempt == nil {
		r.connectPE(mon, r.keepAlive(mon))
	}
}

// keepAlive names the PE too: the RFC has no place for that, but a process
// with several PEs needs it (ASAP-3.4-07).
func (r *Registrar) keepAlive(mon *monitor) asap.EndpointKeepAlive {
	return asap.EndpointKeepAlive{NewHome: mon.claimed, Server: r.id, Handle: mon.el.Pool().Handle, ID: mon.el.ID}
}

func (r *Registrar) linkOf(mon *monitor) *link {
	if mon.link != nil {
		return mon.link
	}
	for _, a := range mon.el.ASAP.AddrPorts() {
		if l := r.byAddr[a]; l != nil {
			return l
		}
	}
	return nil
}

// probeFailed tries again, or gives the PE up: at once if the failure is
// conclusive, otherwise after the last try (ASAP-3.5-07, ASAP-3.5-12). Some PEs
// answer their home only, so to anybody else silence alone says nothing.
func (r *Registrar) probeFailed(now time.Time, mon *monitor, conclusive bool) {
	if mon.el == nil || !mon.probing {
		return
	}
	if !conclusive && mon.left > 0 {
		mon.left--
		r.sendKeepAlive(now, mon)
		return
	}
	if mon.el.Home != r.id && (!conclusive || mon.claimed) {
		r.forgetMonitor(now, mon.el) // what others say it is, it stays
		return
	}
	r.counts.Dead++
	r.tellGone(mon) // one that only hung for a while comes back at once
	r.remove(now, mon.el, "PE does not answer, removed")
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
	if el == nil || el.State.monitor == nil {
		return
	}
	mon := el.State.monitor
	if l == mon.link || l == mon.via || sameEndpoint(l, el) {
		r.confirmed(mon)
		r.alive(now, mon, l)
	}
}

// sameEndpoint says whether the link's peer is the PE's recorded endpoint.
func sameEndpoint(l *link, el *element) bool {
	return l.Channel == ASAPOverSCTP && l.transport.Port == el.ASAP.Port && slices.ContainsFunc(el.ASAP.Addrs, l.hasAddr)
}

// alive: the PE was heard over l and stays (ASAP-3.5-08).
func (r *Registrar) alive(now time.Time, mon *monitor, l *link) {
	if mon.claimed && mon.probing && mon.el.Home != r.id {
		r.takeOffered(now, mon)
	}
	if mon.link == nil && mon.el.Home == r.id {
		r.attach(now, mon, l)
	}
	mon.claimed = false
	r.settle(now, mon)
	r.scheduleProbe(now, mon)
}

// scheduleProbe sets the time of the next probe. Only the owner supervises
// (OWN-09), at intervals that vary by half so that they spread (ASAP-3.5-13).
func (r *Registrar) scheduleProbe(now time.Time, mon *monitor) {
	if interval := r.probeInterval(); interval > 0 && mon.el.Home == r.id {
		half := int64(interval / 2)
		r.setProbe(mon, now.Add(time.Duration(half+r.cfg.Rand.Int64N(2*half+1))))
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
