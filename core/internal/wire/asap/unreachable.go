package asap

import (
	"fmt"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire"
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

func parseEndpointUnreachable(h wire.Header, r *wire.Report) (Message, error) {
	p, err := peLayout.Parse(h.Body, r)
	if err != nil {
		return nil, err
	}
	return EndpointUnreachable{Handle: p.Handle, ID: p.ID}, nil
}

func (m EndpointUnreachable) write(w *wire.Writer) {
	w.Handle(m.Handle)
	w.PEIdentifier(m.ID)
}
