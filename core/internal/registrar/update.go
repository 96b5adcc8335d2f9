package registrar

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// announce tells all peers that a PE came, changed or goes: complete, with our
// identifier as the sender's and 0 as the receiver's (ENRP-3.3.1-01, 02,
// ENRP-3.3.2-01, 02).
func (r *Registrar) announce(action enrp.Action, el *element) {
	if len(r.peers) == 0 {
		return
	}
	r.groupcast(enrp.HandleUpdate{
		Route:   enrp.Route{Sender: r.id},
		Action:  action,
		Handle:  el.Pool().Handle,
		Element: el.Element,
	})
}

func (r *Registrar) handleUpdate(now time.Time, p *peer, m enrp.HandleUpdate) {
	if r.downloads > 0 {
		r.updates++
	}
	switch m.Action {
	case enrp.AddPE:
		r.handleAddPE(now, p, m)
	case enrp.DelPE:
		r.handleDelPE(now, p, m)
	}
}

// handleAddPE adds a PE or replaces its attributes, the home too
// (ENRP-3.3.1-03 to 05). A former owner learns from it that the PE moved
// (OWN-05). Nobody else says what we own (ENRP-3.3.1-06).
func (r *Registrar) handleAddPE(now time.Time, p *peer, m enrp.HandleUpdate) {
	if m.Element.Home == r.id {
		r.takeOffer(now, p, m)
		return
	}
	if m.Element.Home == 0 || r.outdated(now, p, m) {
		return
	}
	delete(r.gone, elementKey{m.Handle, m.Element.ID})
	if r.space.Element(m.Handle, m.Element.ID) == nil {
		r.logJoined(m.Handle, m.Element)
	}
	if el := r.learn(now, m.Handle, m.Element); el != nil {
		el.State.mark = 0
		if r.downloads > 0 {
			el.State.update = r.updates
		}
	}
}

// outdated says whether an ADD_PE is from before the sender was taken over: a
// registrar that is just back delivers what had waited, before it answers us
// (ENRP-3.5-26). If the PE really registered there since, the audits find out.
func (r *Registrar) outdated(now time.Time, p *peer, m enrp.HandleUpdate) bool {
	if p.returned.IsZero() || now.Sub(p.returned) > r.cfg.Timers.NoResponse {
		return false
	}
	el := r.space.Element(m.Handle, m.Element.ID)
	if el == nil || el.Home == m.Element.Home {
		return false
	}
	return r.holds(el) || el.Home != r.id && r.lives(el.Home)
}

// lives says whether a registrar, ourselves included, is not thought dead.
func (r *Registrar) lives(id protocol.ServerID) bool {
	p := r.peersByID[id]
	return id == r.id || p != nil && p.active()
}

// learn stores what another registrar says of a PE; nil if it cannot be kept.
func (r *Registrar) learn(now time.Time, h protocol.PoolHandle, e protocol.Element) *element {
	known := r.space.Element(h, e.ID)
	switch {
	case len(r.space.Check(h, e)) > 0:
		// The pool was created twice, differently (E-18).
		r.emit(Log{Level: Warn, Msg: "PE does not fit the pool of that name here, ignored", Handle: h, PE: e.ID, At: e.User.AddrPorts(), Server: e.Home})
		return nil
	case e.ASAP.IsZero(), known == nil && r.full(h):
		r.emit(Log{Level: Warn, Msg: "PE of another registrar cannot be kept", Handle: h, PE: e.ID, At: e.User.AddrPorts(), Server: e.Home})
		return nil
	case known != nil && known.Home == r.id && e.Home != r.id:
		r.release(now, known, e.Home)
	}
	el, visible := r.put(h, e)
	if e.Home == r.id {
		r.claim(now, el, 0, time.Second) // ours from before a restart
	}
	if visible {
		r.poolChanged(now, h)
	}
	return el
}

// release stops to own a PE (OWN-05). If we did not offer it to the new owner, it
// may have registered here after all, and what that one says is older: then it
// is still with us and registers again when it hears that it is not registered
// here.
func (r *Registrar) release(now time.Time, el *element, to protocol.ServerID) {
	if el.State.newHome != to {
		r.tellGone(el.State.monitor)
	}
	r.handedOver(el)
	r.forgetMonitor(now, el)
}

// handleDelPE removes a PE (ENRP-3.3.2-03); nothing if it is unknown
// (ENRP-3.3.2-04). A registrar that does not own the PE any more cannot remove
// one that is with us (ENRP-3.3.2-05). One that removes what it thinks its own
// while we know of another owner was perhaps away for long (E-32); if we are
// the ones who missed something, the audit of that owner finds out.
func (r *Registrar) handleDelPE(now time.Time, p *peer, m enrp.HandleUpdate) {
	el := r.space.Element(m.Handle, m.Element.ID)
	switch {
	case el != nil && r.holds(el):
		r.announce(enrp.AddPE, el)
		return
	case el != nil && m.Element.Home != el.Home && r.lives(el.Home):
		return
	}
	r.rememberGone(m.Handle, m.Element.ID)
	if el != nil {
		r.emit(Log{Level: Info, Msg: "PE left", Handle: m.Handle, PE: el.ID, At: el.User.AddrPorts(), Server: p.id})
		r.tellRemoved(el)
		r.drop(now, el)
	}
}

// maxGone bounds what is remembered during downloads.
const maxGone = 10_000

// rememberGone keeps a table that is on its way from bringing a PE back
// (ENRP-3.2-21).
func (r *Registrar) rememberGone(h protocol.PoolHandle, id protocol.PEID) {
	if r.downloads > 0 && len(r.gone) < maxGone {
		r.gone[elementKey{h, id}] = r.updates
	}
}

// disown gives a PE to another registrar: no keep-alives, no life (OWN-05,
// OWN-09).
func (r *Registrar) disown(now time.Time, el *element, to protocol.ServerID) {
	r.closeOffer(el)
	r.forgetMonitor(now, el)
	r.space.SetHome(el, to)
}
