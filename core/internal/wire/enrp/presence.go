package enrp

import (
	"fmt"

	"github.com/librserpool/librserpool/core/internal/protocol"
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
