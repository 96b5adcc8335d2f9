package registrar

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/timerq"
)

// watch is what a registrar keeps with a PE that it owns or was told to doubt.
type watch struct {
	el   *element // nil once the PE is removed or forgotten
	life timerq.Timer[deadline]
	// probe is the acknowledgement timeout while probing, otherwise the time
	// of the next probe.
	probe timerq.Timer[deadline]

	link     *link // the PE's association; nil while there is none
	linkSlot int
	via      *link // where the KEEP_ALIVE went that was not answered yet
	viaSlot  int
	dial     *dial // what the KEEP_ALIVE waits for

	probing   bool
	left      int // probes that may still be sent
	lastProbe time.Time
	reports   int // unreachability reports since the last registration

	// claimed: the PE did not register with us, we took it from claimedFrom
	// and want to be its home (H flag of KEEP_ALIVE).
	claimed     bool
	claimedFrom protocol.ServerID
}

type lifeOver struct{ *watch }

type probeTime struct{ *watch }

// watchOf returns the watch of an element, a new one if it has none.
func (r *Registrar) watchOf(el *element) *watch {
	w := el.State.watch
	if w == nil {
		w = &watch{el: el}
		w.life.Value, w.probe.Value = lifeOver{w}, probeTime{w}
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
	r.timers.Stop(&w.life)
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
		old.watches.remove(w)
	}
	w.link = l
	if l != nil {
		l.watches.add(w)
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
	w.probing, w.dial = false, nil
	r.timers.Stop(&w.probe)
	if l := w.via; l != nil {
		l.asked.remove(w)
		w.via = nil
		r.checkIdle(now, l)
	}
}
