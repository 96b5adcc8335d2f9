package asap

import (
	"fmt"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// EndpointKeepAlive asks a PE whether it lives (RFC 5352 section 2.2.7).
type EndpointKeepAlive struct {
	NewHome bool // H: the sending registrar wants to be the PE's home
	Server  protocol.ServerID
	Handle  protocol.PoolHandle
	// ID says which PE of the pool is meant; 0 when absent. The RFC has no
	// such parameter here, RSPLIB sends and expects it; others ignore it
	// (COM-3-11).
	ID protocol.PEID
}

// EndpointKeepAliveAck answers an EndpointKeepAlive (RFC 5352 section 2.2.8).
type EndpointKeepAliveAck struct {
	Handle protocol.PoolHandle
	ID     protocol.PEID
}

// Type returns TypeEndpointKeepAlive.
func (EndpointKeepAlive) Type() Type { return TypeEndpointKeepAlive }

// Type returns TypeEndpointKeepAliveAck.
func (EndpointKeepAliveAck) Type() Type { return TypeEndpointKeepAliveAck }

func (m EndpointKeepAlive) String() string {
	s := fmt.Sprintf("%s from registrar %v", named(m.Type(), m.Handle), m.Server)
	if m.ID != 0 {
		s += " for PE " + m.ID.String()
	}
	if m.NewHome {
		s += " as new home"
	}
	return s
}

func (m EndpointKeepAliveAck) String() string {
	return fmt.Sprintf("%s PE %v", named(m.Type(), m.Handle), m.ID)
}
