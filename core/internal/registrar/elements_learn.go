package registrar

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// learn stores what another registrar says of a PE; nil if it cannot be kept.
func (es *elements) learn(now time.Time, h protocol.PoolHandle, e protocol.Element) *element {
	known := es.space.Element(h, e.ID)
	switch {
	case len(es.space.Check(h, e)) > 0:
		// The pool was created twice, differently (E-18).
		es.emit(Log{Level: Warn, Msg: "PE does not fit the pool of that name here, ignored", Handle: h, PE: e.ID, At: e.User.AddrPorts(), Server: e.Home})
		return nil
	case e.ASAP.IsZero(), known == nil && es.full(h):
		es.emit(Log{Level: Warn, Msg: "PE of another registrar cannot be kept", Handle: h, PE: e.ID, At: e.User.AddrPorts(), Server: e.Home})
		return nil
	case known != nil && known.Home == es.id && e.Home != es.id:
		es.release(now, known, e.Home)
	}
	el, visible := es.put(h, e)
	if e.Home == es.id {
		es.claims.claim(now, el, 0, time.Second) // ours from before a restart
	}
	if visible {
		es.subscribers.poolChanged(now, h)
	}
	return el
}

// release ends our ownership of a PE (OWN-05). If we did not offer it to the new
// owner, what that one says may be older than its registration here. Then the PE
// is still with us, and registers again when it hears that it is not registered.
func (es *elements) release(now time.Time, el *element, to protocol.ServerID) {
	if el.State.newHome != to {
		es.monitors.tellGone(el.State.monitor)
	}
	es.handover.offerEnded(el)
	es.monitors.forget(now, el)
}

// disown gives a PE to another registrar: no keep-alives, no life (OWN-05,
// OWN-09).
func (es *elements) disown(now time.Time, el *element, to protocol.ServerID) {
	es.handover.closeOffer(el)
	es.monitors.forget(now, el)
	es.space.SetHome(el, to)
}
