package enrp

import (
	"fmt"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire"
)

// Presence says that a registrar lives, and what it owns (RFC 5353 section
// 2.1). Send it with checksum and server always (ENRP-2.1-03); expect neither
// (ENRP-2.1-05).
type Presence struct {
	Route
	ReplyRequired bool   // flag 0x01, missing in the RFC's drawing (E-01)
	Checksum      uint16 // over the PEs the sender owns
	HasChecksum   bool
	Server        protocol.Server
	HasServer     bool
}

// Type returns TypePresence.
func (Presence) Type() Type { return TypePresence }

func (m Presence) String() string {
	s := m.routed(m.Type()) + flag(m.ReplyRequired, "reply required")
	if m.HasChecksum {
		s += fmt.Sprintf(" checksum %#04x", m.Checksum)
	}
	if m.HasServer {
		s += ", " + m.Server.String()
	}
	return s
}

const flagReplyRequired = 0x01

var presenceLayout = wire.Layout{May: wire.SetOf(wire.ParamPEChecksum, wire.ParamServerInformation)}

func parsePresence(in received) (Message, error) {
	p, err := presenceLayout.Parse(in.params, in.report)
	if err != nil {
		return nil, err
	}
	m := Presence{
		Route:         in.Route,
		ReplyRequired: in.Flag(flagReplyRequired),
		Checksum:      p.Checksum,
		HasChecksum:   p.Has(wire.ParamPEChecksum),
	}
	if p.Has(wire.ParamServerInformation) {
		m.Server, m.HasServer = p.Servers[0], true
	}
	return m, nil
}

func (m Presence) write(w *wire.Writer) {
	w.Flag(flagReplyRequired, m.ReplyRequired)
	if m.HasChecksum {
		w.Checksum(m.Checksum)
	}
	if m.HasServer {
		w.Server(m.Server)
	}
}
