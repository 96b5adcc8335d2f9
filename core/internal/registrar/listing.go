package registrar

import (
	"net/netip"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// listing makes the lists of PEs that others are told.
type listing struct {
	*core
	peers   *peers
	scratch []*element // kept for its memory
}

// resolve lists up to items elements (0: as many as we give) in the order of
// the pool's policy (ASAP-3.3-13, E-07, POL-7-04). The policy is always said,
// some PUs need it (ASAP-3.3-14); its values are the first element's
// (POL-7-05). ok is false if the one who asks can reach none of
// them.
func (li *listing) resolve(now time.Time, l *link, pool *pool, items uint32) (response asap.HandleResolutionResponse, ok bool) {
	limit := li.cfg.Limits.ResponseItems
	if items > 0 && int64(items) < int64(limit) {
		limit = int(items)
	}
	chosen := li.choose(now, l, pool, limit)
	if len(chosen) == 0 {
		return response, false
	}
	return asap.HandleResolutionResponse{
		Handle: pool.Handle, Policy: chosen[0].Policy, HasPolicy: true, Elements: fitting(pool.Handle, chosen),
	}, true
}

// fitting returns the first elements, as many as fit into an answer
// (ASAP-2.2.6-07). Their ASAP Transport is of no use to a PU (ASAP-2.2.6-08).
func fitting(h protocol.PoolHandle, chosen []protocol.Element) []protocol.Element {
	room := maxMessage - 64 - len(h) - elementSize(chosen[0])
	n := 0
	for i := range chosen {
		chosen[i].ASAP = protocol.Transport{}
		if room -= elementSize(chosen[i]); room < 0 && i > 0 {
			break
		}
		n++
	}
	return chosen[:n]
}

// choose takes up to limit elements of a pool that the other end of l may know, in
// the order of its policy.
func (li *listing) choose(now time.Time, l *link, pool *pool, limit int) []protocol.Element {
	out, whole := li.nameAll(l, li.space.Select(pool, li.scratch[:0], limit), limit)
	if !whole && pool.Len() > limit {
		out, _ = li.nameAll(l, li.space.Select(pool, li.scratch[:0], pool.Len()), limit)
	}
	if !whole {
		li.complain(now, "pool "+string(pool.Handle), Log{
			Msg: "pool elements that are reached on loopback alone are not named to other hosts: bind them to an address of their host, or let them advertise one", Handle: pool.Handle,
		})
	}
	return out
}

// nameAll returns the elements that may be named, and whether those are all.
func (li *listing) nameAll(l *link, els []*element, limit int) (out []protocol.Element, whole bool) {
	out, whole = make([]protocol.Element, 0, min(len(els), limit)), true
	for _, el := range els {
		if e, ok := li.nameTo(l, el); !ok {
			whole = false
		} else if len(out) < limit {
			out = append(out, e)
		}
	}
	clear(els)
	li.scratch = els[:0]
	return out, whole
}

// nameTo returns an element as the other end of l may know it; ok is false if that
// cannot reach it at all.
func (li *listing) nameTo(l *link, el *element) (e protocol.Element, ok bool) {
	e = el.Element
	if !slices.ContainsFunc(e.User.Addrs, netip.Addr.IsLoopback) || l.here && li.peers.onThisHost(el.Home) {
		return e, true
	}
	e.User.Addrs = slices.DeleteFunc(slices.Clone(e.User.Addrs), netip.Addr.IsLoopback)
	return e, len(e.User.Addrs) > 0
}
