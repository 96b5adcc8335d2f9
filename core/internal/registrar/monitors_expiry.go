package registrar

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// setLife starts the registration life anew (ASAP-3.1-21).
func (ms *monitors) setLife(now time.Time, mon *monitor) {
	mon.disputed = false
	d, ends := mon.el.Life.Duration()
	if ms.cfg.Interop.LifeInMilliseconds {
		d, ends = time.Duration(uint32(mon.el.Life))*time.Millisecond, true
	}
	mon.life = 0 // a life of -1 never ends (COM-3.10-03)
	if ends {
		mon.life = ms.moment(now.Add(d))
	}
	ms.rearm(mon)
}

// lifeOver: the PE did not register again in time (ASAP-3.1-29).
func (ms *monitors) lifeOver(now time.Time, mon *monitor) {
	ms.counts.Expired++
	ms.tellGone(mon)
	ms.elements.remove(now, mon.el, "registration life is over, PE removed")
}

// tellGone tells a PE that it is not registered any more (ASAP-2.2.4-01), so
// that it can register again if it is well.
func (ms *monitors) tellGone(mon *monitor) {
	if mon.link != nil {
		ms.emit(SendASAP{Link: mon.link.Link, Message: asap.DeregistrationResponse{Handle: mon.el.Pool().Handle, ID: mon.el.ID}})
	}
}
