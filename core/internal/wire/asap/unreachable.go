package asap

import (
	"fmt"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// EndpointUnreachable reports a PE that could not be reached (RFC 5352
// section 2.2.9).
type EndpointUnreachable struct {
	Handle protocol.PoolHandle
	ID     protocol.PEID
}

// Type returns TypeEndpointUnreachable.
func (EndpointUnreachable) Type() Type { return TypeEndpointUnreachable }

func (m EndpointUnreachable) String() string {
	return fmt.Sprintf("%s PE %v", named(m.Type(), m.Handle), m.ID)
}
