package loop

import (
	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/registrar"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// Operators ask a registrar what it knows with ENRP's HANDLE_TABLE_REQUEST, by
// the rules for mentors (RFC 5353 section 3.2.3), on the ENRP endpoint or on
// the ASAP endpoint. They have no server identifier: Sender is 0, and that is
// what tells them from peers.

// maxPart bounds the entries of one response, in bytes; a message has 65,535
// at most.
const maxPart = 48 << 10

// maxTables bounds the downloads that go on at a time.
const maxTables = 64

// table is the rest of a handlespace on its way to somebody who asked for it.
type table struct{ rest []enrp.PoolEntry }

// newTable takes a picture of the handlespace: all of it, or what the
// registrar owns (ENRP-2.2-01).
func newTable(v registrar.View, ownOnly bool) *table {
	t := &table{}
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

// part takes the next entries, at least one element, and no more than limit
// bytes unless that one is larger. A pool may go on in the next part under the
// same handle (ENRP-2.3-03, ENRP-3.2-11).
func (t *table) part(limit int) (part []enrp.PoolEntry, more bool) {
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

// handleQuery answers an operator.
func (r *Registrar) handleQuery(ch *channel, id assoc.ID, m enrp.HandleTableRequest) {
	link := ch.named(id)
	answer := enrp.HandleTableResponse{Route: enrp.Route{Sender: r.machine.ID()}}
	t := r.tables[link]
	switch {
	case t == nil && len(r.tables) == maxTables:
		answer.Rejected = true // ENRP-3.2-17
	case t == nil:
		t = newTable(r.machine.Snapshot(now()), m.OwnChildrenOnly)
		fallthrough
	default:
		answer.Entries, answer.More = t.part(maxPart)
		r.tables[link] = t
	}
	if !answer.More {
		delete(r.tables, link) // ENRP-3.2-10
	}
	b, err := enrp.Append(nil, answer)
	if err == nil {
		err = ch.port.SendControl(id, protocol.PPIDENRP, b)
	}
	if err != nil {
		r.log.Debug("cannot answer an operator", "err", err)
	}
}
