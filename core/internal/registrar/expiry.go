package registrar

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// setLife starts the registration life anew (ASAP-3.1-21).
func (r *Registrar) setLife(now time.Time, w *watch) {
	w.disputed = false
	d, ends := w.el.Life.Duration()
	if r.cfg.Interop.LifeInMilliseconds {
		d, ends = time.Duration(uint32(w.el.Life))*time.Millisecond, true
	}
	w.life = 0 // COM-3.10-03
	if ends {
		w.life = r.moment(now.Add(d))
	}
	r.rearm(w)
}

// lifeOver: the PE did not register again in time (ASAP-3.1-29).
func (r *Registrar) lifeOver(now time.Time, w *watch) {
	r.counts.Expired++
	r.tellGone(w)
	r.remove(now, w.el, "registration life is over, PE removed")
}

// tellGone tells a PE that it is not registered any more (ASAP-2.2.4-01), so
// that it can register again if it is well.
func (r *Registrar) tellGone(w *watch) {
	if w.link != nil {
		r.emit(SendASAP{Link: w.link.Link, Message: asap.DeregistrationResponse{Handle: w.el.Pool().Handle, ID: w.el.ID}})
	}
}
