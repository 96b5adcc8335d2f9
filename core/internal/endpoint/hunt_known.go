package endpoint

import (
	"net/netip"
	"slices"
	"time"
)

// candidate is one known registrar, which may become home.
type candidate struct {
	addrs  []netip.AddrPort
	static bool // configured: never expires (ASAP-3.6-07)
	named  bool // by a name that has this address

	// Announced ones.
	source    netip.Addr // who said so
	confirmed bool       // announced more than once, or it has been home
	expired   bool       // to be removed when it is not busy any more
	expire    timer

	busy      bool      // being tried, or home
	notBefore time.Time // when it may be tried again
	refusals  int       // that came in a row
	failed    bool      // tried in vain in this round
	sentAway  bool      // it has told us that no registrar is there
	err       error     // why it failed; nil when T5 ended the attempt
}

// add makes a configured registrar known.
func (h *hunt) add(addrs []netip.AddrPort) { h.addConfigured(addrs, false) }

// addConfigured makes a registrar known for as long as it is configured,
// perhaps by a name (named) that has its address.
func (h *hunt) addConfigured(addrs []netip.AddrPort, named bool) {
	addrs = usable(addrs)
	if len(addrs) == 0 {
		return
	}
	c := h.candidateAt(addrs)
	if c == nil {
		c = &candidate{addrs: addrs}
		h.insert(c)
	}
	if !c.static { // or else its address is configured, too
		c.static, c.named, c.expired = true, named, false
		h.timers.Stop(&c.expire)
	}
}

// insert puts a newcomer in front of those that have failed in this round.
func (h *hunt) insert(c *candidate) {
	c.expire.Value = func(now time.Time) { h.expireDue(now, c) }
	h.known = slices.Insert(h.known, 0, c)
}

// addHome notes the registrar that took us over and was not known before, as one
// that was announced; nil if there are too many.
func (h *hunt) addHome(addrs []netip.AddrPort) *candidate {
	if addrs = usable(addrs); len(addrs) == 0 || !h.makeRoom(addrs[0].Addr()) {
		return nil
	}
	c := &candidate{addrs: addrs, source: addrs[0].Addr(), confirmed: true}
	h.insert(c)
	return c
}

// release ends the use of a candidate.
func (h *hunt) release(c *candidate) {
	if c == nil {
		return
	}
	c.busy = false
	h.forgetExpired()
}

// forgetExpired removes what expired while it was in use.
func (h *hunt) forgetExpired() {
	for _, c := range slices.Clone(h.known) {
		if c.expired && !c.busy {
			h.forget(c)
		}
	}
}

func (h *hunt) forget(c *candidate) {
	h.timers.Stop(&c.expire)
	h.known = slices.DeleteFunc(h.known, func(k *candidate) bool { return k == c })
}

// candidateAt returns the registrar that has one of the addresses.
func (h *hunt) candidateAt(addrs []netip.AddrPort) *candidate {
	for _, c := range h.known {
		for _, a := range addrs {
			if slices.Contains(c.addrs, netip.AddrPortFrom(a.Addr().Unmap(), a.Port())) {
				return c
			}
		}
	}
	return nil
}

// usable returns the addresses that can be connected to.
func usable(addrs []netip.AddrPort) []netip.AddrPort {
	var out []netip.AddrPort
	for _, a := range addrs {
		ip := a.Addr().Unmap()
		if len(out) < maxAddrs && ip.IsValid() && !ip.IsUnspecified() && !ip.IsMulticast() && a.Port() != 0 {
			out = append(out, netip.AddrPortFrom(ip, a.Port()))
		}
	}
	return out
}
