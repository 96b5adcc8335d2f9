package sctp

import (
	"net/netip"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

type state uint8

// States of RFC 9260 section 4. There is no object for CLOSED.
const (
	cookieWait state = iota + 1
	cookieEchoed
	established
	shutdownPending
	shutdownSent
	shutdownReceived
	shutdownAckSent
)

var stateNames = [...]string{
	"CLOSED", "COOKIE-WAIT", "COOKIE-ECHOED", "ESTABLISHED", "SHUTDOWN-PENDING",
	"SHUTDOWN-SENT", "SHUTDOWN-RECEIVED", "SHUTDOWN-ACK-SENT",
}

func (s state) String() string { return stateNames[s] }

// due are chunks that the association sends with its next packet.
type due uint8

const (
	dueInit due = 1 << iota
	dueCookieEcho
	dueCookieAck
	dueSack
	dueShutdown
	dueShutdownAck
	dueForward
)

// association is a TCB (section 14.2).
type association struct {
	e        *Endpoint
	id       assoc.ID
	state    state
	dead     bool
	incoming bool
	crossed  bool // the peer's INIT came while ours was under way
	gaveWay  bool // it is the peer's; see exclusive.go
	rival    bool // the peer has not answered since another one came from its address (peers.go)
	params   assoc.Params
	source   *source // the peer's first address

	peerPort     uint16
	tag, peerTag uint32
	tieOwn       uint32 // tie tags: nonces, not the live tags (SCTP-2-23)
	tiePeer      uint32

	paths   []*path
	primary *path
	replyTo *path // source of the last packet with DATA or control to answer
	errors  int   // association error counter (section 8.1)
	owed    due
	burst   int // packets with DATA that may still leave at this opportunity

	setup     *setup // until ESTABLISHED
	closing   bool   // Shutdown was called
	t2Tries   int
	restarted time.Time // when the peer last did

	inStreams, outStreams uint16
	interleave            bool // RFC 8260 negotiated: all data is I-DATA
	linux                 bool // the peer interleaves as Linux does (interleave.go)
	forwardTSN            bool // RFC 3758 negotiated, in the form that goes with it
	slowAcks              bool // the peer may delay its acknowledgements by 200 ms

	out outbound
	in  inbound

	t1, t2, t5, sackTimer, connect, probe timer
	stall                                 stall

	resends uint64 // DATA chunks
	answers bucket
	waiting bool // Send returned ErrWouldBlock
	notes   int  // unread notifications that may be dropped
	held    bool // by Hold
	parked  eventQueue
	queued  bool // in the ready queue
	nextUp  *association
}

// newAssociation makes an association without paths and registers it.
func (e *Endpoint) newAssociation(p assoc.Params, tag uint32, peerPort uint16) *association {
	e.lastID++
	a := &association{
		e: e, id: e.lastID, params: normalise(p),
		tag: tag, peerPort: peerPort,
	}
	a.initTimers()
	e.byID[a.id] = a
	e.byTag[tag] = a
	return a
}

// newTag draws a verification tag that no association uses (section 5.3.1,
// SCTP-2-04).
func (e *Endpoint) newTag() uint32 {
	for {
		if t := e.rand.nonZero(); e.byTag[t] == nil && e.recent.ended[t] == 0 {
			return t
		}
	}
}

func (e *Endpoint) newTSN() uint32 {
	if e.cfg.InitialTSN != nil {
		return e.cfg.InitialTSN()
	}
	return e.rand.uint32()
}

// adopt takes what the peer said in its INIT or INIT ACK.
func (a *association) adopt(tag uint32, offer *offer) {
	a.peerTag = tag
	a.outStreams = min(a.params.OutStreams, offer.inStreams)
	a.inStreams = min(a.params.InStreams, offer.outStreams)
	a.interleave = offer.interleave && !a.e.cfg.NoInterleaving
	a.forwardTSN = offer.forwardTSN
	if a.interleave {
		a.forwardTSN = offer.iForward // RFC 8260 section 2.3.1
	}
	a.linux = a.interleave && offer.forwardTSN && !offer.iForward
	a.slowAcks = offer.foreign
	a.in.start(offer.tsn, a.params.ReceiveBuffer)
	a.out.window, a.out.advertised, a.out.largest = int(offer.window), int(offer.window), int(offer.window)
}

// doubt has those addresses verified before they carry data that Connect was given
// and the peer neither answers from nor lists: one that is bound to a wildcard lists
// none, and may not know us there, if we have other addresses towards it.
func (a *association) doubt(answers *path, listed []netip.Addr) {
	for _, p := range a.paths {
		p.confirmed = p == answers || slices.Contains(listed, p.addr)
	}
}

// learn adds the addresses that the peer listed as unconfirmed paths (section
// 5.4, SCTP-3-121).
func (a *association) learn(addrs []netip.Addr) {
	for _, addr := range addrs {
		if len(a.paths) < maxAddresses && a.pathTo(addr) == nil && !a.e.crowded(addr, a.peerPort, true) &&
			a.e.pathAt(netip.AddrPortFrom(addr, a.primary.udpPort), a.peerPort) == nil {
			a.newPath(addr, a.primary.udpPort)
		}
	}
}

// remove forgets the association. Events that it caused stay readable.
func (a *association) remove() {
	e := a.e
	a.dead = true
	a.stopTimers()
	a.in.lent.forgive(a)
	a.in.release(a)
	a.out.release(a)
	delete(e.byID, a.id)
	delete(e.byTag, a.tag)
	for _, p := range a.paths {
		e.leave(p)
	}
	a.part()
}

// lost ends the association and reports what was not delivered, then why
// (SCTP-4-02).
func (a *association) lost(kind assoc.Kind, cause chunk.Cause, err error) {
	if a.dead {
		return
	}
	if a.state == cookieWait || a.state == cookieEchoed {
		kind = assoc.CannotStart
	} else {
		a.e.counters.AssocsDown++
	}
	a.hold(false)
	a.failMessages(cause, err)
	a.e.recent.add(a.tag, endedByForce)
	a.remove()
	a.notify(kind, cause, err)
}
