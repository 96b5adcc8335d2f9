package sim

import (
	"fmt"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// checkASAP checks a message that is to be sent: machines send nothing that
// cannot be encoded, and accuse nobody as all here are honest.
func (h *Host) checkASAP(m asap.Message) {
	if _, err := asap.Append(nil, m); err != nil {
		h.w.fail("%s: %v cannot be encoded: %v", h.name, m, err)
	}
	if m.Type() == asap.TypeError {
		h.w.fail("%s sends %v", h.name, m)
	}
}

// checkENRP does so, too.
func (r *registrarProgram) checkENRP(m enrp.Message) {
	w := r.host.w
	if _, err := enrp.Append(nil, m); err != nil {
		w.fail("%s: %v cannot be encoded: %v", r.host.name, m, err)
	}
	r.says(m)
	if m.Type() == enrp.TypeError {
		w.fail("%s sends %v", r.host.name, m)
	}
}

// parsed checks that what was sent can be read.
func (h *Host) parsed(m fmt.Stringer, report []protocol.Cause, err error) {
	if err != nil || len(report) > 0 || m == nil {
		h.w.fail("%s cannot read what it got: %v, %v, %v", h.name, m, report, err)
	}
}

func (h *Host) traceSent(to *Host, ppid uint32, b []byte) {
	if h.w.Trace == nil {
		return
	}
	var m fmt.Stringer
	if ppid == protocol.PPIDENRP {
		m, _, _ = enrp.Parse(b)
	} else {
		m, _, _ = asap.Parse(b)
	}
	h.w.trace(h, to, "%v", m)
}
