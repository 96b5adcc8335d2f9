package registrar

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// startProbe asks a PE whether it lives, unless that is under way.
func (ms *monitors) startProbe(now time.Time, mon *monitor) {
	if mon.probing {
		return
	}
	mon.probing, mon.left = true, int8(ms.cfg.KeepAlive.Retries)
	ms.sendKeepAlive(now, mon)
}

// probeSoon starts a probe that others can provoke: at once, but not more
// often than allowed (SEC-2.14-01).
func (ms *monitors) probeSoon(now time.Time, mon *monitor) {
	earliest := mon.lastProbe + moment(ms.cfg.KeepAlive.Gap)
	switch {
	case mon.probing:
	case ms.moment(now) >= earliest:
		ms.startProbe(now, mon)
	case mon.probe == 0 || mon.probe > earliest:
		mon.probe = earliest
		ms.rearm(mon)
	}
}

// sendKeepAlive sends over the PE's association, any other with its endpoint,
// or a new one.
func (ms *monitors) sendKeepAlive(now time.Time, mon *monitor) {
	mon.lastProbe = ms.moment(now)
	ms.counts.Probes++
	ms.setProbe(mon, now.Add(ms.timeout()))
	if l := ms.linkOf(mon); l != nil {
		ms.ask(mon, l)
		ms.emit(SendASAP{Link: l.Link, Message: ms.keepAlive(mon)})
		return
	}
	if mon.attempt == nil {
		ms.attempts.connectPE(mon, ms.keepAlive(mon))
	}
}

// keepAlive names the PE too: the RFC has no place for that, but a process
// with several PEs needs it (ASAP-3.4-07).
func (ms *monitors) keepAlive(mon *monitor) asap.EndpointKeepAlive {
	return asap.EndpointKeepAlive{NewHome: mon.claimed, Server: ms.id, Handle: mon.el.Pool().Handle, ID: mon.el.ID}
}

// linkOf is the association over which a PE is asked, or nil.
func (ms *monitors) linkOf(mon *monitor) *link {
	if mon.link != nil {
		return mon.link
	}
	return ms.links.withEndpointOf(mon.el)
}

// ask notes that the KEEP_ALIVE goes over l.
func (ms *monitors) ask(mon *monitor, l *link) {
	if mon.via != nil {
		mon.via.asked.remove(mon)
	}
	mon.via = l
	l.asked.add(mon)
}

// connected sends the KEEP_ALIVEs that waited for the association.
func (ms *monitors) connected(now time.Time, a *connectAttempt, l *link) {
	for _, mon := range a.monitors {
		ms.ask(mon, l)
		if mon != a.first {
			ms.emit(SendASAP{Link: l.Link, Message: ms.keepAlive(mon)})
		}
		ms.setProbe(mon, now.Add(ms.timeout()))
	}
}

// askWithin asks a PE within the time spread to make us its home.
func (ms *monitors) askWithin(now time.Time, mon *monitor, spread time.Duration) {
	if mon.probing {
		ms.settle(now, mon)
	}
	if spread < 50*time.Millisecond {
		ms.startProbe(now, mon)
		return
	}
	ms.setProbe(mon, now.Add(time.Duration(ms.cfg.Rand.Int64N(int64(spread)))))
}
