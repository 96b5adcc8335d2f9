package sim

import (
	"slices"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// consent is who has to agree to a takeover, and who has (RFC 5353 section 3.5.1).
type consent struct {
	need []protocol.ServerID // the peers that were not thought dead when it began
	got  map[protocol.ServerID]bool
}

// says checks what a registrar is about to say.
func (r *registrarProgram) says(m enrp.Message) {
	c := r.host.w.checks
	if c == nil {
		return
	}
	switch m := m.(type) {
	case enrp.Presence:
		c.presented(r, m)
	case enrp.InitTakeoverAck:
		r.writesOff(m.Target)
	case enrp.TakeoverServer:
		r.takesOver(m.Target)
	}
}

// writesOff: nobody has to wait for the consent of a registrar that is thought dead,
// even if it is heard of again later (ENRP-3.5-10).
func (r *registrarProgram) writesOff(id protocol.ServerID) {
	for _, c := range r.consents { // any order: each by itself
		c.need = slices.DeleteFunc(c.need, func(o protocol.ServerID) bool { return o == id })
	}
}

// hears notes who agrees to a takeover, by the identifier of the one who says so.
func (r *registrarProgram) hears(m enrp.Message) {
	switch m := m.(type) {
	case enrp.InitTakeoverAck:
		if c := r.consents[m.Target]; c != nil {
			c.got[m.Sender] = true
		}
	case enrp.TakeoverServer:
		r.writesOff(m.Target)
	}
}

// silentPeer is what a registrar logs when it begins a takeover. What it asks others may
// go out much later.
const silentPeer = "registrar does not answer"

// beginsTakeover notes whom it has to ask.
func (r *registrarProgram) beginsTakeover(target protocol.ServerID) {
	r.writesOff(target)
	c := &consent{got: map[protocol.ServerID]bool{}}
	for _, p := range r.machine.Snapshot(r.host.now()).Peers {
		if p.Active && p.ID != target {
			c.need = append(c.need, p.ID)
		}
	}
	r.consents[target] = c
}

// takesOver: all have to have agreed that are still there.
func (r *registrarProgram) takesOver(target protocol.ServerID) {
	c := r.consents[target]
	delete(r.consents, target)
	if c == nil {
		return
	}
	for _, p := range r.machine.Snapshot(r.host.now()).Peers {
		for _, id := range c.need {
			if p.ID == id && p.Active && !c.got[id] {
				r.host.w.fail("%s takes %v over although %v has not agreed", r.host.name, target, id)
			}
		}
	}
}
