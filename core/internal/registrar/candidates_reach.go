package registrar

import (
	"slices"
	"time"
)

// known says whether a peer is at the candidate's address.
func (cs *candidates) known(c *peerCandidate) bool {
	return slices.ContainsFunc(cs.peers.list, func(p *peer) bool {
		return slices.ContainsFunc(p.addrs(), c.has) || p.link != nil && slices.ContainsFunc(p.link.addrs, c.has)
	})
}

// linkTo is an association with the candidate's registrar, if there is one.
func (cs *candidates) linkTo(c *peerCandidate) *link {
	if c.link != nil {
		return c.link
	}
	for _, p := range cs.peers.list {
		if p.link != nil && len(p.link.addrs) > 0 && p.link.addrs[0] == c.addrs[0] {
			return p.link
		}
	}
	return nil
}

// reachOut introduces us at a candidate's address.
func (cs *candidates) reachOut(c *peerCandidate) {
	c.attempt = cs.attempts.connectRegistrar(c.addrs, cs.peers.presence(0, true))
	c.attempt.candidate = c
}

// reached: from now on the registrar there is a peer like any other, as soon as
// it says who it is. Whom else it knows is asked when we join, and later too:
// after a partition that is how the two sides meet.
func (cs *candidates) reached(now time.Time, c *peerCandidate, l *link) {
	cs.discovery.knocked(now, c, l)
	if l.peer == nil {
		c.link = l
	}
	if cs.join.waitsFor(c) {
		cs.join.awaitList(now)
		cs.peers.askForList(l)
	} else if cs.serving {
		cs.peers.askForList(l)
	}
}

func (cs *candidates) failed(now time.Time, c *peerCandidate, err error) {
	cs.discovery.knocked(now, c, nil)
	cs.missed(now, c, err)
	cs.join.candidateFailed(now, c)
}

func (cs *candidates) lost(now time.Time, l *link, err error) {
	for _, c := range cs.list {
		if c.link == l {
			c.link = nil
			if !cs.known(c) {
				cs.missed(now, c, err)
			}
			cs.join.candidateFailed(now, c)
		}
	}
}
