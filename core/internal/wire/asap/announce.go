package asap

import (
	"fmt"

	"github.com/librserpool/librserpool/core/internal/protocol"
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
