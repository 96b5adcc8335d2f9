package asap

import (
	"fmt"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire"
)

// ServerAnnounce is what a registrar multicasts so that PEs and PUs find it
// (RFC 5352 section 2.2.10). Transports are SCTP or TCP, possibly none
// (ASAP-2.2.10-01).
type ServerAnnounce struct {
	Server     protocol.ServerID
	Transports []protocol.Transport
}

// Type returns TypeServerAnnounce.
func (ServerAnnounce) Type() Type { return TypeServerAnnounce }

func (m ServerAnnounce) String() string {
	s := fmt.Sprintf("%v registrar %v", m.Type(), m.Server)
	for _, t := range m.Transports {
		s += ", " + t.String()
	}
	return s
}

// announceLayout has no other transports, they are ignored (ASAP-2.2.10-01).
var announceLayout = wire.Layout{Many: wire.SetOf(wire.ParamSCTPTransport, wire.ParamTCPTransport)}

func parseServerAnnounce(h wire.Header, r *wire.Report) (Message, error) {
	server, params, err := h.Fixed(4)
	if err != nil {
		return nil, err
	}
	p, err := announceLayout.Parse(params, r)
	if err != nil {
		return nil, err
	}
	return ServerAnnounce{Server: serverID(server), Transports: p.Transports}, nil
}

func (m ServerAnnounce) write(w *wire.Writer) {
	w.Uint32(uint32(m.Server))
	for _, t := range m.Transports {
		if t.Protocol != protocol.SCTP && t.Protocol != protocol.TCP {
			w.Failf("a registrar cannot announce a transport of kind %v, only SCTP and TCP", t.Protocol)
		}
		w.Transport(t)
	}
}
