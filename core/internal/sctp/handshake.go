package sctp

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

// setup is what an association needs until it is established.
type setup struct {
	tsn     uint32  // own initial TSN
	tries   int     // retransmissions of the chunk that T1 guards
	target  int     // index of the path that the INIT goes to
	vain    []*path // where nobody is, or no way leads
	sent    time.Time
	resent  bool   // the round trip of the chunk cannot be measured
	cookie  []byte // to echo
	unknown []byte // parameters of the INIT ACK to report
	stale   bool   // a second INIT was sent for a stale cookie
	longer  uint32 // ms that it asks the next cookie to live on
}

// Connect opens an association to a peer with the given SCTP addresses, which
// have one port in common. The outcome is an event: CommUp or CannotStart. If
// there is an association with one of them already, its ID is returned with
// assoc.ErrAlreadyExists. p may be nil; its zero fields are the endpoint's.
func (e *Endpoint) Connect(now time.Time, peer []netip.AddrPort, p *assoc.Params) (assoc.ID, error) {
	if e.closed {
		return 0, ErrClosed
	}
	addrs, port, err := peerAddrs(peer)
	if err != nil {
		return 0, err
	}
	params := e.params
	if p != nil {
		params = override(params, *p)
	}
	udpPort := params.EncapPort
	if udpPort == 0 {
		udpPort = port
	}
	for _, addr := range addrs {
		if a := e.existing(netip.AddrPortFrom(addr, udpPort), port, params.EncapPort); a != nil {
			return a.id, assoc.ErrAlreadyExists
		}
	}
	if !e.room(addrs[0], false) {
		return 0, assoc.ErrNoResources
	}
	a := e.newAssociation(params, e.newTag(), port)
	for _, addr := range addrs {
		a.newPath(addr, udpPort).confirmed = true // the address of the handshake is confirmed (SCTP-3-121)
	}
	a.primary = a.paths[0]
	if q := a.pathTo(a.params.Primary); q != nil {
		a.primary = q
	}
	a.setup = &setup{tsn: e.newTSN(), target: int(a.primary.index)}
	a.out.start(a.setup.tsn)
	a.enterCookieWait(now)
	if a.params.ConnectTimeout > 0 {
		a.startTimer(&a.connect, now, a.params.ConnectTimeout)
	}
	return a.id, nil
}

func peerAddrs(peer []netip.AddrPort) (addrs []netip.Addr, port uint16, err error) {
	if len(peer) == 0 || len(peer) > maxAddresses {
		return nil, 0, assoc.ErrInvalid
	}
	port = peer[0].Port()
	for _, ap := range peer {
		addr := ap.Addr().Unmap()
		if ap.Port() != port || port == 0 || !unicast(addr) {
			return nil, 0, assoc.ErrInvalid
		}
		addrs = append(addrs, addr)
	}
	return addrs, port, nil
}

func (a *association) enterCookieWait(now time.Time) {
	a.state = cookieWait
	a.setup.tries, a.setup.resent = 0, false
	a.owe(dueInit)
	a.startTimer(&a.t1, now, a.setupPath().rto.value)
}

// setupPath is the path that INIT and COOKIE ECHO go to.
func (a *association) setupPath() *path { return a.paths[a.setup.target] }

func (a *association) ownOffer() offer {
	return offer{
		tsn: a.setup.tsn, window: uint32(a.params.ReceiveBuffer),
		outStreams: a.params.OutStreams, inStreams: a.params.InStreams,
	}
}

// appendInit writes an INIT or INIT ACK.
func appendInit(b []byte, t chunk.Type, tag uint32, o *offer, params []byte, lastPadding int) []byte {
	return chunk.AppendInit(b, t, &chunk.Init{
		Tag: tag, Window: o.window, OutStreams: o.outStreams, InStreams: o.inStreams, TSN: o.tsn, Params: params,
	}, lastPadding)
}

// buildInit makes the INIT packet, if it is due.
func (a *association) buildInit(now time.Time, p *Packet) bool {
	if a.owed&dueInit == 0 {
		return false
	}
	a.owed &^= dueInit
	q := a.setupPath()
	w := a.start(q, p)
	var space [512]byte
	params := a.e.appendExtensions(space[:0], true)
	params = a.e.appendLocal(params, q.addr)
	if a.setup.longer > 0 {
		params = chunk.AppendParam(params, chunk.ParamCookiePreservative, binary.BigEndian.AppendUint32(nil, a.setup.longer))
	}
	own := a.ownOffer()
	w.b = appendInit(w.b, chunk.TypeInit, a.tag, &own, params, 0)
	a.setup.sent = now
	return a.finish(&w, q, p)
}

// buildCookieEcho makes the packet with COOKIE ECHO, reports of unknown
// parameters and early data; else, in this state, only HEARTBEAT ACKs leave
// (sections 5.1 C, 8.3; SCTP-2-08).
func (a *association) buildCookieEcho(now time.Time, p *Packet) bool {
	q := a.setupPath()
	w := a.start(q, p)
	if a.owed&dueCookieEcho == 0 {
		for _, q := range a.paths {
			if len(q.control) > 0 {
				w = a.start(q, p)
				w.b = append(w.b, q.control...)
				q.control = q.control[:0]
				return a.finish(&w, q, p)
			}
		}
		return false
	}
	a.owed &^= dueCookieEcho
	w.b = chunk.AppendRaw(w.b, chunk.TypeCookieEcho, 0, a.setup.cookie)
	if n := len(a.setup.unknown); n > 0 && 8+n <= w.left() {
		w.b = chunk.AppendError(w.b, chunk.CauseUnknownParams, a.setup.unknown)
	}
	a.setup.sent = now
	a.fill(now, &w, q)
	return a.finish(&w, q, p)
}

// t1Due repeats INIT or COOKIE ECHO, up to the limit (section 4 notes 2 and 3,
// SCTP-2-06). An INIT tries the given addresses in turn.
func (a *association) t1Due(now time.Time) {
	s := a.setup
	s.tries++
	s.resent = true
	if s.tries > a.params.MaxInitRetransmits {
		a.lost(assoc.CannotStart, 0, assoc.ErrTimeout)
		return
	}
	value := 2 * a.setupPath().rto.value
	if a.state == cookieWait {
		s.nextTarget(a.paths)
		a.owe(dueInit)
	} else {
		a.echoAgain()
	}
	q := a.setupPath()
	q.rto.value = min(max(value, q.rto.value), a.params.RTOMax)
	a.startTimer(&a.t1, now, q.rto.value)
}

// echoAgain sends COOKIE ECHO, with the early data that went with it before.
func (a *association) echoAgain() {
	a.out.markAll()
	a.refillBurst()
	a.owe(dueCookieEcho)
}

func (a *association) connectDue() {
	a.lost(assoc.CannotStart, 0, assoc.ErrTimeout)
}

// pathOfInitAck finds the path that an INIT ACK from an unknown address
// belongs to by the addresses that it lists (section 5.1.2 D).
func (a *association) pathOfInitAck(c chunk.Raw, from netip.Addr) *path {
	o, err := readOffered(c, from)
	if err != nil || a.state != cookieWait {
		return nil
	}
	for _, addr := range o.addrs {
		if p := a.pathTo(addr); p != nil {
			return p
		}
	}
	return nil
}

// handleInitAck takes the answer to our INIT (section 5.1 C). It returns
// whether to go on with the packet, which never is.
func (a *association) handleInitAck(in *arrival, c chunk.Raw) bool {
	if a.state != cookieWait {
		return false
	}
	o, err := readOffered(c, in.from.Addr())
	switch {
	case err != nil:
		a.e.counters.BadPacket++
		return false
	case o.tag == 0: // a tag is not zero (SCTP-1-32)
		a.refuseInitAck(in, in.header.Tag, chunk.FlagT, 0, nil)
		return false
	case o.cause != 0 && o.window < minWindow && o.outStreams != 0 && o.inStreams != 0:
		a.sendNow(in.path, o.tag, chunk.AppendAbort(nil, 0, o.cause, nil))
		return false // the TCB stays
	case o.cause != 0:
		a.refuseInitAck(in, o.tag, 0, o.cause, nil)
		return false
	case len(o.cookie) == 0:
		a.refuseInitAck(in, o.tag, 0, chunk.CauseMissingParam, chunk.MissingInfo(chunk.ParamStateCookie))
		return false
	}
	a.becomeCookieEchoed(in, &o)
	return false
}

func (a *association) refuseInitAck(in *arrival, tag uint32, flags uint8, cause chunk.Cause, info []byte) {
	a.sendNow(in.path, tag, chunk.AppendAbort(nil, flags, cause, info))
	a.lost(assoc.CannotStart, cause, &causeError{cause: cause, kind: assoc.ErrProtocol})
}

func (a *association) becomeCookieEchoed(in *arrival, o *offered) {
	s := a.setup
	a.adopt(o.tag, &o.offer)
	a.doubt(in.path, o.addrs)
	a.primary = in.path
	a.learn(o.addrs)
	s.target = int(in.path.index)
	if !s.resent { // REC of SCTP-3-61
		a.primary.sample(in.now.Sub(s.sent), a.params.RTOMin, a.params.RTOMax)
	}
	s.cookie = append([]byte(nil), o.cookie...)
	s.unknown = append([]byte(nil), o.unknown...)
	s.tries, s.resent = 0, false
	a.state = cookieEchoed
	a.refillBurst()
	a.owe(dueCookieEcho)
	a.startTimer(&a.t1, in.now, a.primary.rto.value)
}

// handleCookieAck ends the set-up (section 5.1 E).
func (a *association) handleCookieAck(in *arrival) {
	if a.state != cookieEchoed {
		return
	}
	if !a.setup.resent {
		a.primary.sample(in.now.Sub(a.setup.sent), a.params.RTOMin, a.params.RTOMax)
	}
	a.decide()
	a.becomeEstablished(in.now)
}

// becomeEstablished starts what runs while an association lives. Early data
// is timed from here on.
func (a *association) becomeEstablished(now time.Time) {
	a.state = established
	a.setup = nil
	a.errors = 0
	a.owed &^= dueInit | dueCookieEcho
	a.stopTimer(&a.t1)
	a.stopTimer(&a.connect)
	a.e.counters.AssocsUp++
	a.notifyUp(assoc.CommUp)
	a.startBeats(now)
	a.failUnsendable()
	for _, p := range a.paths {
		if p.flight > 0 {
			a.startTimer(&p.t3, now, p.rto.value)
		}
	}
	if p := a.pathTo(a.params.Primary); p != nil && p.confirmed {
		a.primary = p
	}
	a.refillBurst()
	a.wake()
	if a.closing {
		a.beginShutdown(now)
	}
}

// handleStaleCookie tries once more from the start (section 5.2.6,
// SCTP-2-26).
func (a *association) handleStaleCookie(in *arrival) {
	if a.setup.stale {
		a.lost(assoc.CannotStart, chunk.CauseStaleCookie, &causeError{cause: chunk.CauseStaleCookie, kind: assoc.ErrTimeout})
		return
	}
	a.setup.stale = true
	a.setup.longer = uint32((a.setupPath().srtt + time.Second).Milliseconds()) // at most a second more than the round trip
	a.peerTag = 0
	a.out.markAll()
	a.enterCookieWait(in.now)
}
