package registrar

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// updates takes what other registrars say of PEs as it happens
// (ENRP_HANDLE_UPDATE).
type updates struct {
	*core
	links    *links
	elements *elements
	peers    *peers
	handover *handover
	changes  *changes
}

func (up *updates) handle(now time.Time, p *peer, m enrp.HandleUpdate) {
	up.changes.count()
	switch m.Action {
	case enrp.AddPE:
		up.add(now, p, m)
	case enrp.DelPE:
		up.remove(now, p, m)
	}
}

// add adds a PE or replaces its attributes, the home too (ENRP-3.3.1-03 to 05).
// A former owner learns from it that the PE moved
// (OWN-05). Nobody else says what we own (ENRP-3.3.1-06).
func (up *updates) add(now time.Time, p *peer, m enrp.HandleUpdate) {
	if m.Element.Home == up.id {
		up.handover.takeOffer(now, p, m)
		return
	}
	if m.Element.Home == 0 || up.outdated(now, p, m) {
		return
	}
	up.changes.forgetGone(m.Handle, m.Element.ID)
	if up.space.Element(m.Handle, m.Element.ID) == nil {
		up.elements.logJoined(m.Handle, m.Element)
	}
	if el := up.elements.learn(now, m.Handle, m.Element); el != nil {
		up.changes.learned(el)
	}
}

// outdated says whether an ADD_PE is from before the sender was taken over: a
// registrar that is just back delivers what it could not send meanwhile, before it
// answers us (ENRP-3.5-26). If the PE did register there since, audits find out.
func (up *updates) outdated(now time.Time, p *peer, m enrp.HandleUpdate) bool {
	if p.returned.IsZero() || now.Sub(p.returned) > up.cfg.Timers.NoResponse {
		return false
	}
	el := up.space.Element(m.Handle, m.Element.ID)
	if el == nil || el.Home == m.Element.Home {
		return false
	}
	return up.elements.holds(el) || el.Home != up.id && up.peers.lives(el.Home)
}

// remove removes a PE (ENRP-3.3.2-03); one that is unknown needs nothing
// (ENRP-3.3.2-04). A registrar that does not own the PE any more cannot remove
// one that is with us (ENRP-3.3.2-05). One that removes what it thinks its own
// while we know of another owner was perhaps away for long (E-32); if we are
// the ones who missed something, the audit of that owner finds out.
func (up *updates) remove(now time.Time, p *peer, m enrp.HandleUpdate) {
	el := up.space.Element(m.Handle, m.Element.ID)
	switch {
	case el != nil && up.elements.holds(el):
		up.peers.announce(enrp.AddPE, el)
		return
	case el != nil && m.Element.Home != el.Home && up.peers.lives(el.Home):
		return
	}
	up.changes.rememberGone(m.Handle, m.Element.ID)
	if el != nil {
		up.emit(Log{Level: Info, Msg: "PE left", Handle: m.Handle, PE: el.ID, At: el.User.AddrPorts(), Server: p.id})
		up.tellRemoved(el)
		up.elements.drop(now, el)
	}
}

// tellRemoved tells a PE that somebody else removed that it is not registered
// any more (ASAP-2.2.4-01). If that was wrong, it registers again.
func (up *updates) tellRemoved(el *element) {
	if l := up.links.withEndpointOf(el); l != nil {
		up.emit(SendASAP{Link: l.Link, Message: asap.DeregistrationResponse{Handle: el.Pool().Handle, ID: el.ID}})
	}
}
