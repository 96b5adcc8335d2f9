package enrp

import (
	"encoding/binary"
	"fmt"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire"
)

// Action is what a HandleUpdate does.
type Action uint16

// There are no other actions (ENRP-2.4-01).
const (
	AddPE Action = 0x0000
	DelPE Action = 0x0001
)

func (a Action) String() string {
	switch a {
	case AddPE:
		return "ADD_PE"
	case DelPE:
		return "DEL_PE"
	}
	return fmt.Sprintf("action %#04x", uint16(a))
}

// HandleUpdate tells all peers of a PE that came, changed or went (RFC 5353
// section 2.4). Element is complete for both actions, with its ASAP transport.
type HandleUpdate struct {
	Route
	Action  Action
	Handle  protocol.PoolHandle
	Element protocol.Element
}

// Type returns TypeHandleUpdate.
func (HandleUpdate) Type() Type { return TypeHandleUpdate }

func (m HandleUpdate) String() string {
	return fmt.Sprintf("%s %v %.40q %v", m.routed(m.Type()), m.Action, string(m.Handle), m.Element)
}

var updateLayout = wire.Layout{Need: wire.SetOf(wire.ParamPoolHandle, wire.ParamPoolElement)}

func parseHandleUpdate(in received) (Message, error) {
	p, err := updateLayout.Parse(in.params, in.report)
	if err != nil {
		return nil, err
	}
	action := Action(binary.BigEndian.Uint16(in.fixed)) // and 2 reserved bytes that mean nothing
	if action > DelPE {
		return nil, wire.Invalidf("Update Action is %#04x, only 0 (ADD_PE) and 1 (DEL_PE) exist", uint16(action)) // other actions make no sense (ENRP-2.4-01)
	}
	return HandleUpdate{Route: in.Route, Action: action, Handle: p.Handle, Element: p.Elements[0]}, nil
}

func (m HandleUpdate) write(w *wire.Writer) {
	if m.Action > DelPE {
		w.Failf("update %v does not exist", m.Action)
	}
	w.Uint16(uint16(m.Action))
	w.Uint16(0)
	w.Handle(m.Handle)
	w.Element(m.Element)
}
