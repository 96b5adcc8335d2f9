package registrar

import (
	"net/netip"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// A loopback address means something on one host only. A PE that has registered
// at one is on the host of its home, and is told of it only to who is there, too:
// on any other host somebody else would be connected, or nobody.

// nameTo returns an element as the other end of l may know it; ok is false if that
// cannot reach it at all.
func (r *Registrar) nameTo(l *link, el *element) (e protocol.Element, ok bool) {
	e = el.Element
	if !slices.ContainsFunc(e.User.Addrs, netip.Addr.IsLoopback) || l.here && r.isHere(el) {
		return e, true
	}
	e.User.Addrs = slices.DeleteFunc(slices.Clone(e.User.Addrs), netip.Addr.IsLoopback)
	return e, len(e.User.Addrs) > 0
}

// isHere says whether the home of an element is on this host.
func (r *Registrar) isHere(el *element) bool {
	if el.Home == r.id {
		return true
	}
	if p := r.peersByID[el.Home]; p != nil && (p.here || allLoopback(p.server.Addrs)) {
		return true
	}
	return allLoopback(r.cfg.ENRP.Addrs) // then all registrars are
}

func allLoopback(addrs []netip.Addr) bool {
	return len(addrs) > 0 && !slices.ContainsFunc(addrs, func(a netip.Addr) bool { return !a.IsLoopback() })
}

// canServe says whether a registrar can be at a transport of which a peer tells:
// loopback addresses of another host are of no use.
func (r *Registrar) canServe(told *peer, t protocol.Transport) bool {
	return len(t.Addrs) > 0 && (!allLoopback(t.Addrs) || told.here)
}

// choose takes up to limit elements of a pool that the other end of l may know, in
// the order of its policy.
func (r *Registrar) choose(now time.Time, l *link, pool *pool, limit int) []protocol.Element {
	out, whole := r.nameAll(l, r.space.Select(pool, r.scratch[:0], limit), limit)
	if !whole && pool.Len() > limit {
		out, _ = r.nameAll(l, r.space.Select(pool, r.scratch[:0], pool.Len()), limit)
	}
	if !whole {
		r.complain(now, "pool "+string(pool.Handle), Log{
			Msg: "pool elements that are reached on loopback alone are not named to other hosts: bind them to an address of their host, or let them advertise one", Handle: pool.Handle,
		})
	}
	return out
}

// nameAll returns the elements that may be named, and whether those are all.
func (r *Registrar) nameAll(l *link, els []*element, limit int) (out []protocol.Element, whole bool) {
	out, whole = make([]protocol.Element, 0, min(len(els), limit)), true
	for _, el := range els {
		if e, ok := r.nameTo(l, el); !ok {
			whole = false
		} else if len(out) < limit {
			out = append(out, e)
		}
	}
	clear(els)
	r.scratch = els[:0]
	return out, whole
}

// mayHave says whether a PE behind l may register the address: one of its
// association (ASAP-2.2.1-02), of this host if it is on it, or one that the operator
// lets PEs advertise, because they are behind a NAT.
func (r *Registrar) mayHave(l *link, a netip.Addr) bool {
	return l.hasAddr(a) || slices.Contains(l.host, a.Unmap()) ||
		slices.ContainsFunc(r.cfg.Accept, func(p netip.Prefix) bool { return p.Contains(a.Unmap()) })
}
