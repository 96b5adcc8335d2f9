package sim

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/session"
)

// Squeeze makes a host short of memory for some time: no buffer of any association,
// those with registrars included, has more than so many bytes. Programs do not know.
func (h *Host) Squeeze(bytes int, d time.Duration) {
	h.memory = bytes
	h.w.after(d, h.relieve)
}

// relieve gives a host the memory back.
func (h *Host) relieve() {
	if h.memory == 0 {
		return
	}
	h.memory = 0
	if h.proc == nil {
		return
	}
	for _, p := range h.proc.ports {
		for _, id := range slices.Sorted(maps.Keys(p.ends)) {
			if e := p.ends[id]; e != nil {
				e.resized()
			}
		}
	}
}

// spares is how much of a buffer a host has memory for.
func (h *Host) spares(bytes int) int { return min(bytes, cmp.Or(h.memory, bytes)) }

// Shrink makes the program of a host give its sessions smaller buffers for some time,
// those that it has and those to come.
func (h *Host) Shrink(send, receive int, d time.Duration) {
	h.endpointDo(func(e *endpointProgram) {
		e.resize(send, receive)
		e.later(d, func() {
			o := e.role.options()
			e.resize(o.SendBuffer, o.ReceiveBuffer)
		})
	})
}

// resize gives all sessions buffers of these sizes.
func (e *endpointProgram) resize(send, receive int) {
	for _, ss := range e.table.Sessions() {
		if ss.Over() {
			continue
		}
		o := ss.Options()
		if err := e.table.SetOptions(e.host.now(), ss, withBuffers(o, send, receive)); err != nil {
			e.host.w.fail("%s cannot change the buffers of a session: %v", e.host.name, err)
		}
	}
	if err := e.table.SetDefaults(withBuffers(e.table.Options(), send, receive)); err != nil {
		e.host.w.fail("%s cannot change the buffers of sessions to come: %v", e.host.name, err)
	}
}

func withBuffers(o session.Options, send, receive int) session.Options {
	o.SendBuffer, o.ReceiveBuffer = send, receive
	return o
}
