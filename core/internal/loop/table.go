package loop

import (
	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/snapshot"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// Operators ask a registrar what it knows with ENRP's HANDLE_TABLE_REQUEST, by
// the rules for mentors (RFC 5353 section 3.2.3), on the ENRP endpoint or on
// the ASAP endpoint. They have no server identifier: Sender is 0, and that is
// what tells them from peers.

// maxTables bounds the downloads that go on at a time.
const maxTables = 64

// newTable is what the registrar knows now; nil if there are too many downloads,
// or if it is starting and does not know all (ENRP-3.2-17).
func (r *Registrar) newTable(ownOnly bool) *snapshot.Table {
	if len(r.tables) == maxTables {
		return nil
	}
	v := r.machine.Snapshot(now())
	if !v.Serving {
		return nil
	}
	return snapshot.NewTable(v, ownOnly)
}

// handleQuery answers an operator.
func (r *Registrar) handleQuery(ch *channel, id assoc.ID, m enrp.HandleTableRequest) {
	link := ch.Link(id)
	answer := enrp.HandleTableResponse{Route: enrp.Route{Sender: r.machine.ID()}}
	t := r.tables[link]
	if t == nil {
		t = r.newTable(m.OwnChildrenOnly)
	}
	if answer.Rejected = t == nil; t != nil {
		answer.Entries, answer.More = t.Part(snapshot.MaxPart)
		r.tables[link] = t
	}
	if !answer.More {
		delete(r.tables, link) // the last part closes the session (ENRP-3.2-10)
	}
	b, err := enrp.Append(nil, answer)
	if err == nil {
		err = ch.port.SendControl(id, protocol.PPIDENRP, b)
	}
	if err != nil {
		r.log.Debug("cannot answer an operator", "err", err)
	}
}
