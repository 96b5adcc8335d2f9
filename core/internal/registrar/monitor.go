package registrar

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/timerq"
)

// monitor is what a registrar keeps with a PE that it owns or was told to doubt.
// There is one for every PE, so it is kept small: one timer for two deadlines,
// and moments instead of times.
type monitor struct {
	el    *element // nil once the PE is removed or forgotten
	timer timerq.Timer[deadline]
	life  moment // end of the registration; 0 = none
	// probe is the acknowledgement timeout while probing, otherwise the time
	// of the next probe; 0 = none.
	probe     moment
	lastProbe moment

	link     *link           // the PE's association; nil while there is none
	via      *link           // where the KEEP_ALIVE went that was not answered yet
	attempt  *connectAttempt // what the KEEP_ALIVE waits for
	linkSlot int32
	viaSlot  int32

	reports int32 // unreachability reports since the last registration
	left    int8  // probes that may still be sent
	probing bool

	// claimed: the PE did not register with us, we took it from claimedFrom
	// and want to be its home (H flag of KEEP_ALIVE).
	claimed     bool
	disputed    bool // another one thought so too, since the last registration
	claimedFrom protocol.ServerID
}

// moment is a time since the registrar's start.
type moment time.Duration

// never is a moment that is always long ago.
const never = moment(-1 << 62)

func (r *Registrar) moment(now time.Time) moment { return moment(now.Sub(r.started)) }

// setProbe sets the time of the next probe, or of the timeout of this one.
func (r *Registrar) setProbe(mon *monitor, at time.Time) {
	mon.probe = max(r.moment(at), 1)
	r.rearm(mon)
}

// rearm sets the timer to the earlier deadline.
func (r *Registrar) rearm(mon *monitor) {
	at := mon.life
	if at == 0 || mon.probe != 0 && mon.probe < at {
		at = mon.probe
	}
	if at == 0 {
		r.timers.Stop(&mon.timer)
		return
	}
	r.timers.Set(&mon.timer, r.started.Add(time.Duration(at)))
}

// due: the life is over; or the acknowledgement is missing (E-25); or it is
// time to ask.
func (mon *monitor) due(r *Registrar, now time.Time) {
	reached := r.moment(now)
	switch {
	case mon.life != 0 && mon.life <= reached:
		r.lifeOver(now, mon)
	case mon.probe == 0 || mon.probe > reached:
		r.rearm(mon)
	case mon.probing:
		r.probeFailed(now, mon, false)
	default:
		r.startProbe(now, mon)
	}
}

// monitorOf returns the monitor of an element, a new one if it has none.
func (r *Registrar) monitorOf(el *element) *monitor {
	mon := el.State.monitor
	if mon == nil {
		mon = &monitor{el: el, lastProbe: never}
		mon.timer.Value = mon
		el.State.monitor = mon
	}
	return mon
}

// forgetMonitor forgets everything about an element but the element.
func (r *Registrar) forgetMonitor(now time.Time, el *element) {
	mon := el.State.monitor
	if mon == nil {
		return
	}
	mon.life = 0
	r.settle(now, mon)
	r.attach(now, mon, nil)
	el.State.monitor, mon.el = nil, nil
}

// attach makes l the PE's association.
func (r *Registrar) attach(now time.Time, mon *monitor, l *link) {
	old := mon.link
	if old == l {
		return
	}
	if old != nil {
		if old.monitors.remove(mon); old.monitors.len() == 0 {
			r.housing--
		}
	}
	mon.link = l
	if l != nil {
		if l.monitors.add(mon); l.monitors.len() == 1 {
			r.housing++
		}
	}
	if old != nil {
		r.checkIdle(now, old)
	}
}

// ask notes that the KEEP_ALIVE goes over l.
func (r *Registrar) ask(mon *monitor, l *link) {
	if mon.via != nil {
		mon.via.asked.remove(mon)
	}
	mon.via = l
	l.asked.add(mon)
}

// settle ends a probe, whatever came of it.
func (r *Registrar) settle(now time.Time, mon *monitor) {
	mon.probing, mon.attempt, mon.probe = false, nil, 0
	r.rearm(mon)
	if l := mon.via; l != nil {
		l.asked.remove(mon)
		mon.via = nil
		r.checkIdle(now, l)
	}
}
