package asap

import (
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire"
)

// Error reports what was wrong with a message received earlier (RFC 5352
// section 2.2.14). It is never answered (ASAP-2.2.14-02).
type Error struct {
	Causes []protocol.Cause // one or more
}

// Type returns TypeError.
func (Error) Type() Type { return TypeError }

func (m Error) String() string { return m.Type().String() + causes(m.Causes) }

var errorLayout = wire.Layout{
	Need: wire.SetOf(wire.ParamOperationError),
	Many: wire.SetOf(wire.ParamOperationError),
}

func parseError(h wire.Header, r *wire.Report) (Message, error) {
	p, err := errorLayout.Parse(h.Body, r)
	if err != nil {
		return nil, err
	}
	return Error{Causes: p.Causes}, nil
}

func (m Error) write(w *wire.Writer) {
	if len(m.Causes) == 0 {
		w.Failf("an error message needs at least one cause")
	}
	w.Causes(m.Causes)
}
