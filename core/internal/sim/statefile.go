package sim

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/snapshot"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// KeepState gives a registrar a state file, which outlives its process.
func (h *Host) KeepState() { h.state = new([]byte) }

// statePeriod is how often the state file is written.
const statePeriod = time.Second

func (r *registrarProgram) keepState() {
	h := r.host
	if h.state == nil {
		return
	}
	if v := r.machine.Snapshot(h.now()); v.Serving {
		table, err := snapshot.EncodeTable(v)
		if err != nil {
			h.w.fail("%s cannot encode its table: %v", h.name, err)
		}
		*h.state = snapshot.Encode(table, h.now())
	}
	p := h.proc
	h.w.after(statePeriod, func() { p.do(r.keepState) })
}

func (h *Host) readState() []enrp.PoolEntry {
	if h.state == nil || *h.state == nil {
		return nil
	}
	entries, err := snapshot.Decode(*h.state, h.now())
	if err != nil {
		h.w.fail("%s cannot read its state: %v", h.name, err)
	}
	return entries
}
