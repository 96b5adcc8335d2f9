package endpoint

import (
	"net/netip"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// candidate is one known registrar.
type candidate struct {
	addrs  []netip.AddrPort
	static bool // configured: never expires (ASAP-3.6-07)
	named  bool // by a name that has this address

	// Announced ones.
	source    netip.Addr // who said so
	confirmed bool       // announced more than once, or it has been home
	expired   bool       // to be removed when it is not busy any more
	expire    timer

	busy    bool      // being tried, or home
	readyAt time.Time // not to be tried before
	refused int       // in a row
	failed  bool      // in this round
	spurned bool      // it has sent us away: it is none, or at another port
	err     error     // why; nil when T5 ended the attempt
}

// announcePeriod is T6-Serverannounce: N+1 registrars announce themselves
// every (N+1)*T6 (RFC 5352 section 3.6).
const announcePeriod = time.Second

// Limits for what unauthenticated announcements may bring (SEC-2.12-02).
const (
	maxAddrs     = 16 // of one registrar
	maxPerSource = 8  // registrars that one host may announce
)

// add makes a configured registrar known.
func (h *hunt) add(addrs []netip.AddrPort) { h.configured(addrs, false) }

// configured makes a registrar known for as long as it is configured, perhaps
// by a name that has its address.
func (h *hunt) configured(addrs []netip.AddrPort, named bool) {
	addrs = usable(addrs)
	if len(addrs) == 0 {
		return
	}
	c := h.candidateAt(addrs)
	if c == nil {
		c = &candidate{addrs: addrs}
		h.insert(c)
	}
	if !c.static { // or else its address is configured, too
		c.static, c.named, c.expired = true, named, false
		h.timers.Stop(&c.expire)
	}
}

// insert puts a newcomer in front of those that have failed in this round.
func (h *hunt) insert(c *candidate) {
	c.expire.Value = func(now time.Time) { h.expireDue(now, c) }
	h.known = slices.Insert(h.known, 0, c)
}

// announced notes an announcement that came from the UDP address from.
func (h *hunt) announced(now time.Time, transports []protocol.Transport, from netip.AddrPort) {
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	if len(transports) == 0 {
		// ASAP-3.6-05; RSPLIB listens at the port it announces from.
		h.heard(now, []netip.AddrPort{netip.AddrPortFrom(from.Addr(), protocol.PortASAP)}, from.Addr())
		if from.Port() != protocol.PortASAP {
			h.heard(now, []netip.AddrPort{from}, from.Addr())
		}
		return
	}
	for _, t := range transports[:min(len(transports), maxPerSource)] {
		// Only SCTP is spoken here; what else is announced is ignored
		// (ASAP-2.2.10-01).
		if t.Protocol == protocol.SCTP {
			h.heard(now, t.AddrPorts(), from.Addr())
		}
	}
}

// heard inserts an announced registrar or restarts its T7 (ASAP-3.6-04).
func (h *hunt) heard(now time.Time, addrs []netip.AddrPort, source netip.Addr) {
	addrs = usable(addrs)
	if len(addrs) == 0 {
		return
	}
	c := h.candidateAt(addrs)
	switch {
	case c == nil:
		if !h.makeRoom(source) {
			return
		}
		c = &candidate{addrs: addrs, source: source}
		h.insert(c)
	case c.static:
		return
	default:
		c.confirmed = true
	}
	c.expired = false
	h.timers.Set(&c.expire, later(&c.expire, now.Add(h.announceLife())))
	h.fill(now)
}

// announceLife is T7, but never so short that registrars vanish between two of
// their announcements (E-11).
func (h *hunt) announceLife() time.Duration {
	n := 0
	for _, c := range h.known {
		if !c.static {
			n++
		}
	}
	return max(h.cfg.AnnounceLife, 3*time.Duration(n)*announcePeriod)
}

// makeRoom says whether one more announced registrar may be noted. In a full
// list a random one that was announced only once gives way: those that keep
// announcing themselves stay, whatever a flood of forged ones brings.
func (h *hunt) makeRoom(source netip.Addr) bool {
	total, same := 0, 0
	var victim *candidate
	once := 0
	for _, c := range h.known {
		if c.static {
			continue
		}
		total++
		if c.source == source {
			same++
		}
		if !c.confirmed && !c.busy {
			once++
			if h.cfg.Rand.IntN(once) == 0 {
				victim = c
			}
		}
	}
	if same >= maxPerSource {
		return false
	}
	if total < h.cfg.MaxAnnounced {
		return true
	}
	if victim == nil {
		return false
	}
	h.forget(victim)
	return true
}

// learn notes the registrar that took us over and was not known before.
func (h *hunt) learn(addrs []netip.AddrPort) *candidate {
	if addrs = usable(addrs); len(addrs) == 0 {
		return nil
	}
	c := &candidate{addrs: addrs, source: addrs[0].Addr(), confirmed: true}
	h.insert(c)
	return c
}

// keepAWhile lets a registrar that was home outlive its last announcement.
func (h *hunt) keepAWhile(now time.Time, c *candidate) {
	if c.static {
		return
	}
	c.confirmed, c.expired = true, false
	h.timers.Set(&c.expire, later(&c.expire, now.Add(h.cfg.RetransMax)))
}

func later(t *timer, at time.Time) time.Time {
	if t.Armed() && t.At().After(at) {
		return t.At()
	}
	return at
}

// expireDue is T7: the address is deleted (ASAP-3.6-06).
func (h *hunt) expireDue(now time.Time, c *candidate) {
	c.expired = true
	if !c.busy {
		h.forget(c)
		if h.hunting {
			h.checkRound()
			h.fill(now)
		}
	}
}

// release ends the use of a candidate.
func (h *hunt) release(c *candidate) {
	if c == nil {
		return
	}
	c.busy = false
	h.sweep()
}

// sweep removes what expired while it was in use.
func (h *hunt) sweep() {
	for _, c := range slices.Clone(h.known) {
		if c.expired && !c.busy {
			h.forget(c)
		}
	}
}

func (h *hunt) forget(c *candidate) {
	h.timers.Stop(&c.expire)
	h.known = slices.DeleteFunc(h.known, func(k *candidate) bool { return k == c })
}

// candidateAt returns the registrar that has one of the addresses.
func (h *hunt) candidateAt(addrs []netip.AddrPort) *candidate {
	for _, c := range h.known {
		for _, a := range addrs {
			if slices.Contains(c.addrs, netip.AddrPortFrom(a.Addr().Unmap(), a.Port())) {
				return c
			}
		}
	}
	return nil
}

// usable returns the addresses that can be connected to.
func usable(addrs []netip.AddrPort) []netip.AddrPort {
	var out []netip.AddrPort
	for _, a := range addrs {
		ip := a.Addr().Unmap()
		if len(out) < maxAddrs && ip.IsValid() && !ip.IsUnspecified() && !ip.IsMulticast() && a.Port() != 0 {
			out = append(out, netip.AddrPortFrom(ip, a.Port()))
		}
	}
	return out
}
