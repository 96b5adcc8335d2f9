package endpoint

import (
	"errors"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
)

// homeRegistrar is the registrar in use. The zero value means that there is
// none.
type homeRegistrar struct {
	id       assoc.ID
	server   protocol.ServerID // once it has told
	from     *candidate
	answered bool // it has sent a message
}

// dropPenalty is how long a registrar that was dropped stands back behind the
// others: it would accept an association as quickly as before.
const dropPenalty = 2 * time.Second

// errNotInTime is why dropHome ends a home.
var errNotInTime = errors.New("the registrar did not answer in time")

// homeAssoc returns the association with the home registrar, or 0.
func (h *hunt) homeAssoc() assoc.ID { return h.home.id }

// moveHome makes the registrar at the other end of an association home because
// it asked for it (H flag, ASAP-3.4-04). The association may be one that the
// registrar opened.
func (h *hunt) moveHome(now time.Time, id assoc.ID, server protocol.ServerID) {
	if id == h.home.id {
		h.home.server = server
		return
	}
	c := h.candidateAt(h.peers[id].remote)
	if c == nil && len(h.peers[id].remote) > 0 {
		c = h.addHome(h.peers[id].remote)
	}
	h.becomeHome(now, id, c, movedHome)
	h.home.server = server
}

// identifyHome notes the server identifier that the registrar of an association
// gave.
func (h *hunt) identifyHome(id assoc.ID, server protocol.ServerID) {
	if id != 0 && id == h.home.id {
		h.home.server = server
	}
}

// heardFrom notes that something arrived on an association: its registrar is no
// longer suspect and deserves to be tried first again.
func (h *hunt) heardFrom(id assoc.ID) {
	if id == 0 || id != h.home.id {
		return
	}
	h.home.answered = true
	if h.home.from != nil {
		h.home.from.refusals = 0
	}
	if h.hunting {
		h.stop("the home answers again")
	}
}

// suspectHome starts a hunt beside a home that left a request unanswered
// (ASAP-3.7-04). Whoever answers first is home then (ASAP-3.7-06).
func (h *hunt) suspectHome(now time.Time, id assoc.ID) {
	if id != 0 && id == h.home.id && !h.hunting {
		h.start(now)
	}
}

// dropHome gives up a home that does not answer (ASAP-3.1-10, ASAP-3.2-05).
func (h *hunt) dropHome(now time.Time, id assoc.ID) {
	if id == 0 || id != h.home.id {
		return
	}
	h.effects.add(Abort{Assoc: id, Reason: "no answer to a request"})
	delete(h.peers, id)
	c := h.home.from
	h.homeLost(now, errNotInTime)
	if c != nil {
		c.notBefore = now.Add(dropPenalty)
	}
}

// releaseFormerHome ends the association with the home before this one. A PE
// waits with it until the new home has its registration, because some
// registrars remove PEs whose association ends.
func (h *hunt) releaseFormerHome() {
	if h.formerHome == 0 {
		return
	}
	delete(h.peers, h.formerHome) // nothing can be sent there any more
	h.effects.add(Shutdown{Assoc: h.formerHome})
	h.formerHome = 0
}

func (h *hunt) becomeHome(now time.Time, id assoc.ID, from *candidate, kind newsKind) {
	h.stop("another registrar was chosen") // the others are not needed (SH6)
	if h.formerHome == id {
		h.formerHome = 0
	}
	if h.home.id != 0 {
		h.releaseFormerHome()
		h.formerHome = h.home.id
		h.leaveBehind(now, h.home.from)
	}
	h.home = homeRegistrar{id: id, from: from}
	if from != nil {
		from.busy = true
	}
	h.news = append(h.news, homeNews{kind: kind})
}

// leaveBehind ends the use of a registrar that was home, which is remembered for a
// while.
func (h *hunt) leaveBehind(now time.Time, c *candidate) {
	if c != nil {
		h.keepAWhile(now, c)
		h.release(c)
	}
}

func (h *hunt) homeLost(now time.Time, err error) {
	c, answered := h.home.from, h.home.answered
	h.home = homeRegistrar{}
	if c != nil {
		// One that accepts associations only to end them must not make the
		// hunt spin; one that was of use is tried again at once.
		c.notBefore = now
		if !answered {
			c.refusals++
			c.notBefore = now.Add(c.backoff())
		}
		c.failed, c.err = false, err
		c.sentAway = !answered && errors.Is(err, assoc.ErrWrongPort)
		h.leaveBehind(now, c)
	}
	h.news = append(h.news, homeNews{kind: lostHome, err: err})
	if h.hunting {
		h.connectMore(now)
	}
}
