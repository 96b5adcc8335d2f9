package registrar

import (
	"fmt"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// registrations takes PEs in and out at their own request.
type registrations struct {
	*core
	elements    *elements
	monitors    *monitors
	subscribers *subscribers
	peers       *peers
	handover    *handover
}

// register takes a PE in or renews it (RFC 5352 section 3.1), and always answers
// (ASAP-3.1-26).
func (rs *registrations) register(now time.Time, l *link, m asap.Registration) {
	if causes := rs.examine(l, m); len(causes) > 0 {
		rs.reject(l, m, causes)
		return
	}
	e := m.Element
	warning := rs.shorten(&e)
	// What the PE says about its home and its ASAP endpoint does not count:
	// the home is here from now on (ASAP-3.1-23, ASAP-3.1-31), the endpoint
	// is where the registration came from (ASAP-3.1-24, ASAP-3.1-09).
	e.Home, e.ASAP = rs.id, l.transport
	rs.replaceFormer(now, l, m)
	if rs.space.Element(m.Handle, e.ID) == nil {
		rs.elements.logJoined(m.Handle, e)
	}
	el, visible := rs.elements.put(m.Handle, e)
	rs.handover.closeOffer(el)
	rs.monitors.own(now, el, l)
	rs.counts.Registered++
	rs.emit(SendASAP{Link: l.Link, Message: asap.RegistrationResponse{Handle: m.Handle, ID: e.ID, Causes: warning}})
	rs.peers.announce(enrp.AddPE, el)
	if visible {
		rs.subscribers.poolChanged(now, m.Handle)
	}
	rs.handover.offerWhileLeaving(now, el)
}

func (rs *registrations) reject(l *link, m asap.Registration, causes []protocol.Cause) {
	rs.counts.Rejected++
	rs.emit(Log{Level: Info, Msg: "registration rejected: " + rs.whyRejected(m, causes[0]), Handle: m.Handle, PE: m.Element.ID, At: l.addrs, Link: l.Link})
	rs.emit(SendASAP{Link: l.Link, Message: asap.RegistrationResponse{Rejected: true, Handle: m.Handle, ID: m.Element.ID, Causes: causes}})
}

func (rs *registrations) whyRejected(m asap.Registration, c protocol.Cause) string {
	if c.Code == protocol.CauseInvalidValues && len(m.Handle) > rs.cfg.Limits.Handle {
		return fmt.Sprintf("a pool handle of %d bytes, longer than %d", len(m.Handle), rs.cfg.Limits.Handle)
	}
	return c.Code.String()
}

// replaceFormer removes PEs whose process was restarted: their association was
// lost or restarted, they are being asked over the very one that another PE now
// registers over, and that one serves where they did.
func (rs *registrations) replaceFormer(now time.Time, l *link, m asap.Registration) {
	for _, mon := range slices.Clone(l.asked.items) {
		if mon.link == nil && mon.el.Pool().Handle == m.Handle && mon.el.ID != m.Element.ID && sameTransport(mon.el.User, m.Element.User) {
			rs.elements.remove(now, mon.el, "PE was restarted under another identifier, removed")
		}
	}
}
