package sim

import (
	"fmt"
	"maps"
	"slices"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire"
)

// Agree returns an error unless all registrars that run hold the same PEs, as
// many as given, each owned by one of them. It compares checksums, so that it
// is affordable in a world of any size.
func (w *World) Agree(elements int) error {
	living := map[protocol.ServerID]bool{}
	var registrars []*Host
	for _, h := range w.hosts {
		if r := h.registrar(); r != nil {
			registrars = append(registrars, h)
			living[r.machine.ID()] = true
		}
	}
	var first map[protocol.ServerID]uint16
	for _, h := range registrars {
		n, sums := h.registrar().sums()
		if n != elements {
			return fmt.Errorf("%s knows %d PEs, not %d", h.name, n, elements)
		}
		if first == nil {
			first = sums
		}
		for _, id := range slices.Sorted(maps.Keys(sums)) {
			if !living[id] || first[id] != sums[id] {
				return fmt.Errorf("%s has another idea of what %v owns than %s", h.name, id, registrars[0].name)
			}
		}
	}
	return nil
}

// sums returns how many PEs the registrar knows, and the checksum of every
// owner.
func (r *registrarProgram) sums() (n int, sums map[protocol.ServerID]uint16) {
	owners := map[protocol.ServerID]*wire.PEChecksum{}
	for _, p := range r.machine.Snapshot(r.host.now()).Pools {
		for _, e := range p.Elements {
			if owners[e.Home] == nil {
				owners[e.Home] = &wire.PEChecksum{}
			}
			owners[e.Home].Add(p.Handle, e.ID)
			n++
		}
	}
	sums = map[protocol.ServerID]uint16{}
	for id, c := range owners { // any order: each by itself
		sums[id] = c.Sum()
	}
	return n, sums
}
