package enrp

import (
	"fmt"

	"github.com/librserpool/librserpool/core/internal/protocol"
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
