package asap

import (
	"encoding/binary"
	"fmt"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire"
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

// flagNewHome is H.
const flagNewHome = 0x01

var keepAliveLayout = wire.Layout{
	Need: wire.SetOf(wire.ParamPoolHandle),
	May:  wire.SetOf(wire.ParamPEIdentifier),
}

func parseEndpointKeepAlive(h wire.Header, r *wire.Report) (Message, error) {
	server, params, err := h.Fixed(4)
	if err != nil {
		return nil, err
	}
	p, err := keepAliveLayout.Parse(params, r)
	if err != nil {
		return nil, err
	}
	return EndpointKeepAlive{NewHome: h.Flag(flagNewHome), Server: serverID(server), Handle: p.Handle, ID: p.ID}, nil
}

func (m EndpointKeepAlive) write(w *wire.Writer) {
	w.Flag(flagNewHome, m.NewHome)
	w.Uint32(uint32(m.Server))
	w.Handle(m.Handle)
	if m.ID != 0 {
		w.PEIdentifier(m.ID)
	}
}

func parseEndpointKeepAliveAck(h wire.Header, r *wire.Report) (Message, error) {
	p, err := peLayout.Parse(h.Body, r)
	if err != nil {
		return nil, err
	}
	return EndpointKeepAliveAck{Handle: p.Handle, ID: p.ID}, nil
}

func (m EndpointKeepAliveAck) write(w *wire.Writer) {
	w.Handle(m.Handle)
	w.PEIdentifier(m.ID)
}

// serverID reads the fixed field of a message from a registrar.
func serverID(field []byte) protocol.ServerID {
	return protocol.ServerID(binary.BigEndian.Uint32(field))
}
