package asap

import (
	"fmt"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// Deregistration takes a PE out of its pool (RFC 5352 section 2.2.2).
type Deregistration struct {
	Handle protocol.PoolHandle
	ID     protocol.PEID
}

// DeregistrationResponse answers a Deregistration or tells a PE that its
// registration life is over (RFC 5352 section 2.2.4, ASAP-2.2.4-01). Causes
// are there only if it was refused: there is no flag for it (ASAP-2.2.4-02).
type DeregistrationResponse struct {
	Handle protocol.PoolHandle
	ID     protocol.PEID
	Causes []protocol.Cause
}

// Type returns TypeDeregistration.
func (Deregistration) Type() Type { return TypeDeregistration }

// Type returns TypeDeregistrationResponse.
func (DeregistrationResponse) Type() Type { return TypeDeregistrationResponse }

func (m Deregistration) String() string {
	return fmt.Sprintf("%s PE %v", named(m.Type(), m.Handle), m.ID)
}

func (m DeregistrationResponse) String() string {
	return fmt.Sprintf("%s PE %v%s", named(m.Type(), m.Handle), m.ID, causes(m.Causes))
}
