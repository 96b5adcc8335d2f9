package sim

import (
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// port is one SCTP endpoint of a process.
type port struct {
	w      *World
	proc   *process
	addr   netip.AddrPort
	ends   map[assoc.ID]*end
	byPeer map[netip.AddrPort]*end
	last   assoc.ID
	notify func(assoc.RecvInfo, []byte)

	// Of an endpoint that carries data, besides ASAP: it is told what does not
	// arrive, that there is room again, and that a peer ends an association.
	carriesData  bool
	lends        bool // what is received counts against the window until Return
	writable     func(assoc.ID)
	room, window int // of associations that set nothing; 0: the world's
}

// end is one side of an association.
type end struct {
	port  *port
	id    assoc.ID
	peer  netip.AddrPort
	state endState
	other *end

	out      []*sending        // what was accepted and is not known to have arrived, in order
	launched int               // how many of out are on their way
	queued   int               // bytes of out
	inFlight int               // bytes on their way
	unread   int               // bytes that arrived here and were not taken, or not returned
	kept     []packet          // arrived while paused
	paused   bool              // nothing is handed to the process
	refused  bool              // Send found no room
	shutdown bool              // the peer wants to end it
	echoed   bool              // it brought a cookie
	saidEnd  bool              // closing: the peer is being told
	room     int               // send buffer
	window   int               // receive buffer
	stuck    []packet          // on the way, held up by a broken path
	ahead    map[uint64]packet // arrived before others that were sent earlier
	sent     uint64            // packets
	arrived  uint64            // of them, in order
	arrives  time.Time         // when the newest packet does
	breaks   int               // how often its path broke or healed
	deadline time.Time         // of its set-up
}

type endState uint8

const (
	connecting endState = iota
	echoed              // the other side stands, we are about to
	standing
	closing // shutdown was asked for
	closed
)

type packet struct {
	kind packetKind
	of   *sending // dataPacket
	to   *end
	seq  uint64
}

type packetKind uint8

const (
	dataPacket packetKind = iota
	upPacket
	shutdownPacket
)

func (p *process) listen(number uint16, notify func(assoc.RecvInfo, []byte)) *port {
	q := &port{
		w: p.host.w, proc: p, addr: netip.AddrPortFrom(p.host.ip, number), notify: notify,
		ends: map[assoc.ID]*end{}, byPeer: map[netip.AddrPort]*end{},
	}
	p.ports = append(p.ports, q)
	q.w.ports[q.addr] = q
	return q
}

func (p *port) newEnd(peer netip.AddrPort) *end {
	p.last++
	e := &end{port: p, id: p.last, peer: peer, room: p.w.Net.Window, window: p.w.Net.Window}
	e.limit(&assoc.Params{SendBuffer: p.room, ReceiveBuffer: p.window})
	p.ends[e.id], p.byPeer[peer] = e, e
	return e
}

func (e *end) host() *Host { return e.port.proc.host }

func (e *end) tell(kind assoc.Kind, err error) {
	e.port.proc.do(func() { e.port.notify(assoc.RecvInfo{Kind: kind, Assoc: e.id, Err: err}, nil) })
}

// tellUp tells of an association that the other side has opened.
func (e *end) tellUp(kind assoc.Kind) {
	e.port.proc.do(func() { e.port.notify(assoc.RecvInfo{Kind: kind, Assoc: e.id, Incoming: true}, nil) })
}

// Connect begins an association, as transport.Endpoint.Connect does; timing is that
// of the world.
func (p *port) Connect(to []netip.AddrPort, params *assoc.Params) (assoc.ID, error) {
	if len(to) == 0 {
		return 0, assoc.ErrInvalid
	}
	if e := p.byPeer[to[0]]; e != nil {
		return e.id, assoc.ErrAlreadyExists
	}
	e := p.newEnd(to[0])
	if params != nil {
		e.limit(params)
	}
	e.deadline = p.w.now.Add(p.w.Net.Connect)
	p.w.after(2*p.w.delay(), e.attempt)
	return e.id, nil
}

// retransmission is how long a side waits before it says something again.
const retransmission = 200 * time.Millisecond

// attempt is the handshake's first half.
func (e *end) attempt() {
	if e.state != connecting {
		return
	}
	w := e.port.w
	there := w.byIP[e.peer.Addr()]
	switch p := w.ports[e.peer]; {
	case there == nil || !w.connected(e.host(), there):
		e.attemptLater()
	case p == nil:
		e.close(assoc.CannotStart, assoc.ErrRefused)
	case p.byPeer[e.port.addr] != nil && p.byPeer[e.port.addr].state > standing,
		p.byPeer[e.port.addr] != nil && p.byPeer[e.port.addr].state == echoed:
		e.attemptLater()
	default:
		p.accept(e)
	}
}

func (e *end) attemptLater() {
	if e.port.w.now.After(e.deadline) {
		e.close(assoc.CannotStart, assoc.ErrTimeout)
		return
	}
	e.port.w.after(retransmission, e.attempt)
}

// accept is the second half: this side stands at once, the other one when it
// hears of it. Two that call each other get one association; a peer that calls
// again has restarted.
func (p *port) accept(e *end) {
	o, news := p.byPeer[e.port.addr], assoc.CommUp
	switch {
	case o == nil:
		o = p.newEnd(e.port.addr)
	case o.state == standing:
		news = assoc.Restart
		o.giveBack()
		o.stuck, o.ahead, o.sent, o.arrived = nil, nil, 0, 0
		o.inFlight, o.unread, o.kept, o.paused = 0, 0, nil, false
	}
	o.state, o.other = standing, e
	e.state, e.other = echoed, o
	o.transmit(packet{kind: upPacket})
	o.pump()
	e.pump()
	o.tellUp(news) // the process may send something at once: behind all that
	p.w.after(max(e.deadline.Sub(p.w.now), 0)+time.Second, func() {
		if e.state == echoed {
			e.lose(assoc.ErrTimeout)
		}
	})
}

// transmit puts a packet on its way; packets of one side of an association
// keep their order.
func (e *end) transmit(pk packet) {
	e.sent++
	pk.to, pk.seq = e.other, e.sent
	e.launch(pk)
}

func (e *end) launch(pk packet) {
	w := e.port.w
	at := w.now.Add(w.delay())
	if e.port.carriesData && w.Net.Loss > 0 && w.rnd.IntN(100) < w.Net.Loss {
		at = at.Add(retransmission)
	}
	if at.Before(e.arrives) {
		at = e.arrives
	}
	e.arrives = at
	w.after(at.Sub(w.now), func() { e.arrive(pk) })
}

func (e *end) arrive(pk packet) {
	o := pk.to
	switch {
	case e.state == closed || e.other != o || o.other != e:
	case !e.port.w.open(e.host(), o.host()):
		e.stuck = append(e.stuck, pk)
	case o.state == closed:
		e.orphaned()
	case pk.seq != e.arrived+1:
		if e.ahead == nil {
			e.ahead = map[uint64]packet{}
		}
		e.ahead[pk.seq] = pk
	default:
		e.arrived++
		o.receive(pk)
		if next, ok := e.ahead[e.arrived+1]; ok {
			delete(e.ahead, next.seq)
			e.arrive(next)
		}
	}
}

func (e *end) receive(pk packet) {
	switch pk.kind {
	case upPacket:
		if e.state == echoed {
			e.state = standing
			e.tell(assoc.CommUp, nil)
			e.pump()
		}
	case shutdownPacket:
		e.peerShutsDown()
	default:
		e.receiveData(pk)
	}
}

// peerShutsDown: what this side has sent still arrives before the end.
func (e *end) peerShutsDown() {
	e.shutdown = true
	if e.port.carriesData && len(e.out) > 0 {
		e.tell(assoc.ShutdownEvent, nil)
	}
	e.finishShutdown()
}

// finishShutdown ends an association that one of the sides shuts down, when nothing
// is on the way any more.
func (e *end) finishShutdown() {
	switch {
	case e.shutdown && (len(e.out) == 0 || !e.port.carriesData):
		from := e.other
		e.close(assoc.ShutdownComplete, nil)
		e.port.w.after(e.port.w.delay(), func() { from.close(assoc.ShutdownComplete, nil) })
	case e.state == closing && e.launched == len(e.out) && !e.saidEnd:
		e.saidEnd = true
		e.transmit(packet{kind: shutdownPacket})
	}
}

// Shutdown ends an association gracefully.
func (p *port) Shutdown(id assoc.ID) error {
	e := p.ends[id]
	switch {
	case e == nil || e.state == closing:
	case e.state != standing:
		e.lose(assoc.ErrLocalAbort)
	default:
		e.state = closing
		e.finishShutdown()
	}
	return nil
}

// Abort ends an association at once; nobody is told the reason.
func (p *port) Abort(id assoc.ID, _ string) error {
	if e := p.ends[id]; e != nil {
		e.lose(assoc.ErrLocalAbort)
	}
	return nil
}

// AssocAddrs returns the addresses of an association.
func (p *port) AssocAddrs(id assoc.ID) (local, peer []netip.AddrPort, err error) {
	e := p.ends[id]
	if e == nil {
		return nil, nil, assoc.ErrNotConnected
	}
	return []netip.AddrPort{p.addr}, []netip.AddrPort{e.peer}, nil
}

// lose ends this side, and the other one when it hears of it.
func (e *end) lose(err error) {
	kind := assoc.CommLost
	if e.state < standing {
		kind = assoc.CannotStart
	}
	e.close(kind, err)
	e.abortOther(e.port.w.delay())
}

func (e *end) close(kind assoc.Kind, err error) {
	if e.state == closed {
		return
	}
	e.forget()
	e.giveBack()
	e.tell(kind, err)
}

func (e *end) forget() {
	e.state, e.stuck, e.ahead = closed, nil, nil
	delete(e.port.ends, e.id)
	if e.port.byPeer[e.peer] == e {
		delete(e.port.byPeer, e.peer)
	}
}

// abortOther tells the other side that this one has ended, unless the path is
// broken: then it notices by itself.
func (e *end) abortOther(in time.Duration) {
	o, w := e.other, e.port.w
	if o == nil {
		return
	}
	w.after(in, func() {
		if o.other == e && o.state != closed && w.open(e.host(), o.host()) {
			o.close(assoc.CommLost, assoc.ErrAborted)
		}
	})
}

// orphaned: the other side knows nothing of the association any more, and says
// so to whatever is sent there.
func (e *end) orphaned() {
	o, w := e.other, e.port.w
	w.after(w.delay(), func() {
		if e.other == o && o.state == closed && w.connected(e.host(), o.host()) {
			e.close(assoc.CommLost, assoc.ErrAborted)
		}
	})
}

// close ends a port with its process.
func (p *port) close(how Death) {
	delete(p.w.ports, p.addr)
	for _, e := range p.sorted() {
		e.forget()
		switch how {
		case Killed:
			e.abortOther(p.w.delay())
		case Vanished:
			e.abortOther(p.w.between(0, p.w.Net.Heartbeat))
		}
	}
}
