package sctp

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

// refillBurst allows another burst: the user sent something, a SACK came or a
// timer fired. It is never needed without one of them (SCTP-3-12).
func (a *association) refillBurst() { a.burst = a.params.MaxBurst }

// fill puts DATA chunks into a packet for path p: those marked for
// retransmission first, then new ones (section 6.1, SCTP-3-11). It returns
// how many.
func (a *association) fill(now time.Time, w *packetWriter, p *path) int {
	o := &a.out
	o.forced = o.forced && o.marked > 0
	if !o.forced {
		p.decay(now.Sub(p.lastData), p.rto.value, p.pmdcs())
	}
	if !a.mayFill(p) {
		return 0
	}
	n := a.fillMarked(now, w, p)
	if !o.forced {
		n += a.fillNew(now, w, p)
	}
	if n > 0 {
		o.forced = false
		a.burst--
		p.lastData = now
	}
	return n
}

// mayFill says that DATA may leave on path p now.
func (a *association) mayFill(p *path) bool {
	return a.out.forced || a.burst > 0 && p.flight < p.cwnd // less than a window in flight (SCTP-3-10)
}

// nextSize is the size of the chunk that fill would send first; 0 = none.
func (a *association) nextSize(now time.Time, p *path) int {
	o := &a.out
	if !a.mayFill(p) {
		return 0
	}
	if o.marked > 0 {
		return o.chunks.at(o.marks()).size()
	}
	m := a.peek(now)
	if m == nil || a.nagleHolds(p, m) {
		return 0
	}
	n := o.chunkSize(m, a.maxPayload())
	if n > o.window && !o.probing {
		return 0
	}
	return chunk.DataSize(n, a.interleave)
}

// fillMarked retransmits, in the order of TSNs. A forced packet, and one with
// nothing in flight, goes out also when the peer's window is closed.
func (a *association) fillMarked(now time.Time, w *packetWriter, p *path) (n int) {
	o := &a.out
	for i := o.firstMarked; i < o.chunks.len() && o.marked > 0; i++ {
		c := o.chunks.at(i)
		if !c.marked {
			continue
		}
		o.firstMarked = i
		if a.expired(c.m, now) {
			return n // giveUp sees to it
		}
		if int(c.n) > o.window && !o.forced && o.outstanding > 0 || !w.fits(c.size()) {
			return n
		}
		o.unmark(c, i)
		c.moveTo(p)
		a.e.counters.Retransmissions++
		a.resends++
		a.put(now, w, c, o.acked+1+uint32(i), i == 0)
		n++
	}
	if o.marked == 0 {
		o.firstMarked = 0
	}
	return n
}

// fillNew sends new data as far as the peer's window and the packet allow. A
// chunk goes whole or waits (SCTP-3-14).
func (a *association) fillNew(now time.Time, w *packetWriter, p *path) (n int) {
	o := &a.out
	for o.marked == 0 && o.chunks.len() < maxOutstanding {
		m := a.peek(now)
		if m == nil || n == 0 && w.last == 0 && a.nagleHolds(p, m) {
			return n
		}
		size := o.chunkSize(m, a.maxPayload())
		if size > o.window && !o.probing {
			a.startProbing(now, p)
			return n
		}
		if !w.fits(chunk.DataSize(size, a.interleave)) {
			return n
		}
		o.probing = false
		c := o.cut(m, size, p, a.interleave)
		tsn := o.nextTSN
		o.nextTSN++
		p.startTiming(tsn, now)
		a.e.counters.DataOut++
		a.put(now, w, c, tsn, false)
		n++
	}
	return n
}

// chunkSize is the size of the next chunk of a message: what fits a packet, or,
// where the peer's whole window is smaller than that, the window.
func (o *outbound) chunkSize(m *outMessage, packet int) int {
	n := min(len(m.data)-m.taken, packet)
	if n > o.window && o.window >= minChunk && o.chunks.len() == 0 {
		return o.window
	}
	return n
}

// minChunk is the smallest piece of a message that is worth a packet.
const minChunk = 512

// corkAbove is how much must be in flight for a short packet to wait. Where so
// much is less than corkPackets packets, the peer might be slow to acknowledge
// them and is asked not to be (wantsAck).
const (
	corkAbove   = 32 << 10
	corkPackets = 4
)

// nagleHolds says that a packet should wait to be filled: a stream of small
// messages is under way, and the acknowledgements of what is in flight, which
// are many, will open the way for all that has gathered until then. Requests
// and answers never get there (SCTP-3-13).
func (a *association) nagleHolds(p *path, m *outMessage) bool {
	return p.flight >= corkAbove && a.out.left < a.maxPayload() &&
		m.taken == 0 && !m.sackNow && a.state == established
}

// put writes one chunk and accounts for it. T3 starts if it is not running,
// and again if the lowest outstanding TSN is sent again (section 6.3.2 R1,
// SCTP-3-62).
func (a *association) put(now time.Time, w *packetWriter, c *outChunk, tsn uint32, lowest bool) {
	d := c.data(tsn, a.linux)
	w.data(&d)
	a.out.launch(c)
	if p := c.path; a.state != cookieEchoed && (!p.t3.Armed() || lowest) {
		p.startT3(now)
	}
}

// data is the chunk as it is on the wire.
func (c *outChunk) data(tsn uint32, linux bool) chunk.Data {
	m := c.m
	d := chunk.Data{
		Flags: c.flags, TSN: tsn, Stream: m.stream, PPID: m.ppid, Payload: c.payload(), Interleaved: m.interleaved,
	}
	if !d.Interleaved {
		d.SSN = uint16(m.mid)
		return d
	}
	d.MID, d.FSN = m.mid, c.fsn
	if linux && c.fsn > 0 {
		d.FSN--
	}
	return d
}

// wantsAck says that the I bit belongs on the last chunk of a packet: nothing
// follows it for now (section 6.1; SCTP-3-15). With a peer that may delay its
// acknowledgement for longer than our timeout lasts, every lone message would
// be sent twice without it.
func (a *association) wantsAck(p *path) bool {
	o := &a.out
	if a.state == shutdownPending || p.flight >= p.cwnd || p.flight >= corkAbove && p.flight < corkPackets*p.pmdcs() {
		return true
	}
	if o.waiting() {
		return o.window < a.maxPayload()
	}
	return a.slowAcks && p.rto.value < 2*foreignSackDelay
}

// foreignSackDelay is how long Linux and usrsctp delay acknowledgements.
const foreignSackDelay = 200 * time.Millisecond

// t3Due retransmits what is outstanding on a path (section 6.3.3, SCTP-3-63).
func (a *association) t3Due(now time.Time, p *path) {
	if p.early && p.flight > 0 {
		a.earlyDue(now, p)
		return
	}
	o := &a.out
	p.resent = true // what comes now is no message that nothing follows
	a.e.counters.Timeouts++
	p.onTimeout(p.pmdcs())
	p.backOff(a.params.RTOMax)
	p.stopTiming()
	closed := o.shutOut(a.maxPayload())
	if !closed {
		p.search.timedOut(now, p)
	}
	o.recovering = false
	a.abandonExpired(now, p)
	if o.forwarding.path == p {
		a.owe(dueForward)
	}
	o.timedOut(p)
	a.refillBurst()
	a.wake()
	if closed { // section 6.1 A, SCTP-3-44
		return
	}
	a.failed(p, true)
	if !a.dead && p.suspect() && p.nonce == 0 && a.alternate(p) != nil {
		a.beatNow(now, p) // data goes elsewhere, so ask whether it is back
	}
}

// shutOut says that the peer answers and has no room: that what is outstanding
// is not acknowledged is then no failure, neither of the peer nor of the path, and
// says nothing about the size of its packets (section 6.1 A). The chunk may be
// larger than what fits a packet by now.
func (o *outbound) shutOut(packet int) bool {
	n := packet
	if o.chunks.len() > 0 {
		n = max(n, int(o.chunks.at(0).n))
	}
	return o.heard && o.advertised < n
}

// startProbing arms the probe of a closed window when nothing in flight can
// bring news of it (section 6.1 A, SCTP-3-44, SCTP-3-45).
func (a *association) startProbing(now time.Time, p *path) {
	o := &a.out
	if o.chunks.len() > 0 || a.probe.Armed() {
		return
	}
	if o.probeWait == 0 {
		o.probeWait = p.rto.value
	}
	a.startTimer(&a.probe, now, o.probeWait)
	o.probeWait = min(2*o.probeWait, a.params.RTOMax)
}

// probeDue lets one chunk leave although the window is closed.
func (a *association) probeDue() {
	if a.out.chunks.len() > 0 {
		return
	}
	a.out.probing = true
	a.refillBurst()
	a.wake()
}
