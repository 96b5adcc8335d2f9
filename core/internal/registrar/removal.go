package registrar

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// remove takes a PE out of the handlespace and tells everybody who has to
// know: it has not left by itself. Peers are told by the owner only (ENRP-3.3.2-01, ASAP-3.5-14).
func (r *Registrar) remove(now time.Time, el *element, why string) {
	h := el.Pool().Handle
	r.emit(Log{Level: Warn, Msg: why, Handle: h, PE: el.ID, At: el.User.AddrPorts(), Server: el.Home})
	if el.Home == r.id {
		r.announce(enrp.DelPE, el)
	}
	r.drop(now, el)
}

// drop takes a PE out without telling the peers.
func (r *Registrar) drop(now time.Time, el *element) {
	h := el.Pool().Handle
	r.forgetMonitor(now, el)
	r.handedOver(el)
	r.space.Remove(el)
	r.poolChanged(now, h)
}
