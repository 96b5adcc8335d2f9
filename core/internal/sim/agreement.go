package sim

import (
	"slices"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// checkAgreement: equal handlespaces.
func (c *checks) checkAgreement() {
	if !c.calm(0) {
		return
	}
	for _, v := range c.views[min(1, len(c.views)):] {
		about := c.views[0].host.name + " and " + v.host.name
		who, values := difference(c.views[0], v)
		if who != "" {
			c.note(ill{what: "registrars disagree", a: v.host}, c.bounds.Agree, about+", "+who)
		}
		if values != "" {
			c.note(ill{what: "registrars disagree on values", a: v.host}, c.bounds.Values, about+", "+values)
		}
	}
}

// checkOwners: one live owner for every PE.
func (c *checks) checkOwners() {
	owners := map[elementKey]int{}
	for _, v := range c.views {
		for key, e := range v.all() {
			if e.Owned {
				owners[key]++
			}
		}
	}
	c.elements(func(h *Host, e *endpointProgram) {
		if len(c.views) > 0 && owners[elementKey{e.role.Handle, e.element.ID}] != 1 {
			c.note(ill{what: "not one owner", a: h}, c.bounds.Home, h.name)
		}
	})
}

// checkPeers: registrars know each other, and keep no associations that they
// have no use for.
func (c *checks) checkPeers() {
	alive := 0
	var want []protocol.ServerID
	for _, h := range c.w.hosts {
		if h.Alive() {
			alive++
		}
	}
	for _, v := range c.views {
		want = append(want, v.Server)
	}
	slices.Sort(want)
	for _, v := range c.views {
		have := []protocol.ServerID{v.Server}
		for _, p := range v.Peers {
			have = append(have, p.ID)
		}
		slices.Sort(have)
		if !slices.Equal(have, want) {
			c.note(ill{what: "does not know its peers", a: v.host}, c.bounds.Peers, v.host.name)
		}
		if v.Links > alive+len(c.views) {
			c.note(ill{what: "too many associations", a: v.host}, c.bounds.Peers, v.host.name)
		}
	}
}
