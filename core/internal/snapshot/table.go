// Package snapshot makes bytes of what a registrar knows: a handle table in the
// parts in which it is downloaded, and the state file for the registrar that is
// started after it.
package snapshot

import (
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/registrar"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// MaxPart bounds the entries of one response, in bytes; a message has 65,535
// at most.
const MaxPart = 48 << 10

// Table is the rest of a handlespace on its way to somebody who asked for it.
type Table struct{ rest []enrp.PoolEntry }

// NewTable takes a picture of the handlespace: all of it, or what the
// registrar owns (ENRP-2.2-01).
func NewTable(v registrar.View, ownOnly bool) *Table {
	t := &Table{}
	for _, p := range v.Pools {
		e := enrp.PoolEntry{Handle: p.Handle}
		for _, el := range p.Elements {
			if !ownOnly || el.Owned {
				e.Elements = append(e.Elements, el.Element)
			}
		}
		if len(e.Elements) > 0 {
			t.rest = append(t.rest, e)
		}
	}
	return t
}

// Part takes the next entries, at least one element, and no more than limit
// bytes unless that one is larger. A pool may go on in the next part under the
// same handle (ENRP-2.3-03, ENRP-3.2-11).
func (t *Table) Part(limit int) (part []enrp.PoolEntry, more bool) {
	size := 0
	for len(t.rest) > 0 {
		pool := &t.rest[0]
		size += 8 + len(pool.Handle)
		n := 0
		for n < len(pool.Elements) {
			size += elementSize(pool.Elements[n])
			if size > limit && (n > 0 || len(part) > 0) {
				break
			}
			n++
		}
		if n > 0 {
			part = append(part, enrp.PoolEntry{Handle: pool.Handle, Elements: pool.Elements[:n]})
		}
		if n < len(pool.Elements) {
			pool.Elements = pool.Elements[n:]
			return part, true
		}
		t.rest = t.rest[1:]
	}
	return part, false
}

// elementSize is the most that an element takes on the wire.
func elementSize(e protocol.Element) int {
	return 16 + transportSize(e.User) + transportSize(e.ASAP) + 16 + len(e.Policy.Private)
}

func transportSize(t protocol.Transport) int { return 12 + 20*len(t.Addrs) + len(t.Opaque) }
