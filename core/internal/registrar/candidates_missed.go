package registrar

import (
	"errors"
	"fmt"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// missPatience is how long a peer may be away before the operator is told: those
// of a group start one after the other.
const missPatience = 5 * time.Second

// missed notes that no registrar was met at a candidate's address. The operator is
// told at once if somebody there says that this is the wrong port.
func (cs *candidates) missed(now time.Time, c *peerCandidate, err error) {
	if c.heard || !c.until.IsZero() {
		return
	}
	if c.wrong.IsZero() {
		c.wrong = now
	}
	if now.Sub(c.wrong) >= missPatience || errors.Is(err, assoc.ErrWrongPort) {
		cs.complain(now, "peer "+fmt.Sprint(c.addrs), Log{Msg: "a configured peer cannot be reached", Peer: fmt.Sprint(c.addrs), Err: err})
	}
}

// errNoENRP: nobody answers an ENRP_PRESENCE.
var errNoENRP = errors.New("somebody accepts associations there but says nothing: is it another port than that for ENRP, or does it hang?")

// check finds those that accept an association and stay silent, and notes who is
// there.
func (cs *candidates) check(now time.Time) {
	for _, c := range cs.list {
		switch {
		case cs.known(c):
			c.wrong = time.Time{}
		case c.link != nil && c.link.peer == nil:
			cs.missed(now, c, errNoENRP)
		}
	}
}
