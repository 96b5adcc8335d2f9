package asap

import (
	"fmt"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire"
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

var businessCardLayout = wire.Layout{
	Need: wire.SetOf(wire.ParamPoolHandle, wire.ParamPoolElement),
	Many: wire.SetOf(wire.ParamPoolElement),
}

func parseBusinessCard(h wire.Header, r *wire.Report) (Message, error) {
	p, err := businessCardLayout.Parse(h.Body, r)
	if err != nil {
		return nil, err
	}
	return BusinessCard{Handle: p.Handle, Elements: p.Elements}, nil
}

func (m BusinessCard) write(w *wire.Writer) {
	if len(m.Elements) == 0 {
		w.Failf("a business card needs at least one pool element")
	}
	w.Handle(m.Handle)
	for _, e := range m.Elements {
		w.Element(e)
	}
}
