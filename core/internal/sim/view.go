package sim

import (
	"iter"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/registrar"
	"github.com/librserpool/librserpool/core/internal/wire"
)

// view is what a registrar knows at a moment.
type view struct {
	host *Host
	registrar.View
	elements map[elementKey]registrar.ElementView
}

type elementKey struct {
	handle protocol.PoolHandle
	id     protocol.PEID
}

func newView(h *Host, r *registrarProgram) view {
	v := view{host: h, View: r.machine.Snapshot(h.now()), elements: map[elementKey]registrar.ElementView{}}
	for key, e := range v.all() {
		v.elements[key] = e
	}
	return v
}

// all returns all elements in a fixed order.
func (v view) all() iter.Seq2[elementKey, registrar.ElementView] {
	return func(yield func(elementKey, registrar.ElementView) bool) {
		for _, p := range v.Pools {
			for _, e := range p.Elements {
				if !yield(elementKey{p.Handle, e.ID}, e) {
					return
				}
			}
		}
	}
}

func (v view) checksum(of protocol.ServerID) uint16 {
	var sum wire.PEChecksum
	for key, e := range v.all() {
		if e.Home == of {
			sum.Add(key.handle, key.id)
		}
	}
	return sum.Sum()
}

// difference returns the first difference between two handlespaces in who there
// is and whose, and in anything else.
func difference(a, b view) (who, values string) {
	for key, e := range a.all() {
		o, known := b.elements[key]
		switch {
		case !known:
			return e.ID.String() + " is not at " + b.host.name, values
		case o.Home != e.Home:
			return e.ID.String() + " has two homes", values
		case o.Element.String() != e.Element.String():
			values = e.ID.String()
		}
	}
	for key, e := range b.all() {
		if _, known := a.elements[key]; !known {
			return e.ID.String() + " is not at " + a.host.name, values
		}
	}
	return "", values
}
