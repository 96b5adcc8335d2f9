package registrar

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// resolver answers handle resolutions.
type resolver struct {
	*core
	listing     *listing
	subscribers *subscribers
}

// handle answers anybody, over SCTP and TCP (ASAP-3.3-11, ASAP-3.3-16).
func (rv *resolver) handle(now time.Time, l *link, m asap.HandleResolution) {
	pool := rv.space.Pool(m.Handle)
	if pool == nil {
		rv.counts.Unknown++
		rv.emit(SendASAP{Link: l.Link, Message: unknownPool(m.Handle)}) // which makes no subscription (ASAP-2.2.5-04)
		return
	}
	rv.counts.Resolved++
	response, ok := rv.listing.resolve(now, l, pool, m.Items)
	if !ok {
		rv.emit(SendASAP{Link: l.Link, Message: unknownPool(m.Handle)})
		return
	}
	rv.space.Use(rv.space.Element(m.Handle, response.Elements[0].ID))
	response.UpdatesAccepted = rv.subscribers.update(l, m)
	rv.emit(SendASAP{Link: l.Link, Message: response})
}

// unknownPool is the negative answer (ASAP-3.3-15, ASAP-2.2.6-05).
func unknownPool(h protocol.PoolHandle) asap.HandleResolutionResponse {
	return asap.HandleResolutionResponse{Handle: h, Causes: []protocol.Cause{{Code: protocol.CauseUnknownPoolHandle}}}
}
