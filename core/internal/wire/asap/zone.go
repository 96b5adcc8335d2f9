package asap

import "github.com/librserpool/librserpool/core/internal/protocol"

// In puts the link-local addresses in a message that came over one link, by the
// interface zone, on that link (RFC 4007 section 6): on the wire they have no zone.
// The message is changed in place.
func In(m Message, zone string) Message {
	switch m := m.(type) {
	case HandleResolutionResponse:
		users(m.Elements, zone)
	case BusinessCard:
		users(m.Elements, zone)
	case ServerAnnounce:
		for _, t := range m.Transports {
			t.Enter(zone)
		}
	}
	return m
}

func users(elements []protocol.Element, zone string) {
	for _, e := range elements {
		e.User.Enter(zone)
	}
}
