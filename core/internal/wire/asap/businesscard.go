package asap

import (
	"fmt"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// BusinessCard says to which pool its sender belongs and which PEs to fail
// over to, in order of preference (RFC 5352 section 2.2.13).
type BusinessCard struct {
	Handle   protocol.PoolHandle
	Elements []protocol.Element // one or more
}

// Type returns TypeBusinessCard.
func (BusinessCard) Type() Type { return TypeBusinessCard }

func (m BusinessCard) String() string {
	return fmt.Sprintf("%s %d PEs", named(m.Type(), m.Handle), len(m.Elements))
}
