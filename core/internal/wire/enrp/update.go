package enrp

import (
	"fmt"

	"github.com/librserpool/librserpool/core/internal/protocol"
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
