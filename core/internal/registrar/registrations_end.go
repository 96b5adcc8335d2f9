package registrar

import (
	"net/netip"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// deregister takes a PE out (RFC 5352 section 3.2). There is always an answer
// (ASAP-3.2-10), and it is a grant when there is nothing to take out
// (ASAP-3.2-09).
func (rs *registrations) deregister(now time.Time, l *link, m asap.Deregistration) {
	response := asap.DeregistrationResponse{Handle: m.Handle, ID: m.ID}
	el := rs.space.Element(m.Handle, m.ID)
	if el != nil && !mayDeregister(l, el) {
		response.Causes = []protocol.Cause{{Code: protocol.CauseRejectedForSecurity}}
		rs.emit(Log{Level: Warn, Msg: "deregistration by somebody else refused", Handle: m.Handle, PE: m.ID, At: l.addrs, Link: l.Link})
		el = nil
	}
	rs.emit(SendASAP{Link: l.Link, Message: response})
	if el == nil {
		return // there is nothing to announce (ASAP-3.2-11)
	}
	rs.counts.Deregistered++
	rs.emit(Log{Level: Info, Msg: "PE left", Handle: m.Handle, PE: m.ID, At: el.User.AddrPorts(), Server: el.Home})
	rs.peers.announce(enrp.DelPE, el) // also for a PE whose home died (ASAP-3.2-12)
	rs.elements.drop(now, el)
}

// mayDeregister says whether the PE itself is behind l: nobody else may take it
// out (ASAP-2.2.2-02, SEC-2.3-01). It is behind its association; if we hold none,
// a PE that looked for a new registrar and found us comes from its recorded
// addresses (ASAP-3.2-12).
func mayDeregister(l *link, el *element) bool {
	if l.Channel != ASAPOverSCTP {
		return false // PEs speak SCTP only (ASAP-2.1-01)
	}
	if mon := el.State.monitor; mon != nil && mon.link != nil {
		return mon.link == l
	}
	ours := func(a netip.Addr) bool { return l.hasAddr(a) }
	return slices.ContainsFunc(el.ASAP.Addrs, ours) || slices.ContainsFunc(el.User.Addrs, ours)
}
