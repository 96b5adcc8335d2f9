package registrar

import (
	"errors"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// probeFailed tries again, or gives the PE up: at once if the failure is
// conclusive, otherwise after the last try (ASAP-3.5-07, ASAP-3.5-12). Some PEs
// answer their home only, so to anybody else silence alone says nothing.
func (ms *monitors) probeFailed(now time.Time, mon *monitor, conclusive bool) {
	if mon.el == nil || !mon.probing {
		return
	}
	if !conclusive && mon.left > 0 {
		mon.left--
		ms.sendKeepAlive(now, mon)
		return
	}
	if mon.el.Home != ms.id && (!conclusive || mon.claimed) {
		ms.forget(now, mon.el) // its owner decides whether it lives
		return
	}
	ms.counts.Dead++
	ms.tellGone(mon) // if it only hung for a while it registers again at once
	ms.elements.remove(now, mon.el, "PE does not answer, removed")
}

// conclusive says whether a failed set-up shows that nobody is there: anything
// but our own lack of something.
func conclusive(err error) bool {
	return err != nil && !errors.Is(err, assoc.ErrNoResources) && !errors.Is(err, assoc.ErrWouldBlock)
}

// handleAck believes an acknowledgement from the PE's association, the one that
// was asked over, or one with the PE's recorded endpoint (some PEs answer over
// their home's association).
func (ms *monitors) handleAck(now time.Time, l *link, m asap.EndpointKeepAliveAck) {
	el := ms.space.Element(m.Handle, m.ID)
	if el == nil || el.State.monitor == nil {
		return
	}
	mon := el.State.monitor
	if l == mon.link || l == mon.via || sameEndpoint(l, el) {
		ms.claims.confirmed(mon)
		ms.alive(now, mon, l)
	}
}

// sameEndpoint says whether the link's peer is the PE's recorded endpoint.
func sameEndpoint(l *link, el *element) bool {
	return l.Channel == ASAPOverSCTP && l.transport.Port == el.ASAP.Port && slices.ContainsFunc(el.ASAP.Addrs, l.hasAddr)
}

// settle ends a probe, whatever came of it.
func (ms *monitors) settle(now time.Time, mon *monitor) {
	mon.probing, mon.attempt, mon.probe = false, nil, 0
	ms.rearm(mon)
	if l := mon.via; l != nil {
		l.asked.remove(mon)
		mon.via = nil
		ms.links.checkIdle(now, l)
	}
}

// alive: the PE was heard over l and stays (ASAP-3.5-08).
func (ms *monitors) alive(now time.Time, mon *monitor, l *link) {
	if mon.claimed && mon.probing && mon.el.Home != ms.id {
		ms.handover.takeOffered(now, mon)
	}
	if mon.link == nil && mon.el.Home == ms.id {
		ms.links.attach(now, mon, l)
	}
	mon.claimed = false
	ms.settle(now, mon)
	ms.scheduleProbe(now, mon)
}
