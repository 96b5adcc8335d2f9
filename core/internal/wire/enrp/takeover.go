package enrp

import (
	"fmt"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// InitTakeover announces that the sender wants to take over the PEs of Target,
// which it thinks dead (RFC 5353 section 2.7).
type InitTakeover struct {
	Route
	Target protocol.ServerID
}

// InitTakeoverAck agrees to an InitTakeover (RFC 5353 section 2.8).
type InitTakeoverAck struct {
	Route
	Target protocol.ServerID
}

// TakeoverServer says that the sender has taken over Target (RFC 5353 section
// 2.9).
type TakeoverServer struct {
	Route
	Target protocol.ServerID
}

// Type returns TypeInitTakeover.
func (InitTakeover) Type() Type { return TypeInitTakeover }

// Type returns TypeInitTakeoverAck.
func (InitTakeoverAck) Type() Type { return TypeInitTakeoverAck }

// Type returns TypeTakeoverServer.
func (TakeoverServer) Type() Type { return TypeTakeoverServer }

func (m InitTakeover) String() string { return m.targeted(m.Type(), m.Target) }

func (m InitTakeoverAck) String() string { return m.targeted(m.Type(), m.Target) }

func (m TakeoverServer) String() string { return m.targeted(m.Type(), m.Target) }

func (r Route) targeted(t Type, target protocol.ServerID) string {
	return fmt.Sprintf("%s of registrar %v", r.routed(t), target)
}
