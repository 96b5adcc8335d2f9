package registrar

import (
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// elements changes what the handlespace holds, and tells the parts and the peers
// that a change concerns.
type elements struct {
	*core
	monitors    *monitors
	subscribers *subscribers
	peers       *peers
	claims      *claims
	handover    *handover
}

// full says whether one more PE, or pool, would be too many.
func (es *elements) full(h protocol.PoolHandle) bool {
	pools, elements := es.space.Len()
	limits := es.cfg.Limits
	return elements >= limits.Elements || es.space.Pool(h) == nil && pools >= limits.Pools
}

// put stores an element; visible says whether a PU would see the difference.
func (es *elements) put(h protocol.PoolHandle, e protocol.Element) (el *element, visible bool) {
	before, known := protocol.Element{}, false
	if el := es.space.Element(h, e.ID); el != nil {
		before, known = el.Element, true
	}
	el, _ = es.space.Put(h, e)
	return el, !known || before.Policy != e.Policy || !sameTransport(before.User, e.User)
}

func sameTransport(a, b protocol.Transport) bool {
	return a.Protocol == b.Protocol && a.Port == b.Port && a.Use == b.Use && a.ServiceCode == b.ServiceCode &&
		a.Opaque == b.Opaque && slices.Equal(a.Addrs, b.Addrs)
}

func (es *elements) logJoined(h protocol.PoolHandle, e protocol.Element) {
	es.emit(Log{Level: Info, Msg: "PE joined", Handle: h, PE: e.ID, At: e.User.AddrPorts(), Server: e.Home})
}

// holds says whether we own a PE for more reason than a claim: it has an
// association with us.
func (es *elements) holds(el *element) bool {
	mon := el.State.monitor
	return el.Home == es.id && mon != nil && mon.link != nil
}

// remove takes a PE out of the handlespace that has not left by itself, and tells
// everybody who has to know. Peers are told by the owner only (ENRP-3.3.2-01,
// ASAP-3.5-14).
func (es *elements) remove(now time.Time, el *element, why string) {
	h := el.Pool().Handle
	es.emit(Log{Level: Warn, Msg: why, Handle: h, PE: el.ID, At: el.User.AddrPorts(), Server: el.Home})
	if el.Home == es.id {
		es.peers.announce(enrp.DelPE, el)
	}
	es.drop(now, el)
}

// drop takes a PE out without telling the peers.
func (es *elements) drop(now time.Time, el *element) {
	h := el.Pool().Handle
	es.monitors.forget(now, el)
	es.handover.offerEnded(el)
	es.space.Remove(el)
	es.subscribers.poolChanged(now, h)
}
