package enrp

import (
	"fmt"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire"
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

func parseInitTakeover(in received) (Message, error) {
	target, err := in.target()
	if err != nil {
		return nil, err
	}
	return InitTakeover{in.Route, target}, nil
}

func (m InitTakeover) write(w *wire.Writer) { w.Uint32(uint32(m.Target)) }

func parseInitTakeoverAck(in received) (Message, error) {
	target, err := in.target()
	if err != nil {
		return nil, err
	}
	return InitTakeoverAck{in.Route, target}, nil
}

func (m InitTakeoverAck) write(w *wire.Writer) { w.Uint32(uint32(m.Target)) }

func parseTakeoverServer(in received) (Message, error) {
	target, err := in.target()
	if err != nil {
		return nil, err
	}
	return TakeoverServer{in.Route, target}, nil
}

func (m TakeoverServer) write(w *wire.Writer) { w.Uint32(uint32(m.Target)) }

// target reads what the three takeover messages consist of.
func (in received) target() (protocol.ServerID, error) {
	_, err := nothing.Parse(in.params, in.report)
	return serverID(in.fixed), err
}
