package sctp

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

// handleCookie compares a cookie with the association that exists (section
// 5.2.4, table of SCTP-2-25). It returns whether to go on with the packet.
func (a *association) handleCookie(in *arrival, ck *cookie) bool {
	own, peer := ck.ownTag == a.tag, ck.peerTag == a.peerTag && a.peerTag != 0
	ties := a.tieOwn != 0 && ck.tieOwn == a.tieOwn && ck.tiePeer == a.tiePeer
	switch {
	case in.header.Tag != ck.ownTag:
		a.e.counters.BadTag++
		return false
	case ck.expired(in.now) && !(own && peer):
		a.e.sendStale(in, ck)
		return false
	case !own && !peer && ties:
		return a.restart(in, ck) // case A
	case own && !peer:
		a.collide(in, ck) // case B
	case own && peer:
		a.confirmCookie(in) // case D
	default: // case C, and what is in no case
		a.e.counters.CookiesRefused++
		return false
	}
	return true
}

// collide settles a simultaneous opening (case B): the peer's tag is that of
// the cookie.
func (a *association) collide(in *arrival, ck *cookie) {
	if a.state >= established {
		a.peerTag = ck.peerTag
		a.owe(dueCookieAck)
		return
	}
	path := a.pathTo(in.from.Addr())
	if path != nil {
		a.primary = path
	}
	a.out.markAll() // early data went with a cookie that the peer will not answer
	a.adopt(ck.peerTag, &ck.peer)
	a.limitStreams(ck)
	a.learn(ck.addrs)
	a.gaveWay = a.params.Exclusive
	a.becomeEstablished(in.now)
	a.owe(dueCookieAck)
}

// confirmCookie acknowledges a duplicate (case D): nothing starts again.
func (a *association) confirmCookie(in *arrival) {
	if a.state == cookieEchoed {
		a.crossed = true
		a.decide()
		a.becomeEstablished(in.now)
	}
	a.owe(dueCookieAck)
}

// restart begins anew with a peer that did (case A). What was sent before
// cannot arrive any more and goes back to its sender.
func (a *association) restart(in *arrival, ck *cookie) bool {
	e := a.e
	if a.state == shutdownAckSent {
		a.owe(dueShutdownAck)
		if in.path = a.pathTo(in.from.Addr()); in.path != nil {
			a.replyError(in, chunk.CauseCookieInShutdown, nil)
		}
		return false
	}
	if e.byTag[ck.ownTag] != nil || in.now.Sub(a.restarted) < time.Second {
		e.counters.CookiesRefused++ // a restart needs the tie tags and known addresses (SCTP-6-09)
		return false
	}
	e.counters.Restarts++
	a.failMessages(0, errRestarted)
	a.stopTimers()
	a.in.release(a)
	a.in = inbound{held: a.in.held, memory: a.in.memory, ready: a.in.ready, lent: a.in.lent}
	e.recent.add(a.tag, endedInPeace)
	delete(e.byTag, a.tag)
	a.tag = ck.ownTag
	e.byTag[a.tag] = a
	a.resetForRestart(in, ck)
	a.state = established
	a.notifyUp(assoc.Restart)
	a.room()
	a.startBeats(in.now)
	a.owe(dueCookieAck)
	if a.closing = e.closed; a.closing { // else it is the user's to decide again
		a.beginShutdown(in.now)
	}
	return true
}

func (a *association) resetForRestart(in *arrival, ck *cookie) {
	a.restarted = in.now
	a.tieOwn, a.tiePeer = 0, 0
	a.errors, a.t2Tries, a.owed = 0, 0, 0
	a.setup = nil
	for _, p := range a.paths {
		p.resetTransfer()
		p.control, p.nonce, p.sendBeat = nil, 0, false
	}
	if p := a.pathTo(in.from.Addr()); p != nil {
		a.primary, a.replyTo = p, p
		p.confirmed = true
	}
	a.adopt(ck.peerTag, &ck.peer)
	a.limitStreams(ck)
	a.out.start(ck.own.tsn)
	a.refillBurst()
}
