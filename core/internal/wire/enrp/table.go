package enrp

import (
	"fmt"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire"
)

// HandleTableRequest asks for (the next part of) the handlespace (RFC 5353
// section 2.2).
type HandleTableRequest struct {
	Route
	OwnChildrenOnly bool // W: only PEs whose home is the receiver (ENRP-2.2-01)
}

// HandleTableResponse carries a part of the handlespace (RFC 5353 section
// 2.3). A pool may go on in the next part under the same handle (ENRP-2.3-03).
type HandleTableResponse struct {
	Route
	Rejected bool // R; then there are no entries (ENRP-2.3-01)
	More     bool // M: ask again, there is more
	Entries  []PoolEntry
}

// PoolEntry is a pool, or some of it: one or more of its elements.
type PoolEntry struct {
	Handle   protocol.PoolHandle
	Elements []protocol.Element
}

// Type returns TypeHandleTableRequest.
func (HandleTableRequest) Type() Type { return TypeHandleTableRequest }

// Type returns TypeHandleTableResponse.
func (HandleTableResponse) Type() Type { return TypeHandleTableResponse }

func (m HandleTableRequest) String() string {
	return m.routed(m.Type()) + flag(m.OwnChildrenOnly, "own children only")
}

func (m HandleTableResponse) String() string {
	elements := 0
	for _, e := range m.Entries {
		elements += len(e.Elements)
	}
	return fmt.Sprintf("%s %d pools %d PEs%s%s", m.routed(m.Type()), len(m.Entries), elements,
		flag(m.Rejected, "rejected"), flag(m.More, "more to come"))
}

// W, R and M.
const (
	flagOwnChildrenOnly = 0x01
	flagTableRejected   = 0x01
	flagMore            = 0x02
)

func parseHandleTableRequest(in received) (Message, error) {
	if _, err := nothing.Parse(in.params, in.report); err != nil {
		return nil, err
	}
	return HandleTableRequest{Route: in.Route, OwnChildrenOnly: in.Flag(flagOwnChildrenOnly)}, nil
}

func (m HandleTableRequest) write(w *wire.Writer) { w.Flag(flagOwnChildrenOnly, m.OwnChildrenOnly) }

func parseHandleTableResponse(in received) (Message, error) {
	entries, err := parseEntries(in.params, in.report)
	if err != nil {
		return nil, err
	}
	return HandleTableResponse{
		Route:    in.Route,
		Rejected: in.Flag(flagTableRejected),
		More:     in.Flag(flagMore),
		Entries:  entries,
	}, nil
}

// parseEntries reads pool entries: here the order counts, elements belong to
// the handle before them (ENRP-2.3-03). A handle without elements says nothing
// and is skipped.
func parseEntries(params []byte, report *wire.Report) ([]PoolEntry, error) {
	var entries []PoolEntry
	var handle protocol.PoolHandle
	fresh := false // no element has followed handle yet
	err := wire.Walk(params, report, func(t wire.TLV) (err error) {
		switch t.Type {
		case wire.ParamPoolHandle:
			handle, err = wire.ParseHandle(t)
			fresh = true
		case wire.ParamPoolElement:
			if handle == "" {
				return wire.Invalidf("stands before any %v", wire.ParamPoolHandle)
			}
			e, err := wire.ParseElement(t, report)
			if err != nil {
				return err
			}
			if fresh {
				entries = append(entries, PoolEntry{Handle: handle})
				fresh = false
			}
			last := &entries[len(entries)-1]
			last.Elements = append(last.Elements, e)
		}
		return err
	})
	return entries, err
}

func (m HandleTableResponse) write(w *wire.Writer) {
	w.Flag(flagTableRejected, m.Rejected)
	w.Flag(flagMore, m.More)
	for _, entry := range m.Entries {
		if len(entry.Elements) == 0 {
			w.Failf("the entry of pool %.40q needs at least one pool element", string(entry.Handle))
		}
		w.Handle(entry.Handle)
		for _, e := range entry.Elements {
			w.Element(e)
		}
	}
}
