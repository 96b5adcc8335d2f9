package registrar

import (
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// handleResolution answers anybody, over SCTP and TCP (ASAP-3.3-11,
// ASAP-3.3-16).
func (r *Registrar) handleResolution(l *link, m asap.HandleResolution) {
	pool := r.space.Pool(m.Handle)
	if pool == nil {
		r.counts.Unknown++
		r.emit(SendASAP{Link: l.Link, Message: unknownPool(m.Handle)}) // ASAP-2.2.5-04: no subscription
		return
	}
	r.counts.Resolved++
	response := r.resolve(pool, m.Items, r.space.Select)
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
// (POL-7-05). choose is Select of the handlespace for who will use the first of
// them, and Tell for who may.
func (r *Registrar) resolve(pool *pool, items uint32, choose func(*pool, []*element, int) []*element) asap.HandleResolutionResponse {
	limit := r.cfg.Limits.ResponseItems
	if items > 0 && int64(items) < int64(limit) {
		limit = int(items)
	}
	r.scratch = choose(pool, r.scratch[:0], limit)
	response := asap.HandleResolutionResponse{
		Handle:    pool.Handle,
		Policy:    r.scratch[0].Policy,
		HasPolicy: true,
		Elements:  make([]protocol.Element, 0, len(r.scratch)),
	}
	room := maxMessage - 64 - len(pool.Handle) - elementSize(r.scratch[0].Element) // ASAP-2.2.6-07
	for i, el := range r.scratch {
		e := el.Element
		e.ASAP = protocol.Transport{} // of no use to a PU (ASAP-2.2.6-08)
		if room -= elementSize(e); room < 0 && i > 0 {
			break
		}
		response.Elements = append(response.Elements, e)
	}
	clear(r.scratch)
	return response
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
