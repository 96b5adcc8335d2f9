package sctp

import (
	"net/netip"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

// strayPacket is a complete packet that does not wait for an association: an
// INIT ACK, an answer to a packet out of the blue, an ABORT.
type strayPacket struct {
	to    netip.AddrPort
	local netip.Addr
	data  []byte
	dscp  uint8
}

// readyQueue is the list of associations that may have something to send.
type readyQueue struct{ head, tail *association }

// wake puts the association in the ready queue.
func (a *association) wake() {
	if a.queued || a.dead {
		return
	}
	a.queued, a.nextUp = true, nil
	q := &a.e.ready
	if q.tail == nil {
		q.head = a
	} else {
		q.tail.nextUp = a
	}
	q.tail = a
}

func (q *readyQueue) pop() {
	a := q.head
	q.head, a.nextUp, a.queued = a.nextUp, nil, false
	if q.head == nil {
		q.tail = nil
	}
}

// owe adds a chunk to the next packet.
func (a *association) owe(d due) {
	a.owed |= d
	a.wake()
}

// Output builds the next packet to send into p.Data[:0]. It returns false
// when there is nothing to send now. Associations take turns.
func (e *Endpoint) Output(now time.Time, p *Packet) bool {
	p.DontFragment = false
	if e.stray.len() > 0 {
		s := e.stray.at(0)
		p.Peer, p.Local, p.DSCP = s.to, s.local, s.dscp
		p.Data = append(p.Data[:0], s.data...)
		e.buffers.put(s.data[:0])
		e.stray.pop()
		e.counters.PacketsOut++
		return true
	}
	for e.ready.head != nil {
		a := e.ready.head
		built := !a.dead && a.build(now, p)
		p.DSCP = dscp(a.params)
		e.ready.pop()
		if built {
			a.wake() // behind the others
			e.counters.PacketsOut++
			return true
		}
	}
	return false
}

// Pending says that there may be something to send. Only a call of Output
// shows whether there is.
func (e *Endpoint) Pending() bool { return e.stray.len() > 0 || e.ready.head != nil }

// dscp is the codepoint of packets with these parameters (RFC 6458 section 8.1.12).
func dscp(p assoc.Params) uint8 { return uint8(max(p.DSCP, 0)) }

// sendStray queues one packet; chunks are complete.
func (e *Endpoint) sendStray(to netip.AddrPort, local netip.Addr, h chunk.Header, chunks []byte, class uint8) {
	if e.stray.len() >= maxStray {
		e.counters.RepliesLimited++
		return
	}
	b := chunk.AppendHeader(e.buffers.get(chunk.HeaderSize + len(chunks))[:0], h)
	b = append(b, chunks...)
	chunk.Seal(b)
	e.stray.push(strayPacket{to, local, b, class})
}

// sendNow queues a packet of an association that is about to be forgotten.
func (a *association) sendNow(p *path, tag uint32, chunks []byte) {
	h := chunk.Header{SrcPort: a.e.cfg.Port, DstPort: a.peerPort, Tag: tag}
	a.e.sendStray(netip.AddrPortFrom(p.addr, p.udpPort), p.local, h, chunks, dscp(a.params))
}

// packetWriter builds one packet.
type packetWriter struct {
	b     []byte
	limit int
	last  int // where the last DATA chunk begins; 0 = none
	beat  bool
}

func (w *packetWriter) empty() bool { return len(w.b) == chunk.HeaderSize }
func (w *packetWriter) left() int   { return w.limit - len(w.b) }

// fits says that a chunk of n bytes still fits. The first one always does: if
// the path has become narrower, IP fragments the packet (SCTP-3-03).
func (w *packetWriter) fits(n int) bool { return n <= w.left() || w.empty() }

func (w *packetWriter) data(d *chunk.Data) {
	w.last = len(w.b)
	w.b = chunk.AppendData(w.b, d)
}

// start begins a packet to path q.
func (a *association) start(q *path, p *Packet) packetWriter {
	h := chunk.Header{SrcPort: a.e.cfg.Port, DstPort: a.peerPort, Tag: a.peerTag}
	return packetWriter{b: chunk.AppendHeader(p.Data[:0], h), limit: q.mtu}
}

// finish seals a packet, if anything is in it.
func (a *association) finish(w *packetWriter, q *path, p *Packet) bool {
	p.Data = w.b
	if w.empty() {
		return false
	}
	if w.last > 0 && a.wantsAck(q) {
		w.b[w.last+1] |= chunk.FlagImmediate
	}
	chunk.Seal(w.b)
	p.Peer, p.Local = netip.AddrPortFrom(q.addr, q.udpPort), q.local
	if w.beat && q.trial {
		p.Local = q.home
	}
	return true
}

// build makes the next packet of the association, if there is one to send.
func (a *association) build(now time.Time, p *Packet) bool {
	switch a.state {
	case cookieWait:
		return a.buildInit(now, p)
	case cookieEchoed:
		return a.buildCookieEcho(now, p)
	}
	a.giveUp(now)
	for _, q := range a.paths {
		if len(q.control) > 0 || q.sendBeat {
			return a.buildOn(now, q, p)
		}
	}
	if a.state <= shutdownPending || a.state == shutdownReceived {
		for _, q := range a.paths {
			if q.search.due {
				return a.buildProbe(q, p)
			}
		}
	}
	if q := a.replyPath(); a.owed != 0 {
		return a.buildOn(now, q, p)
	}
	if a.out.forced && a.out.marked > 0 {
		return a.buildOn(now, a.resendPath(), p)
	}
	return a.buildOn(now, a.dataPath(), p)
}

// replyPath is where acknowledgements go: to the source of the last DATA
// (section 6.4, SCTP-3-35), if the path may carry them.
func (a *association) replyPath() *path {
	if a.replyTo != nil && a.replyTo.usable() {
		return a.replyTo
	}
	return a.dataPath()
}

// resendPath is where the packet after a timeout goes: another path if there
// is one that works; for a fast retransmission the same (section 6.4,
// SCTP-3-73, SCTP-3-122).
func (a *association) resendPath() *path {
	o := &a.out
	last := o.chunks.at(o.marks()).path
	if o.recovering && last.usable() {
		return last
	}
	if p := a.alternate(last); p != nil {
		return p
	}
	return last
}

// buildOn makes a packet to path q: control chunks first, in the order of
// SCTP-1-17, then DATA.
func (a *association) buildOn(now time.Time, q *path, p *Packet) bool {
	w := a.start(q, p)
	answers := q == a.replyPath()
	if answers && a.owed&dueCookieAck != 0 {
		w.b = chunk.AppendRaw(w.b, chunk.TypeCookieAck, 0, nil)
		a.owed &^= dueCookieAck
	}
	if q.sendBeat {
		a.appendHeartbeat(now, &w, q)
		if q.trial {
			return a.finish(&w, q, p) // nothing that matters rides along
		}
	}
	if len(q.control) > 0 && w.fits(len(q.control)) {
		w.b = append(w.b, q.control...)
		q.control = q.control[:0]
	}
	if !q.confirmed {
		return a.finish(&w, q, p) // section 5.4, SCTP-3-121
	}
	if answers && a.owed&dueSack != 0 && w.fits(chunk.SackSize) {
		a.appendSack(&w)
	}
	if answers && a.owed&dueForward != 0 && w.fits(chunk.ForwardTSNSize+chunk.SkipSize(a.interleave)) {
		a.appendForward(now, &w, q)
	}
	if answers {
		a.appendShutdown(&w)
	}
	if a.state <= shutdownPending || a.state == shutdownReceived {
		a.appendTraffic(now, &w, q)
	}
	return a.finish(&w, q, p)
}

// appendTraffic adds DATA, and in front of it an acknowledgement that is not
// due yet if there is room for both (SCTP-3-13).
func (a *association) appendTraffic(now time.Time, w *packetWriter, q *path) {
	if q != a.dataPath() && !a.out.forced {
		return
	}
	if n := a.nextSize(now, q); a.sackTimer.Armed() && n > 0 && chunk.SackSize+n <= w.left() {
		a.appendSack(w)
	}
	if a.fill(now, w, q) > 0 && a.out.waiting() {
		a.discover(now)
	}
}
