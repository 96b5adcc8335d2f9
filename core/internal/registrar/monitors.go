package registrar

import "time"

// monitors supervises the PEs that the registrar owns, and those that it was told
// to doubt. Their states are in the handlespace, with the PEs.
type monitors struct {
	*core
	links    *links
	attempts *attempts
	elements *elements
	claims   *claims
	handover *handover
}

// of returns the monitor of an element, a new one if it has none.
func (ms *monitors) of(el *element) *monitor {
	mon := el.State.monitor
	if mon == nil {
		mon = &monitor{el: el, lastProbe: never}
		mon.timer.Value = mon
		el.State.monitor = mon
	}
	return mon
}

// own begins or renews the supervision of a PE that registered over l.
func (ms *monitors) own(now time.Time, el *element, l *link) {
	mon := ms.of(el)
	mon.reports = 0 // they are forgotten with a new registration (ASAP-3.5-10)
	ms.links.attach(now, mon, l)
	ms.setLife(now, mon)
	ms.alive(now, mon, l)
}

// forget ends the supervision of an element.
func (ms *monitors) forget(now time.Time, el *element) {
	mon := el.State.monitor
	if mon == nil {
		return
	}
	mon.life = 0
	ms.settle(now, mon)
	ms.links.attach(now, mon, nil)
	el.State.monitor, mon.el = nil, nil
}

// setProbe sets the time of the next probe, or of the timeout of this one.
func (ms *monitors) setProbe(mon *monitor, at time.Time) {
	mon.probe = max(ms.moment(at), 1)
	ms.rearm(mon)
}

// rearm sets the timer to the earlier deadline.
func (ms *monitors) rearm(mon *monitor) {
	at := mon.life
	if at == 0 || mon.probe != 0 && mon.probe < at {
		at = mon.probe
	}
	if at == 0 {
		ms.timers.Stop(&mon.timer)
		return
	}
	ms.timers.Set(&mon.timer, ms.started.Add(time.Duration(at)))
}

// due: the life is over; or the acknowledgement is missing (E-25); or it is
// time to ask.
func (ms *monitors) due(now time.Time, mon *monitor) {
	reached := ms.moment(now)
	switch {
	case mon.life != 0 && mon.life <= reached:
		ms.lifeOver(now, mon)
	case mon.probe == 0 || mon.probe > reached:
		ms.rearm(mon)
	case mon.probing:
		ms.probeFailed(now, mon, false)
	default:
		ms.startProbe(now, mon)
	}
}

// linkGone: a PE is not removed for the loss of its association, it is asked at
// its recorded ASAP Transport at once. So is one whose KEEP_ALIVE may be lost.
func (ms *monitors) linkGone(now time.Time, l *link) {
	asked, housed := l.asked.take(), ms.links.detachAll(l)
	for _, mon := range asked {
		mon.via = nil
		ms.probeFailed(now, mon, false)
	}
	for _, mon := range housed {
		if mon.el != nil && mon.link == nil {
			ms.probeSoon(now, mon)
		}
	}
}
