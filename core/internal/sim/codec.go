package sim

import (
	"fmt"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// encodeASAP is what a shell does with a message to send; machines send
// nothing that cannot be encoded, and accuse nobody as all here are honest.
func (h *Host) encodeASAP(m asap.Message) []byte {
	b, err := asap.Append(nil, m)
	if err != nil {
		h.w.fail("%s: %v cannot be encoded: %v", h.name, m, err)
	}
	if m.Type() == asap.TypeError {
		h.w.fail("%s sends %v", h.name, m)
	}
	return b
}

func (r *registrarProgram) encodeENRP(m enrp.Message) []byte {
	w := r.host.w
	b, err := enrp.Append(nil, m)
	if err != nil {
		w.fail("%s: %v cannot be encoded: %v", r.host.name, m, err)
	}
	if p, ok := m.(enrp.Presence); ok && w.checks != nil {
		w.checks.presented(r, p)
	}
	if m.Type() == enrp.TypeError {
		w.fail("%s sends %v", r.host.name, m)
	}
	return b
}

// parsed checks that what was sent can be read.
func (h *Host) parsed(m fmt.Stringer, report []protocol.Cause, err error) {
	if err != nil || len(report) > 0 || m == nil {
		h.w.fail("%s cannot read what it got: %v, %v, %v", h.name, m, report, err)
	}
}

func (h *Host) traceSent(p *port, id assoc.ID, ppid uint32, b []byte) {
	w := h.w
	if w.Trace == nil {
		return
	}
	var m fmt.Stringer
	if ppid == protocol.PPIDENRP {
		m, _, _ = enrp.Parse(b)
	} else {
		m, _, _ = asap.Parse(b)
	}
	_, peer := p.addrs(id)
	w.trace(h, w.byIP[peer[0].Addr()], "%v", m)
}
