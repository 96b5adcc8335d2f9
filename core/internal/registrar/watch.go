package registrar

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/timerq"
)

// watch is what a registrar keeps with a PE that it owns or was told to doubt.
// There is one for every PE, so it is kept small: one timer for two deadlines,
// and moments instead of times.
type watch struct {
	el    *element // nil once the PE is removed or forgotten
	timer timerq.Timer[deadline]
	life  moment // end of the registration; 0 = none
	// probe is the acknowledgement timeout while probing, otherwise the time
	// of the next probe; 0 = none.
	probe     moment
	lastProbe moment

	link     *link // the PE's association; nil while there is none
	via      *link // where the KEEP_ALIVE went that was not answered yet
	dial     *dial // what the KEEP_ALIVE waits for
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
func (r *Registrar) setProbe(w *watch, at time.Time) {
	w.probe = max(r.moment(at), 1)
	r.rearm(w)
}

// rearm sets the timer to the earlier deadline.
func (r *Registrar) rearm(w *watch) {
	at := w.life
	if at == 0 || w.probe != 0 && w.probe < at {
		at = w.probe
	}
	if at == 0 {
		r.timers.Stop(&w.timer)
		return
	}
	r.timers.Set(&w.timer, r.started.Add(time.Duration(at)))
}

// due: the life is over; or the acknowledgement is missing (E-25); or it is
// time to ask.
func (w *watch) due(r *Registrar, now time.Time) {
	reached := r.moment(now)
	switch {
	case w.life != 0 && w.life <= reached:
		r.lifeOver(now, w)
	case w.probe == 0 || w.probe > reached:
		r.rearm(w)
	case w.probing:
		r.probeFailed(now, w, false)
	default:
		r.startProbe(now, w)
	}
}

// watchOf returns the watch of an element, a new one if it has none.
func (r *Registrar) watchOf(el *element) *watch {
	w := el.State.watch
	if w == nil {
		w = &watch{el: el, lastProbe: never}
		w.timer.Value = w
		el.State.watch = w
	}
	return w
}

// unwatch forgets everything about an element but the element.
func (r *Registrar) unwatch(now time.Time, el *element) {
	w := el.State.watch
	if w == nil {
		return
	}
	w.life = 0
	r.settle(now, w)
	r.attach(now, w, nil)
	el.State.watch, w.el = nil, nil
}

// attach makes l the PE's association.
func (r *Registrar) attach(now time.Time, w *watch, l *link) {
	old := w.link
	if old == l {
		return
	}
	if old != nil {
		if old.watches.remove(w); old.watches.len() == 0 {
			r.housing--
		}
	}
	w.link = l
	if l != nil {
		if l.watches.add(w); l.watches.len() == 1 {
			r.housing++
		}
	}
	if old != nil {
		r.checkIdle(now, old)
	}
}

// ask notes that the KEEP_ALIVE goes over l.
func (r *Registrar) ask(w *watch, l *link) {
	if w.via != nil {
		w.via.asked.remove(w)
	}
	w.via = l
	l.asked.add(w)
}

// settle ends a probe, whatever came of it.
func (r *Registrar) settle(now time.Time, w *watch) {
	w.probing, w.dial, w.probe = false, nil, 0
	r.rearm(w)
	if l := w.via; l != nil {
		l.asked.remove(w)
		w.via = nil
		r.checkIdle(now, l)
	}
}
