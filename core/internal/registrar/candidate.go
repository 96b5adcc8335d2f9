package registrar

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/protocol"
)

// peerCandidate is an address where another registrar may be found: a configured
// one, or that of a peer that was given up, which may only have been cut off.
type peerCandidate struct {
	addrs   []netip.AddrPort
	until   time.Time         // of one given up: when to stop trying; zero = configured
	id      protocol.ServerID // of one given up or heard
	heard   bool              // by multicast
	named   bool              // by a name that has this address
	attempt *connectAttempt
	link    *link     // established, registrar not yet heard
	wrong   time.Time // since when nobody is met there; zero = somebody is
}

func (r *Registrar) makeCandidates() {
	for _, addrs := range r.cfg.Peers {
		if r.isSelf(addrs) {
			r.complain(r.started, "peer "+fmt.Sprint(addrs), Log{Msg: "a configured peer is this registrar itself, and does not count", Peer: fmt.Sprint(addrs)})
		}
		r.addCandidate(addrs)
	}
}

// addCandidate adds a configured candidate, unless it is known or ourselves.
func (r *Registrar) addCandidate(addrs []netip.AddrPort) (added bool) {
	known := func(c *peerCandidate) bool { return slices.Equal(c.addrs, addrs) }
	if len(addrs) == 0 || r.isSelf(addrs) || slices.ContainsFunc(r.candidates, known) {
		return false
	}
	r.candidates = append(r.candidates, &peerCandidate{addrs: addrs})
	return true
}

// isSelf says whether we serve at one of the addresses.
func (r *Registrar) isSelf(addrs []netip.AddrPort) bool {
	return slices.ContainsFunc(addrs, func(a netip.AddrPort) bool {
		return slices.Contains(r.cfg.ENRP.AddrPorts(), a) ||
			slices.ContainsFunc(r.cfg.Local, func(l netip.AddrPort) bool { return servesAt(l, a) })
	})
}

// servesAt says whether an endpoint that is bound to l is reached at a of this
// host's addresses.
func servesAt(l, a netip.AddrPort) bool {
	everywhere := l.Addr().IsUnspecified() && a.Addr().IsLoopback() && (l.Addr().Is6() || a.Addr().Is4())
	return l == a || everywhere && l.Port() == a.Port()
}

// A peer that was given up is looked for that long, and no more of them than
// that.
const (
	lostFor = time.Hour
	maxLost = 64
)

// keepCandidate remembers where a peer was that is given up.
func (r *Registrar) keepCandidate(now time.Time, p *peer) {
	lost := 0
	for _, c := range r.candidates {
		if slices.Equal(c.addrs, p.addrs()) {
			c.id = p.id
			if !c.until.IsZero() {
				c.until = now.Add(lostFor)
			}
			return
		}
		if !c.until.IsZero() {
			lost++
		}
	}
	if len(p.addrs()) > 0 && lost < maxLost {
		r.candidates = append(r.candidates, &peerCandidate{addrs: p.addrs(), until: now.Add(lostFor), id: p.id})
	}
}

// welcomeBack notes that a peer was given up before.
func (r *Registrar) welcomeBack(now time.Time, p *peer) {
	for _, c := range r.candidates {
		if c.id == p.id {
			p.returned = now
		}
	}
}

// dropCandidates forgets registrars that were given up long ago.
func (r *Registrar) dropCandidates(now time.Time) {
	if r.join.step == joinDone {
		r.candidates = slices.DeleteFunc(r.candidates, func(c *peerCandidate) bool {
			return !c.until.IsZero() && c.attempt == nil && c.link == nil && now.After(c.until)
		})
	}
}

// retryCandidates tries the registrars that are not among the peers: they may
// have been down, or cut off.
func (r *Registrar) retryCandidates() {
	if r.join.step != joinDone {
		return
	}
	for _, c := range r.candidates {
		if c.attempt == nil && c.link == nil && !r.known(c) {
			r.reachOut(c)
		}
	}
}

// known says whether a peer is at the candidate's address.
func (r *Registrar) known(c *peerCandidate) bool {
	return slices.ContainsFunc(r.peers, func(p *peer) bool {
		return slices.ContainsFunc(p.addrs(), func(a netip.AddrPort) bool { return slices.Contains(c.addrs, a) }) ||
			p.link != nil && slices.ContainsFunc(p.link.addrs, func(a netip.AddrPort) bool { return slices.Contains(c.addrs, a) })
	})
}

// reachOut introduces us at a candidate's address.
func (r *Registrar) reachOut(c *peerCandidate) {
	c.attempt = r.connectRegistrar(c.addrs, r.presence(0, true))
	c.attempt.candidate = c
}

// candidateReached: from now on the registrar there is a peer like any other,
// as soon as it says who it is. Whom else it knows is asked when we join, and
// later too: after a partition that is how the two sides meet.
func (r *Registrar) candidateReached(now time.Time, c *peerCandidate, l *link) {
	r.knocked(now, c, l)
	if l.peer == nil {
		c.link = l
	}
	if r.waitsFor(c) {
		r.timers.Set(&r.join.timer, now.Add(r.cfg.Timers.Mentor))
		r.askForList(l)
	} else if r.serving {
		r.askForList(l)
	}
}

func (r *Registrar) candidateFailed(now time.Time, c *peerCandidate, err error) {
	r.knocked(now, c, nil)
	r.missed(now, c, err)
	r.joinFailed(now, c)
}

func (r *Registrar) candidateLost(now time.Time, l *link, err error) {
	for _, c := range r.candidates {
		if c.link == l {
			c.link = nil
			if !r.known(c) {
				r.missed(now, c, err)
			}
			r.joinFailed(now, c)
		}
	}
}

// missPatience is how long a peer may be away before the operator is told: those
// of a group start one after the other.
const missPatience = 5 * time.Second

// missed notes that no registrar was met at a candidate's address. Who says why he is
// none is told of at once.
func (r *Registrar) missed(now time.Time, c *peerCandidate, err error) {
	if c.heard || !c.until.IsZero() {
		return
	}
	if c.wrong.IsZero() {
		c.wrong = now
	}
	if now.Sub(c.wrong) >= missPatience || errors.Is(err, assoc.ErrWrongPort) {
		r.complain(now, "peer "+fmt.Sprint(c.addrs), Log{Msg: "a configured peer cannot be reached", Peer: fmt.Sprint(c.addrs), Err: err})
	}
}

// errNoENRP: nobody answers an ENRP_PRESENCE.
var errNoENRP = errors.New("somebody accepts associations there but says nothing: is it another port than that for ENRP, or does it hang?")

// checkCandidates finds those that accept an association and stay silent, and notes
// who is there.
func (r *Registrar) checkCandidates(now time.Time) {
	for _, c := range r.candidates {
		switch {
		case r.known(c):
			c.wrong = time.Time{}
		case c.link != nil && c.link.peer == nil:
			r.missed(now, c, errNoENRP)
		}
	}
}
