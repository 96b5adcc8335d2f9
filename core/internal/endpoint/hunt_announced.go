package endpoint

import (
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// announcePeriod is T6-Serverannounce: N+1 registrars announce themselves
// every (N+1)*T6 (RFC 5352 section 3.6).
const announcePeriod = time.Second

// Limits for what unauthenticated announcements may bring (SEC-2.12-02).
const (
	maxAddrs     = 16 // of one registrar
	maxPerSource = 8  // registrars that one host may announce
)

// announced notes an announcement that came from the UDP address from.
func (h *hunt) announced(now time.Time, transports []protocol.Transport, from netip.AddrPort) {
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	if len(transports) == 0 {
		// The registrar is where the announcement came from (ASAP-3.6-05);
		// RSPLIB listens at the port it announces from.
		h.noteAnnounced(now, []netip.AddrPort{netip.AddrPortFrom(from.Addr(), protocol.PortASAP)}, from.Addr())
		if from.Port() != protocol.PortASAP {
			h.noteAnnounced(now, []netip.AddrPort{from}, from.Addr())
		}
		return
	}
	for _, t := range transports[:min(len(transports), maxPerSource)] {
		// Only SCTP is spoken here; what else is announced is ignored
		// (ASAP-2.2.10-01).
		if t.Protocol == protocol.SCTP {
			h.noteAnnounced(now, t.AddrPorts(), from.Addr())
		}
	}
}

// noteAnnounced inserts an announced registrar, or restarts its T7
// (ASAP-3.6-04).
func (h *hunt) noteAnnounced(now time.Time, addrs []netip.AddrPort, source netip.Addr) {
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
	h.timers.Set(&c.expire, laterOf(&c.expire, now.Add(h.announceLife())))
	h.connectMore(now)
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

// keepAWhile lets a registrar that was home outlive its last announcement.
func (h *hunt) keepAWhile(now time.Time, c *candidate) {
	if c.static {
		return
	}
	c.confirmed, c.expired = true, false
	h.timers.Set(&c.expire, laterOf(&c.expire, now.Add(h.cfg.RetransMax)))
}

// laterOf returns at, or the deadline of the timer if that is later.
func laterOf(t *timer, at time.Time) time.Time {
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
			h.connectMore(now)
		}
	}
}
