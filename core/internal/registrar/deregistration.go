package registrar

import (
	"net/netip"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// handleDeregistration takes a PE out (RFC 5352 section 3.2). There is always
// an answer (ASAP-3.2-10), and it is a grant when there is nothing to take out
// (ASAP-3.2-09).
func (r *Registrar) handleDeregistration(now time.Time, l *link, m asap.Deregistration) {
	response := asap.DeregistrationResponse{Handle: m.Handle, ID: m.ID}
	el := r.space.Element(m.Handle, m.ID)
	if el != nil && !mayDeregister(l, el) {
		response.Causes = []protocol.Cause{{Code: protocol.CauseRejectedForSecurity}}
		r.emit(Log{Level: Warn, Msg: "deregistration by somebody else refused", Handle: m.Handle, PE: m.ID, At: l.addrs, Link: l.Link})
		el = nil
	}
	r.emit(SendASAP{Link: l.Link, Message: response})
	if el == nil {
		return // ASAP-3.2-11: nothing to announce
	}
	r.counts.Deregistered++
	r.emit(Log{Level: Info, Msg: "PE left", Handle: m.Handle, PE: m.ID, At: el.User.AddrPorts(), Server: el.Home})
	r.announce(enrp.DelPE, el) // also for a PE whose home died (ASAP-3.2-12)
	r.drop(now, el)
}

// mayDeregister: nobody but the PE itself (ASAP-2.2.2-02, SEC-2.3-01). That is
// who has its association; if we hold none, who comes from its addresses,
// because it looked for a new registrar and found us (ASAP-3.2-12).
func mayDeregister(l *link, el *element) bool {
	if l.Channel != ASAPOverSCTP {
		return false // ASAP-2.1-01
	}
	if mon := el.State.monitor; mon != nil && mon.link != nil {
		return mon.link == l
	}
	ours := func(a netip.Addr) bool { return l.hasAddr(a) }
	return slices.ContainsFunc(el.ASAP.Addrs, ours) || slices.ContainsFunc(el.User.Addrs, ours)
}
