package registrar

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// handleResolution answers anybody, over SCTP and TCP (ASAP-3.3-11,
// ASAP-3.3-16).
func (r *Registrar) handleResolution(now time.Time, l *link, m asap.HandleResolution) {
	pool := r.space.Pool(m.Handle)
	if pool == nil {
		r.counts.Unknown++
		r.emit(SendASAP{Link: l.Link, Message: unknownPool(m.Handle)}) // ASAP-2.2.5-04: no subscription
		return
	}
	r.counts.Resolved++
	response, ok := r.resolve(now, l, pool, m.Items)
	if !ok {
		r.emit(SendASAP{Link: l.Link, Message: unknownPool(m.Handle)})
		return
	}
	r.space.Use(r.space.Element(m.Handle, response.Elements[0].ID))
	response.UpdatesAccepted = r.updateSubscription(l, m)
	r.emit(SendASAP{Link: l.Link, Message: response})
}

// unknownPool is the negative answer (ASAP-3.3-15, ASAP-2.2.6-05).
func unknownPool(h protocol.PoolHandle) asap.HandleResolutionResponse {
	return asap.HandleResolutionResponse{Handle: h, Causes: []protocol.Cause{{Code: protocol.CauseUnknownPoolHandle}}}
}

// resolve lists up to items elements (0: as many as we give) in the order of
// the pool's policy (ASAP-3.3-13, E-07, POL-7-04). The policy is always said,
// some PUs need it (ASAP-3.3-14); its values are the first element's
// (POL-7-05). ok is false if who asks can reach none of them.
func (r *Registrar) resolve(now time.Time, l *link, pool *pool, items uint32) (response asap.HandleResolutionResponse, ok bool) {
	limit := r.cfg.Limits.ResponseItems
	if items > 0 && int64(items) < int64(limit) {
		limit = int(items)
	}
	chosen := r.choose(now, l, pool, limit)
	if len(chosen) == 0 {
		return response, false
	}
	room := maxMessage - 64 - len(pool.Handle) - elementSize(chosen[0]) // ASAP-2.2.6-07
	n := 0
	for i := range chosen {
		chosen[i].ASAP = protocol.Transport{} // of no use to a PU (ASAP-2.2.6-08)
		if room -= elementSize(chosen[i]); room < 0 && i > 0 {
			break
		}
		n++
	}
	return asap.HandleResolutionResponse{
		Handle: pool.Handle, Policy: chosen[0].Policy, HasPolicy: true, Elements: chosen[:n],
	}, true
}

// maxMessage is the largest value of the 16-bit Message Length.
const maxMessage = 0xffff

// elementSize is not less, and hardly more, than the bytes the Pool Element
// parameter takes.
func elementSize(e protocol.Element) int {
	return 16 + transportSize(e.User) + 16 + len(e.Policy.Private) + 3 + transportSize(e.ASAP)
}

func transportSize(t protocol.Transport) int {
	size := 8 + len(t.Opaque)
	if t.Protocol == protocol.DCCP {
		size += 4
	}
	for _, a := range t.Addrs {
		size += 4 + a.BitLen()/8
	}
	return size
}
