package registrar

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// setLife starts the registration life anew (ASAP-3.1-21).
func (r *Registrar) setLife(now time.Time, w *watch) {
	d, ends := w.el.Life.Duration()
	if r.cfg.Interop.LifeInMilliseconds {
		d, ends = time.Duration(uint32(w.el.Life))*time.Millisecond, true
	}
	if ends {
		r.timers.Set(&w.life, now.Add(d))
	} else {
		r.timers.Stop(&w.life) // COM-3.10-03
	}
}

// due: the PE did not register again in time (ASAP-3.1-29).
func (e lifeOver) due(r *Registrar, now time.Time) {
	r.counts.Expired++
	r.tellGone(e.watch)
	r.remove(now, e.el, "registration life is over, PE removed")
}

// tellGone tells a PE that it is not registered any more (ASAP-2.2.4-01), so
// that it can register again if it is well.
func (r *Registrar) tellGone(w *watch) {
	if w.link != nil {
		r.emit(SendASAP{Link: w.link.Link, Message: asap.DeregistrationResponse{Handle: w.el.Pool().Handle, ID: w.el.ID}})
	}
}
