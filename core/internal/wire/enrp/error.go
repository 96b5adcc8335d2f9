package enrp

import (
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire"
)

// Error reports what was wrong with a message received earlier (RFC 5353
// section 2.10). It is never answered. Do not rely on its route: RSPLIB sends
// back the one of the bad message.
type Error struct {
	Route
	Causes []protocol.Cause // one or more
}

// Type returns TypeError.
func (Error) Type() Type { return TypeError }

func (m Error) String() string {
	s := m.routed(m.Type())
	for _, c := range m.Causes {
		s += ", " + c.String()
	}
	return s
}

var errorLayout = wire.Layout{
	Need: wire.SetOf(wire.ParamOperationError),
	Many: wire.SetOf(wire.ParamOperationError),
}

func parseError(in received) (Message, error) {
	p, err := errorLayout.Parse(in.params, in.report)
	if err != nil {
		return nil, err
	}
	return Error{Route: in.Route, Causes: p.Causes}, nil
}

func (m Error) write(w *wire.Writer) {
	if len(m.Causes) == 0 {
		w.Failf("an error message needs at least one cause")
	}
	w.Causes(m.Causes)
}
