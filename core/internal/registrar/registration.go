package registrar

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// handleRegistration takes a PE in or renews it (RFC 5352 section 3.1), and
// always answers (ASAP-3.1-26).
func (r *Registrar) handleRegistration(now time.Time, l *link, m asap.Registration) {
	causes := r.examine(l, m)
	if len(causes) > 0 {
		r.counts.Rejected++
		r.emit(Log{Level: Info, Msg: "registration rejected: " + r.whyRejected(m, causes[0]), Handle: m.Handle, PE: m.Element.ID, At: l.addrs, Link: l.Link})
		r.emit(SendASAP{Link: l.Link, Message: asap.RegistrationResponse{Rejected: true, Handle: m.Handle, ID: m.Element.ID, Causes: causes}})
		return
	}
	e := m.Element
	warning := r.shorten(&e)
	// What the PE says about its home and its ASAP endpoint does not count:
	// the home is here from now on (ASAP-3.1-23, ASAP-3.1-31), the endpoint
	// is where the registration came from (ASAP-3.1-24, ASAP-3.1-09).
	e.Home, e.ASAP = r.id, l.transport
	r.replaceFormer(now, l, m)
	if r.space.Element(m.Handle, e.ID) == nil {
		r.logJoined(m.Handle, e)
	}
	el, visible := r.put(m.Handle, e)
	r.closeOffer(el)
	r.own(now, el, l)
	r.counts.Registered++
	r.emit(SendASAP{Link: l.Link, Message: asap.RegistrationResponse{Handle: m.Handle, ID: e.ID, Causes: warning}})
	r.announce(enrp.AddPE, el)
	if visible {
		r.poolChanged(now, m.Handle)
	}
	r.offerWhileLeaving(now, el)
}

// replaceFormer removes PEs whose process was restarted: their association was
// lost or restarted, they are being asked over the very one that another PE now
// registers over, and that one serves where they did.
func (r *Registrar) replaceFormer(now time.Time, l *link, m asap.Registration) {
	for _, mon := range slices.Clone(l.asked.items) {
		if mon.link == nil && mon.el.Pool().Handle == m.Handle && mon.el.ID != m.Element.ID && sameTransport(mon.el.User, m.Element.User) {
			r.remove(now, mon.el, "PE was restarted under another identifier, removed")
		}
	}
}

func (r *Registrar) logJoined(h protocol.PoolHandle, e protocol.Element) {
	r.emit(Log{Level: Info, Msg: "PE joined", Handle: h, PE: e.ID, At: e.User.AddrPorts(), Server: e.Home})
}

func (r *Registrar) whyRejected(m asap.Registration, c protocol.Cause) string {
	if c.Code == protocol.CauseInvalidValues && len(m.Handle) > r.cfg.Limits.Handle {
		return fmt.Sprintf("a pool handle of %d bytes, longer than %d", len(m.Handle), r.cfg.Limits.Handle)
	}
	return c.Code.String()
}

// put stores an element; visible says whether a PU would see the difference.
func (r *Registrar) put(h protocol.PoolHandle, e protocol.Element) (el *element, visible bool) {
	before, known := protocol.Element{}, false
	if el := r.space.Element(h, e.ID); el != nil {
		before, known = el.Element, true
	}
	el, _ = r.space.Put(h, e)
	return el, !known || before.Policy != e.Policy || !sameTransport(before.User, e.User)
}

func sameTransport(a, b protocol.Transport) bool {
	return a.Protocol == b.Protocol && a.Port == b.Port && a.Use == b.Use && a.ServiceCode == b.ServiceCode &&
		a.Opaque == b.Opaque && slices.Equal(a.Addrs, b.Addrs)
}

// own begins or renews the supervision of a PE that registered over l.
func (r *Registrar) own(now time.Time, el *element, l *link) {
	mon := r.monitorOf(el)
	mon.reports = 0 // ASAP-3.5-10
	r.attach(now, mon, l)
	r.setLife(now, mon)
	r.alive(now, mon, l)
}

// examine returns the causes for which a registration has to be rejected.
func (r *Registrar) examine(l *link, m asap.Registration) []protocol.Cause {
	if l.Channel != ASAPOverSCTP {
		// Registrations come over SCTP only (ASAP-2.1-01).
		return []protocol.Cause{{Code: protocol.CauseRejectedForSecurity}}
	}
	if c, bad := r.invalid(l, m.Element); bad {
		return []protocol.Cause{c}
	}
	if causes := r.space.Check(m.Handle, m.Element); len(causes) > 0 {
		return causes
	}
	el := r.space.Element(m.Handle, m.Element.ID)
	switch {
	case el == nil && len(m.Handle) > r.cfg.Limits.Handle:
		return []protocol.Cause{wire.InvalidHandle(m.Handle)}
	case el == nil && r.full(m.Handle), len(l.addrs) == 0:
		return []protocol.Cause{{Code: protocol.CauseLackOfResources}}
	case el != nil && collides(el, l, m.Element):
		return []protocol.Cause{{Code: protocol.CauseNonUniquePEID}}
	}
	return nil
}

// invalid finds values that no registration may have (ASAP-3.1-25).
func (r *Registrar) invalid(l *link, e protocol.Element) (cause protocol.Cause, bad bool) {
	switch {
	case e.ID == 0, e.Life == 0, e.Life < protocol.LifeInfinite && !r.cfg.Interop.LifeInMilliseconds: // ASAP-3.1-30
		return wire.InvalidElement(e), true
	case !e.Policy.Type.Known(): // POL-7-02
		return wire.InvalidPolicy(e.Policy), true
	case slices.ContainsFunc(e.User.Addrs, func(a netip.Addr) bool { return !r.mayHave(l, a) }):
		// ASAP-2.2.1-02
		return wire.InvalidElement(e), true
	}
	return protocol.Cause{}, false
}

// full says whether one more PE, or pool, would be too many.
func (r *Registrar) full(h protocol.PoolHandle) bool {
	pools, elements := r.space.Len()
	limits := r.cfg.Limits
	return elements >= limits.Elements || r.space.Pool(h) == nil && pools >= limits.Pools
}

// collides tells another PE with the same identifier from one that registers
// again: that one comes over the same association, or its old one is gone, or
// it serves at the same place (ASAP-3.1-22, E-14).
func collides(el *element, l *link, e protocol.Element) bool {
	mon := el.State.monitor
	return mon != nil && mon.link != nil && mon.link != l && !sameTransport(el.User, e.User)
}

// shorten limits the registration life and returns the warning that goes with
// it (ASAP-3.1-30, ASAP-2.2.3-01).
func (r *Registrar) shorten(e *protocol.Element) []protocol.Cause {
	limit := r.lifeUnits(r.cfg.Limits.Life)
	if limit <= 0 || e.Life != protocol.LifeInfinite && e.Life <= limit {
		return nil
	}
	warning := wire.InvalidElement(*e)
	e.Life = limit
	if r.cfg.Interop.NoWarnings {
		return nil
	}
	return []protocol.Cause{warning}
}
