package asap

import "github.com/librserpool/librserpool/core/internal/protocol"

// Error reports what was wrong with a message received earlier (RFC 5352
// section 2.2.14). It is never answered (ASAP-2.2.14-02).
type Error struct {
	Causes []protocol.Cause // one or more
}

// Type returns TypeError.
func (Error) Type() Type { return TypeError }

func (m Error) String() string { return m.Type().String() + causes(m.Causes) }
