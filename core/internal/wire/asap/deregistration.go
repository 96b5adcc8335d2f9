package asap

import (
	"fmt"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire"
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

func parseDeregistration(h wire.Header, r *wire.Report) (Message, error) {
	p, err := peLayout.Parse(h.Body, r)
	if err != nil {
		return nil, err
	}
	return Deregistration{Handle: p.Handle, ID: p.ID}, nil
}

func (m Deregistration) write(w *wire.Writer) {
	w.Handle(m.Handle)
	w.PEIdentifier(m.ID)
}

func parseDeregistrationResponse(h wire.Header, r *wire.Report) (Message, error) {
	p, err := responseLayout.Parse(h.Body, r)
	if err != nil {
		return nil, err
	}
	return DeregistrationResponse{Handle: p.Handle, ID: p.ID, Causes: p.Causes}, nil
}

func (m DeregistrationResponse) write(w *wire.Writer) {
	w.Handle(m.Handle)
	w.PEIdentifier(m.ID)
	w.Causes(m.Causes)
}
