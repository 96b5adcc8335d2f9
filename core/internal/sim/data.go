package sim

import (
	"cmp"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/driver"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

// sending is a message on its way: it is kept until it is known to have arrived, or
// given back.
type sending struct {
	data    []byte
	info    assoc.SendInfo
	expires time.Time // zero: never
	boxed   bool      // control that found no room
	seq     uint64    // of its packet; 0: none yet
	serial  int       // in the order of Send

	arrived  bool // the other side's transport has it
	acked    bool // and this side knows
	returned bool // it was given back
	echoed   bool // a cookie is to go ahead of it
}

// limit sets the sizes of buffers that are given.
func (e *end) limit(p *assoc.Params) {
	if p.SendBuffer > 0 {
		e.room = p.SendBuffer
	}
	if p.ReceiveBuffer > 0 {
		e.window = p.ReceiveBuffer
	}
}

// sendBuffer and receiveBuffer are the sizes of buffers, which are smaller while the
// host is short of memory.
func (e *end) sendBuffer() int    { return e.host().spares(e.room) }
func (e *end) receiveBuffer() int { return e.host().spares(e.window) }

// resized lets go on who waited for larger buffers.
func (e *end) resized() {
	e.taken(0)
	e.offerRoom()
}

// SetParams changes sizes of buffers.
func (p *port) SetParams(id assoc.ID, params assoc.Params) error {
	if id == 0 {
		p.room, p.window = cmp.Or(params.SendBuffer, p.room), cmp.Or(params.ReceiveBuffer, p.window)
		return nil
	}
	e := p.ends[id]
	if e == nil {
		return assoc.ErrNotConnected
	}
	e.limit(&params)
	e.resized()
	return nil
}

// Status describes an association, as far as sessions ask.
func (p *port) Status(id assoc.ID) (assoc.Status, error) {
	e := p.ends[id]
	if e == nil {
		return assoc.Status{}, assoc.ErrNotConnected
	}
	return assoc.Status{
		QueuedBytes: e.queued, QueuedPayload: e.queued, Unacked: e.launched, Unsent: len(e.out) - e.launched,
		Paths: []assoc.PathStatus{{
			Addr: e.peer, Active: true, SRTT: p.w.Net.DelayMin + p.w.Net.DelayMax, RTO: 2*p.w.Net.DelayMax + retransmission,
		}},
	}, nil
}

// Send sends one message, as transport.Endpoint.Send does.
func (p *port) Send(b []byte, info *assoc.SendInfo) error {
	e := p.ends[info.Assoc]
	if err := e.sendable(); err != nil {
		return err
	}
	if e.queued > 0 && e.queued+len(b) > e.sendBuffer() {
		e.refused = true
		return assoc.ErrWouldBlock
	}
	s := &sending{data: slices.Clone(b), info: *info}
	if info.Lifetime > 0 {
		s.expires = p.w.now.Add(info.Lifetime)
	}
	p.w.handed(e, s)
	p.w.traceData(p.proc.host, p.w.byIP[e.peer.Addr()], b)
	e.queue(s)
	return nil
}

// SendControl sends one message, as loop.Port.SendControl does.
func (p *port) SendControl(id assoc.ID, ppid uint32, b []byte) error {
	e := p.ends[id]
	if err := e.sendable(); err != nil {
		return err
	}
	s := &sending{data: b, info: assoc.SendInfo{Assoc: id, PPID: ppid}}
	if e.queued > e.sendBuffer() {
		if e.boxed() == driver.MaxWaiting {
			return driver.ErrNotRead
		}
		s.boxed = true
	}
	e.queue(s)
	h := p.proc.host
	h.Traffic.sent(ppid).add(b)
	h.traceSent(p.w.byIP[e.peer.Addr()], ppid, b)
	return nil
}

// sendable says why nothing can be sent.
func (e *end) sendable() error {
	switch {
	case e == nil || e.state == closed:
		return assoc.ErrNotConnected
	case e.state == closing || e.shutdown:
		return assoc.ErrPipe
	}
	return nil
}

func (e *end) boxed() (n int) {
	for _, s := range e.out {
		if s.boxed {
			n++
		}
	}
	return n
}

// Waiting says whether control messages wait for room.
func (p *port) Waiting(id assoc.ID) bool { return p.ends[id] != nil && p.ends[id].boxed() > 0 }

// Flush has nothing to do: what waits goes by itself.
func (p *port) Flush(assoc.ID) {}

// Forget has nothing to do either.
func (p *port) Forget(assoc.ID) {}

func (e *end) queue(s *sending) {
	e.port.w.serial++
	s.serial = e.port.w.serial
	e.out = append(e.out, s)
	e.queued += len(s.data)
	e.pump()
}

// pump puts on their way what the other side has room for.
func (e *end) pump() {
	for e.other != nil && e.state > connecting && e.state < closed && e.launched < len(e.out) {
		e.overtake()
		s := e.out[e.launched]
		switch used := e.other.unread + e.inFlight; {
		case !s.expires.IsZero() && e.port.w.now.After(s.expires):
			e.out = slices.Delete(e.out, e.launched, e.launched+1)
			e.queued -= len(s.data)
			e.fail(s)
		case used > 0 && used+len(s.data) > e.other.receiveBuffer():
			return
		default:
			e.launched++
			e.inFlight += len(s.data)
			e.transmit(packet{of: s})
			s.seq = e.sent
		}
	}
	if e.state == closing {
		e.finishShutdown()
	}
}

// overtake lets an unordered message go first, sometimes.
func (e *end) overtake() {
	i := slices.IndexFunc(e.out[e.launched:], func(s *sending) bool { return s.info.Unordered })
	if i > 0 && e.port.w.rnd.IntN(2) == 0 {
		i += e.launched
		s := e.out[i]
		e.out = slices.Insert(slices.Delete(e.out, i, i+1), e.launched, s)
	}
}

// receiveData: the other side knows soon that a message arrived, unless the path
// breaks before.
func (e *end) receiveData(pk packet) {
	from, w := e.other, e.port.w
	from.inFlight = max(from.inFlight-len(pk.of.data), 0)
	pk.of.arrived = true
	w.after(w.delay(), func() { from.learn(e) })
	copies := 1
	if w.Copies != nil {
		copies = w.Copies(from.host(), e.host(), pk.of.info.PPID, pk.of.data)
	}
	for range copies {
		e.unread += len(pk.of.data)
		if e.paused {
			e.kept = append(e.kept, pk)
		} else {
			e.read(pk)
		}
	}
}

// read hands a message to the process. What it lends counts until it is returned.
func (e *end) read(pk packet) {
	s, from := pk.of, e.other
	e.port.proc.do(func() {
		if e.other != from {
			return // it has restarted since
		}
		e.echoed = e.echoed || s.info.PPID == protocol.PPIDASAP && asap.Type(s.data[0]) == asap.TypeCookieEcho
		if s.echoed && !e.echoed {
			e.port.w.fail("%s receives a message ahead of the cookie", e.host().name)
		}
		if e.paused {
			e.kept = append(e.kept, pk)
			return
		}
		if !e.port.lends {
			e.taken(len(s.data))
		}
		e.port.notify(assoc.RecvInfo{
			Kind: assoc.Message, Assoc: e.id, PPID: s.info.PPID, Stream: s.info.Stream, Unordered: s.info.Unordered, From: e.peer,
		}, s.data)
	})
}

// taken makes room in the window.
func (e *end) taken(n int) {
	e.unread = max(e.unread-n, 0)
	if o := e.other; o != nil && o.other == e {
		o.pump()
	}
}

// Return gives back what was lent.
func (p *port) Return(id assoc.ID, bytes, _ int) {
	if e := p.ends[id]; e != nil && p.lends {
		e.taken(bytes)
	}
}

// PauseReceive leaves what comes in the transport.
func (p *port) PauseReceive(id assoc.ID) bool {
	if e := p.ends[id]; e != nil {
		e.paused = true
	}
	return true
}

// ResumeReceive lets it come again.
func (p *port) ResumeReceive(id assoc.ID) bool {
	if e := p.ends[id]; e != nil && e.paused {
		e.paused = false
		kept := e.kept
		e.kept = nil
		for _, pk := range kept {
			e.read(pk)
		}
	}
	return true
}

// learn notes what has arrived at the other side, if the path lets that be known.
func (e *end) learn(o *end) {
	if e.other != o || e.state == closed || !e.port.w.open(o.host(), e.host()) {
		return
	}
	for len(e.out) > 0 && e.launched > 0 && e.out[0].arrived {
		s := e.out[0]
		s.acked = true
		e.out = e.out[1:]
		e.launched--
		e.queued -= len(s.data)
	}
	e.pump()
	e.offerRoom()
	if e.shutdown {
		e.finishShutdown()
	}
}

// offerRoom tells a process which found none.
func (e *end) offerRoom() {
	if e.refused && e.queued < e.sendBuffer() && e.port.writable != nil {
		e.refused = false
		e.port.proc.do(func() { e.port.writable(e.id) })
	}
}

// giveBack gives the process what is not known to have arrived, in the order in which
// it was sent.
func (e *end) giveBack() {
	out := e.out
	e.out, e.launched, e.queued = nil, 0, 0
	slices.SortFunc(out, func(a, b *sending) int { return cmp.Compare(a.serial, b.serial) })
	for _, s := range out {
		e.fail(s)
	}
}

// fail gives one message back.
func (e *end) fail(s *sending) {
	s.returned = true
	if !e.port.carriesData {
		return
	}
	e.port.proc.do(func() {
		e.port.notify(assoc.RecvInfo{
			Kind: assoc.SendFailed, Assoc: e.id, PPID: s.info.PPID, Stream: s.info.Stream, Unordered: s.info.Unordered,
			Context: s.info.Context, Unsent: s.seq == 0,
		}, s.data)
	})
}
