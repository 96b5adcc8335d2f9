package sctp

import (
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

// handleInit answers an INIT (sections 5.1 B, 5.2.1, 5.2.2). Whatever the
// state, it changes none and keeps nothing.
func (e *Endpoint) handleInit(in *arrival, c chunk.Raw) {
	if !in.alone || in.header.Tag != 0 {
		e.counters.BadPacket++ // an INIT travels alone (SCTP-1-16)
		return
	}
	o, err := readOffered(c, in.from.Addr())
	if err != nil || o.tag == 0 {
		e.counters.BadPacket++ // it has a tag, streams and a window (SCTP-1-32)
		return
	}
	if !e.initRate.take(in.now) {
		e.counters.InitsRefused++ // there is a limit per second (SCTP-6-02)
		return
	}
	a := e.known(in, o.addrs)
	switch {
	case o.cause != 0:
		e.refuseInit(in, &o, o.cause, nil)
	case a != nil:
		a.answerInit(in, &o)
	case e.closed || e.cfg.NoListen || in.header.DstPort != e.cfg.Port:
		e.refuseInit(in, &o, 0, nil) // section 8.4 rule 3
	case !e.room(in.from.Addr(), true), e.crowded(in.from.Addr(), in.header.SrcPort, false):
		e.refuseInit(in, &o, chunk.CauseOutOfResource, nil)
	default:
		e.sendInitAck(in, &o, &cookie{own: e.listenOffer(), ownTag: e.newTag()})
	}
}

func (e *Endpoint) listenOffer() offer {
	p := normalise(e.params)
	return offer{
		tsn: e.newTSN(), window: uint32(p.ReceiveBuffer),
		outStreams: p.OutStreams, inStreams: p.InStreams,
	}
}

// refuseInit answers with an ABORT under the peer's own tag, which is smaller
// than the INIT.
func (e *Endpoint) refuseInit(in *arrival, o *offered, cause chunk.Cause, info []byte) {
	e.counters.InitsRefused++
	e.answer(in, o.tag, chunk.AppendAbort(nil, 0, cause, info))
}

// answer sends chunks to where a packet came from, port included (SCTP-5-03).
func (e *Endpoint) answer(in *arrival, tag uint32, chunks []byte) {
	h := chunk.Header{SrcPort: in.header.DstPort, DstPort: in.header.SrcPort, Tag: tag}
	e.sendStray(in.from, in.local, h, chunks, dscp(e.params))
}

// answerInit answers an INIT of a peer that we have an association with: it
// restarted, or both opened at once (section 5.2, SCTP-2-20 to SCTP-2-22).
func (a *association) answerInit(in *arrival, o *offered) {
	e := a.e
	switch a.state {
	case shutdownAckSent:
		a.owe(dueShutdownAck)
		return
	case cookieWait:
		if a.pathTo(in.from.Addr()) == nil {
			e.counters.InitsRefused++
			return
		}
		if o.tag == a.tag {
			// Its own INIT: the endpoint connects to itself, because it has been
			// given the port that a peer had which is gone. Nobody is there.
			a.lost(assoc.CannotStart, 0, assoc.ErrRefused)
			return
		}
		if !a.crossing(o.tag) {
			return
		}
		e.sendInitAck(in, o, &cookie{own: a.ownOffer(), ownTag: a.tag})
		return
	}
	if added := a.added(in, o.addrs); len(added) > 0 {
		e.refuseInit(in, o, chunk.CauseNewAddresses, added)
		return
	}
	if a.tieOwn == 0 {
		a.tieOwn, a.tiePeer = e.rand.nonZero(), e.rand.nonZero() // random tie tags, not the real ones (SCTP-2-23)
	}
	ck := &cookie{tieOwn: a.tieOwn, tiePeer: a.tiePeer}
	if a.state == cookieEchoed {
		a.crossed = true
		ck.own, ck.ownTag = a.ownOffer(), a.tag
	} else {
		ck.own, ck.ownTag = e.listenOffer(), e.newTag()
	}
	e.sendInitAck(in, o, ck)
}

// added lists, as address parameters, what an INIT names and the association
// does not have (section 5.2.2).
func (a *association) added(in *arrival, addrs []netip.Addr) (list []byte) {
	if a.pathTo(in.from.Addr()) == nil {
		list = chunk.AppendAddr(list, in.from.Addr())
	}
	for _, addr := range addrs {
		if a.pathTo(addr) == nil {
			list = chunk.AppendAddr(list, addr)
		}
	}
	return list
}

// initAckFixed is the size of an INIT ACK packet without parameters.
const initAckFixed = chunk.MinPacket + 16

// sendInitAck completes the cookie and sends the INIT ACK. Unknown parameters are
// reported as far as one packet goes (SCTP-1-31). A report is four bytes longer than
// what it reports, so that an INIT gains less by them than by being sent once more
// (SCTP-6-03).
func (e *Endpoint) sendInitAck(in *arrival, o *offered, c *cookie) {
	c.own.outStreams = min(c.own.outStreams, o.inStreams) // section 5.1.1
	c.created, c.life = in.now.UnixNano(), normalise(e.params).CookieLife
	c.life += min(o.longer, c.life) // section 5.2.6, SCTP-2-26
	c.peerPort, c.port = in.header.SrcPort, in.header.DstPort
	c.peer, c.peerTag = o.offer, o.tag
	c.from, c.addrs = in.from, o.addrs
	var space [1024]byte
	params := e.appendExtensions(space[:0], o.interleave)
	params = e.appendLocal(params, in.from.Addr())
	sealed := e.sealCookie(nil, in.now, c)
	params = chunk.AppendParam(params, chunk.ParamStateCookie, sealed)
	padding := chunk.Pad(len(sealed)) - len(sealed)
	room := packetSize(in.from.Addr(), 0) - initAckFixed
	for rest := o.unknown; len(rest) > 0; {
		p, more, err := chunk.NextParam(rest)
		if err != nil || len(params)+chunk.Pad(4+len(p.Whole)) > room {
			break
		}
		params = chunk.AppendParam(params, chunk.ParamUnrecognized, p.Whole)
		padding = chunk.Pad(len(p.Whole)) - len(p.Whole)
		rest = more
	}
	e.answer(in, o.tag, appendInit(nil, chunk.TypeInitAck, c.ownTag, &c.own, params, padding))
}

// handleCookieEcho opens the cookie and makes, restarts or confirms an
// association (sections 5.1.5, 5.2.4). The rest of the packet goes to it.
func (e *Endpoint) handleCookieEcho(in *arrival, c chunk.Raw, rest []byte) {
	ck, ok := e.openCookie(c.Value)
	if !ok || ck.port != in.header.DstPort || ck.port != e.cfg.Port || ck.peerPort != in.header.SrcPort ||
		!ck.names(in.from.Addr()) {
		e.counters.CookiesRefused++
		return
	}
	a := e.knownByCookie(in, &ck)
	if a == nil {
		a = e.acceptCookie(in, &ck)
	} else if !a.handleCookie(in, &ck) {
		a = nil
	}
	if a == nil {
		return
	}
	in.path = a.pathTo(in.from.Addr())
	if in.path == nil {
		in.path = a.primary
	}
	in.first = false
	a.receive(in, rest)
}

// acceptCookie makes the association of a cookie (section 5.1.5, SCTP-2-24).
func (e *Endpoint) acceptCookie(in *arrival, ck *cookie) *association {
	switch {
	case ck.ownTag != in.header.Tag, e.byTag[ck.ownTag] != nil, e.recent.ended[ck.ownTag] == endedInPeace:
		e.counters.CookiesRefused++
	case e.recent.ended[ck.ownTag] == endedByForce:
		e.counters.CookiesRefused++
		e.answer(in, ck.peerTag, chunk.AppendAbort(nil, 0, 0, nil))
	case ck.expired(in.now):
		e.sendStale(in, ck)
	case e.closed || e.cfg.NoListen:
		e.answer(in, ck.peerTag, chunk.AppendAbort(nil, 0, 0, nil))
	case ck.from.Addr().IsLinkLocalUnicast() && in.from.Addr().WithZone("") != ck.from.Addr():
		e.counters.CookiesRefused++ // the zone of the address is not known
	case !e.room(ck.from.Addr(), true), e.crowded(ck.from.Addr(), ck.peerPort, false):
		e.answer(in, ck.peerTag, chunk.AppendAbort(nil, 0, chunk.CauseOutOfResource, nil))
	default:
		return e.newIncoming(in, ck)
	}
	return nil
}

func (e *Endpoint) newIncoming(in *arrival, ck *cookie) *association {
	a := e.newAssociation(e.params, ck.ownTag, ck.peerPort)
	a.incoming = true
	// What the peer has shown is that it gets what is sent to where its INIT
	// came from (section 5.4, SCTP-3-121). Only the packet knows the zone of a
	// link-local address.
	first, local := ck.from, netip.Addr{}
	if in.from.Addr().WithZone("") == first.Addr() {
		first, local = in.from, in.local
	}
	a.primary = a.newPath(first.Addr(), first.Port())
	a.source.incoming++
	a.primary.confirmed = true
	if local.IsValid() {
		a.primary.local, a.primary.home = local, local
	}
	a.adopt(ck.peerTag, &ck.peer)
	a.limitStreams(ck)
	if a.pathTo(in.from.Addr()) == nil {
		a.learn([]netip.Addr{in.from.Addr()})
	}
	a.learn(ck.addrs)
	a.out.start(ck.own.tsn)
	a.becomeEstablished(in.now)
	a.owe(dueCookieAck)
	a.challenge(in.now)
	return a
}

// limitStreams keeps to what the INIT ACK said, should the parameters have
// changed since.
func (a *association) limitStreams(ck *cookie) {
	a.outStreams = min(ck.own.outStreams, ck.peer.inStreams)
	a.inStreams = min(ck.own.inStreams, ck.peer.outStreams)
}

// sendStale reports an expired cookie (section 5.2.6).
func (e *Endpoint) sendStale(in *arrival, ck *cookie) {
	e.counters.CookiesRefused++
	if !e.mayReply(in) {
		return
	}
	over := time.Duration(in.now.UnixNano()-ck.created) - ck.life
	us := uint32(min(max(over.Microseconds(), 0), 1<<31))
	e.answer(in, ck.peerTag, chunk.AppendError(nil, chunk.CauseStaleCookie, chunk.StaleInfo(us)))
}
