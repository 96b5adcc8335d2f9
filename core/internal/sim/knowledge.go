package sim

import (
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// checkBeginning: a registrar that begins to serve, without a fault shortly before it was
// started or since, knows all that every other one has known since before, whichever gave it the
// table.
func (c *checks) checkBeginning(v view, r *registrarProgram) {
	if !r.calmly || !c.calm(0) || c.disturbed.After(r.began) || !r.downloaded {
		return
	}
	c.elements(func(h *Host, e *endpointProgram) {
		key := elementKey{e.role.Handle, e.element.ID}
		if _, here := v.elements[key]; !here && e.registered && c.knownBefore(key, v.host, r.began.Add(-updateTime)) {
			c.w.fail("%s begins to serve without %s, which all others know", v.host.name, h.name)
		}
	})
}

// knownBefore says whether all registrars that serve, but one, and there are such, have
// known a PE since before a time.
func (c *checks) knownBefore(key elementKey, but *Host, before time.Time) bool {
	others := 0
	for _, o := range c.views {
		if o.host == but || !o.Serving {
			continue
		}
		since, known := c.known[knowledge{o.host, key}]
		if !known || since.After(before) {
			return false
		}
		others++
	}
	return others > 0
}

// knowledge is that a registrar knows a PE.
type knowledge struct {
	who *Host
	key elementKey
}

// noteKnowledge notes since when registrars know what they know.
func (c *checks) noteKnowledge() {
	known := map[knowledge]time.Time{}
	for _, v := range c.views {
		for key := range v.all() {
			k := knowledge{v.host, key}
			if known[k] = c.w.now; !c.known[k].IsZero() {
				known[k] = c.known[k]
			}
		}
	}
	c.known = known
}

// checkRemovals: in calm, an owner that has removed a PE has told its peers.
func (c *checks) checkRemovals() {
	owned := map[elementKey]protocol.ServerID{}
	for _, v := range c.views {
		for key, e := range v.all() {
			if e.Owned {
				owned[key] = v.Server
			}
		}
	}
	for _, v := range c.views {
		for key, e := range v.all() {
			was, known := c.owned[key]
			if _, still := owned[key]; !still && known && e.Home == was && c.serves(was) {
				i := ill{what: "is not told that a PE is gone", a: v.host, handle: key.handle, id: uint64(key.id)}
				c.note(i, toldTime, e.ID.String()+" at "+v.host.name)
			}
		}
	}
	if !c.calm(0) {
		c.owned = map[elementKey]protocol.ServerID{}
		return
	}
	for key, owner := range owned { // any order: each by itself
		c.owned[key] = owner
	}
}

// toldTime is longer than an update takes, and than a sample.
const toldTime = 4 * time.Second

// serves says whether a registrar of that identifier does.
func (c *checks) serves(id protocol.ServerID) bool {
	return slices.ContainsFunc(c.views, func(v view) bool { return v.Server == id })
}
