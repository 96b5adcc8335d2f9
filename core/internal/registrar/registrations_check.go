package registrar

import (
	"net/netip"
	"slices"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// examine returns the causes for which a registration has to be rejected.
func (rs *registrations) examine(l *link, m asap.Registration) []protocol.Cause {
	if l.Channel != ASAPOverSCTP { // the only one for registrations (ASAP-2.1-01)
		return []protocol.Cause{{Code: protocol.CauseRejectedForSecurity}}
	}
	if c, bad := rs.invalid(l, m.Element); bad {
		return []protocol.Cause{c}
	}
	if causes := rs.space.Check(m.Handle, m.Element); len(causes) > 0 {
		return causes
	}
	el := rs.space.Element(m.Handle, m.Element.ID)
	switch {
	case el == nil && len(m.Handle) > rs.cfg.Limits.Handle:
		return []protocol.Cause{wire.InvalidHandle(m.Handle)}
	case el == nil && rs.elements.full(m.Handle), len(l.addrs) == 0:
		return []protocol.Cause{{Code: protocol.CauseLackOfResources}}
	case el != nil && collides(el, l, m.Element):
		return []protocol.Cause{{Code: protocol.CauseNonUniquePEID}}
	}
	return nil
}

// invalid finds values that no registration may have (ASAP-3.1-25).
func (rs *registrations) invalid(l *link, e protocol.Element) (cause protocol.Cause, bad bool) {
	switch {
	case e.ID == 0, e.Life == 0, e.Life < protocol.LifeInfinite && !rs.cfg.Interop.LifeInMilliseconds: // there are no such lives (ASAP-3.1-30)
		return wire.InvalidElement(e), true
	case !e.Policy.Type.Known(): // we could not select by it (POL-7-02)
		return wire.InvalidPolicy(e.Policy), true
	case slices.ContainsFunc(e.User.Addrs, func(a netip.Addr) bool { return !rs.mayHave(l, a) }):
		// Some address is not one of the PE's (ASAP-2.2.1-02).
		return wire.InvalidElement(e), true
	}
	return protocol.Cause{}, false
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
func (rs *registrations) shorten(e *protocol.Element) []protocol.Cause {
	limit := rs.lifeUnits(rs.cfg.Limits.Life)
	if limit <= 0 || e.Life != protocol.LifeInfinite && e.Life <= limit {
		return nil
	}
	warning := wire.InvalidElement(*e)
	e.Life = limit
	if rs.cfg.Interop.NoWarnings {
		return nil
	}
	return []protocol.Cause{warning}
}

// mayHave says whether a PE behind l may register the address: one of its
// association (ASAP-2.2.1-02), of this host if it is on it, or one that the operator
// lets PEs advertise, because they are behind a NAT.
func (rs *registrations) mayHave(l *link, a netip.Addr) bool {
	return l.hasAddr(a) || slices.Contains(l.host, a.Unmap()) ||
		slices.ContainsFunc(rs.cfg.Accept, func(p netip.Prefix) bool { return p.Contains(a.Unmap()) })
}
