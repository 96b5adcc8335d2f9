package endpoint

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// handleKeepAlive answers for the PE on the association of the registrar that
// asked, home or not (RFC 5352 section 3.4, ASAP-2.2.7-01, ASAP-3.4-02,
// ASAP-3.4-03). What names another pool or PE is silently discarded, whatever
// the H flag says (KA1, ASAP-3.4-01, ASAP-3.4-07, E-15).
func (e *element) handleKeepAlive(now time.Time, from assoc.ID, m asap.EndpointKeepAlive) {
	if !e.inService || m.Handle != e.handle || m.ID != 0 && m.ID != e.granted.ID {
		return
	}
	e.effects.add(Send{Assoc: from, Message: asap.EndpointKeepAliveAck{Handle: e.handle, ID: e.granted.ID}})
	if m.NewHome {
		e.hunt.moveHome(now, from, m.Server) // the sender takes over (ASAP-3.4-04)
		return
	}
	e.hunt.identifyHome(from, m.Server) // H=0 never changes the home (ASAP-3.4-05)
}
