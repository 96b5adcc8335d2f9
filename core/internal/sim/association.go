package sim

import (
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/shell"
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
}

// end is one side of an association.
type end struct {
	port  *port
	id    assoc.ID
	peer  netip.AddrPort
	state endState
	other *end

	early    []packet          // sent before the association stands
	stuck    []packet          // on the way, held up by a broken path
	ahead    map[uint64]packet // arrived before others that were sent earlier
	sent     uint64            // packets
	arrived  uint64            // of them, in order
	arrives  time.Time         // when the newest packet does
	flying   int               // bytes that the other side's process has not read
	outbox   int               // messages that wait for room
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
	kind  packetKind
	ppid  uint32
	b     []byte
	boxed bool // counts in the outbox
	to    *end
	seq   uint64
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
	e := &end{port: p, id: p.last, peer: peer}
	p.ends[e.id], p.byPeer[peer] = e, e
	return e
}

func (e *end) host() *Host { return e.port.proc.host }

func (e *end) tell(kind assoc.Kind, err error) {
	e.port.proc.do(func() { e.port.notify(assoc.RecvInfo{Kind: kind, Assoc: e.id, Err: err}, nil) })
}

// Connect begins an association, as transport.Endpoint.Connect does; parameters
// are those of the world.
func (p *port) Connect(to []netip.AddrPort, _ *assoc.Params) (assoc.ID, error) {
	if len(to) == 0 {
		return 0, assoc.ErrInvalid
	}
	if e := p.byPeer[to[0]]; e != nil {
		return e.id, assoc.ErrAlreadyExists
	}
	e := p.newEnd(to[0])
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
		o.stuck, o.flying, o.outbox = nil, 0, 0
		o.ahead, o.sent, o.arrived = nil, 0, 0
	}
	o.state, o.other = standing, e
	e.state, e.other = echoed, o
	o.transmit(packet{kind: upPacket})
	o.sendEarly()
	e.sendEarly()
	o.tell(news, nil) // the process may send something at once: behind all that
	p.w.after(max(e.deadline.Sub(p.w.now), 0)+time.Second, func() {
		if e.state == echoed {
			e.lose(assoc.ErrTimeout)
		}
	})
}

func (e *end) sendEarly() {
	early := e.early
	e.early = nil
	for _, pk := range early {
		e.transmit(pk)
	}
}

// SendControl sends one message, as loop.Port.SendControl does.
func (p *port) SendControl(id assoc.ID, ppid uint32, b []byte) error {
	e := p.ends[id]
	err := p.send(e, ppid, b)
	if err == nil {
		h := p.proc.host
		h.Traffic.sent(ppid).add(b)
		h.traceSent(p.w.byIP[e.peer.Addr()], ppid, b)
	}
	return err
}

func (p *port) send(e *end, ppid uint32, b []byte) error {
	switch {
	case e == nil:
		return assoc.ErrNotConnected
	case e.state == closing:
		return assoc.ErrPipe
	}
	pk := packet{ppid: ppid, b: b}
	if e.flying > p.w.Net.Window {
		if e.outbox == shell.MaxOutbox {
			return shell.ErrOutbox
		}
		e.outbox++
		pk.boxed = true
	}
	e.flying += len(b)
	if e.state == connecting {
		e.early = append(e.early, pk)
		return nil
	}
	e.transmit(pk)
	return nil
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
		}
	case shutdownPacket:
		from := e.other
		e.close(assoc.ShutdownComplete, nil)
		e.port.w.after(e.port.w.delay(), func() { from.close(assoc.ShutdownComplete, nil) })
	default:
		e.read(pk)
	}
}

// read hands a message to the process, which frees the sender's buffer.
func (e *end) read(pk packet) {
	from := e.other
	if lose := e.port.w.Lose; lose != nil && lose(from.host(), e.host(), pk.b) {
		return
	}
	e.port.proc.do(func() {
		if from.other == e {
			from.flying = max(from.flying-len(pk.b), 0)
			if pk.boxed {
				from.outbox = max(from.outbox-1, 0)
			}
		}
		e.port.notify(assoc.RecvInfo{Kind: assoc.Message, Assoc: e.id, PPID: pk.ppid, From: e.peer}, pk.b)
	})
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
		e.transmit(packet{kind: shutdownPacket})
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
	e.tell(kind, err)
}

func (e *end) forget() {
	e.state, e.stuck, e.early, e.ahead = closed, nil, nil, nil
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
