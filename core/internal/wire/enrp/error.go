package enrp

import "github.com/librserpool/librserpool/core/internal/protocol"

// Error reports what was wrong with a message received earlier (RFC 5353
// section 2.10). It is never answered. Do not rely on its route: RSPLIB sends
// back the one of the bad message.
type Error struct {
	Route
	Causes []protocol.Cause // one or more
}

// Type returns TypeError.
func (Error) Type() Type { return TypeError }

func (m Error) String() string {
	s := m.routed(m.Type())
	for _, c := range m.Causes {
		s += ", " + c.String()
	}
	return s
}
