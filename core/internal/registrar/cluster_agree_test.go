package registrar

import (
	"slices"

	"github.com/google/go-cmp/cmp"
	"github.com/librserpool/librserpool/core/internal/protocol"
)

// table is a handlespace in a form that can be compared.
func (n *node) table() map[elementKey]protocol.ServerID {
	t := map[elementKey]protocol.ServerID{}
	for el := range n.r.space.Elements() {
		t[elementKey{el.Pool().Handle, el.ID}] = el.Home
	}
	return t
}

// wantAgreement: all live registrars hold the same, every live PE and no
// other, each owned by a live registrar; and their own books are in order.
func (c *cluster) wantAgreement() {
	c.Helper()
	want := map[elementKey]bool{}
	for _, p := range c.pes {
		if !p.dead {
			want[elementKey{p.handle, p.id}] = true
		}
	}
	var first *node
	for _, n := range c.nodes {
		if n.dead {
			continue
		}
		checkRegistrar(c, n.r)
		if first == nil {
			first = n
		}
		have := map[elementKey]bool{}
		for k, home := range n.table() {
			have[k] = true
			if !slices.ContainsFunc(c.nodes, func(m *node) bool { return !m.dead && m.r.id == home }) {
				c.Errorf("registrar %v: the home of PE %v is %v, which does not live", n.r.id, k.id, home)
			}
		}
		if diff := cmp.Diff(want, have); diff != "" {
			c.Errorf("registrar %v (-PEs that live +what it knows):\n%s", n.r.id, diff)
		}
		if diff := cmp.Diff(first.table(), n.table()); diff != "" {
			c.Errorf("registrars %v and %v differ:\n%s", first.r.id, n.r.id, diff)
		}
		for _, m := range c.nodes {
			if !m.dead && m != n && n.r.peers.byID[m.r.id] == nil {
				c.Errorf("registrar %v does not know %v", n.r.id, m.r.id)
			}
		}
		for _, p := range n.r.peers.list {
			if !slices.ContainsFunc(c.nodes, func(m *node) bool { return !m.dead && m.r.id == p.id }) {
				c.Errorf("registrar %v still knows %v, which does not live", n.r.id, p.id)
			}
		}
	}
}
