package asap

import (
	"fmt"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// AllItems in HandleResolution.Items asks for as many PEs as possible.
const AllItems uint32 = 0xffffffff

// HandleResolution asks for the PEs of a pool (RFC 5352 section 2.2.5).
type HandleResolution struct {
	Subscribe bool // S: send updates as long as the association lives
	Handle    protocol.PoolHandle
	Items     uint32 // how many PEs are wanted (handle resolution option); 0 = not said
}

// HandleResolutionResponse answers a HandleResolution, or updates a subscriber
// (RFC 5352 section 2.2.6). It is negative if and only if it has Causes,
// whatever they are (ASAP-2.2.6-06).
type HandleResolutionResponse struct {
	UpdatesAccepted bool // A
	Handle          protocol.PoolHandle
	Policy          protocol.Policy // of the pool; never to be taken from Elements (ASAP-2.2.6-03)
	HasPolicy       bool            // without it the pool's policy is Round Robin (ASAP-2.2.6-02)
	Elements        []protocol.Element
	Causes          []protocol.Cause
}

// Type returns TypeHandleResolution.
func (HandleResolution) Type() Type { return TypeHandleResolution }

// Type returns TypeHandleResolutionResponse.
func (HandleResolutionResponse) Type() Type { return TypeHandleResolutionResponse }

func (m HandleResolution) String() string {
	s := named(m.Type(), m.Handle)
	if m.Items == AllItems {
		s += " all items"
	} else if m.Items != 0 {
		s += fmt.Sprintf(" %d items", m.Items)
	}
	if m.Subscribe {
		s += " subscribe"
	}
	return s
}

func (m HandleResolutionResponse) String() string {
	s := named(m.Type(), m.Handle)
	if m.HasPolicy {
		s += " " + m.Policy.Type.String()
	}
	s += fmt.Sprintf(" %d PEs", len(m.Elements))
	if m.UpdatesAccepted {
		s += " updates accepted"
	}
	return s + causes(m.Causes)
}
