package registrar

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/timerq"
)

// A registrar hands PEs over to others when it leaves, and when it owns more
// than its share. RFC 5353 knows the takeover only, by which one registrar gets
// them all after the other one is dead. The handover is made of its messages:
// the owner offers the PE to one other registrar, by a HANDLE_UPDATE ADD_PE that
// names that one as its home and goes to nobody else. That registrar asks the PE
// (KEEP_ALIVE with H), and when the PE acknowledges, announces it as its own to
// all. Until then the owner stays the owner: a registrar that knows no handover
// ignores what others say of its own PEs (ENRP-3.3.1-06), and nothing has changed.

// handover is what was offered to others.
type handover struct {
	*core
	elements *elements
	monitors *monitors
	peers    *peers

	leaving bool
	open    int // PEs offered that no new home has announced
	done    bool
	timer   timerq.Timer[deadline] // end of leaving, or of the offers
}

// leaveTime is how long a registrar waits for the new homes when it leaves; it
// waits for a while more if there are many PEs.
const leaveTime = 3 * time.Second

// leave offers all PEs, and ends when they have new homes, or time is up.
func (h *handover) leave(now time.Time) {
	if h.leaving {
		return
	}
	h.leaving = true
	n := h.space.Owned(h.id)
	newHomes := h.newHomes(now)
	if n == 0 || len(newHomes) == 0 || !h.cfg.Handover {
		h.endLeave()
		return
	}
	h.emit(Log{Level: Info, Msg: "handing over to other registrars before leaving", Server: h.id, PEs: n})
	h.timer.Value = leaveTimeout{}
	h.timers.Set(&h.timer, now.Add(leaveTime+time.Duration(n)*time.Second/claimRate))
	for el := range h.space.Elements() {
		if el.Home == h.id {
			h.offer(el, h.leastLoaded(newHomes))
		}
	}
}

func (h *handover) endLeave() {
	if h.leaving && !h.done {
		h.done = true
		h.timers.Stop(&h.timer)
		for _, p := range h.peers.list { // a shutdown is in order, an abort would mean that we died
			if p.link != nil {
				h.emit(Shutdown{Link: p.link.Link})
			}
		}
		h.emit(Left{})
	}
}

// offerWhileLeaving offers a PE that comes while we leave.
func (h *handover) offerWhileLeaving(now time.Time, el *element) {
	if !h.leaving || h.done {
		return
	}
	if newHomes := h.newHomes(now); len(newHomes) > 0 {
		h.offer(el, h.leastLoaded(newHomes))
	}
}
