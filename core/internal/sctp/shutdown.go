package sctp

import (
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/sctp/chunk"
)

// Shutdown ends an association after everything queued has arrived (section
// 9.2). During the set-up it waits for that, or gives up if nothing is queued
// (SCTP-2-07).
func (e *Endpoint) Shutdown(now time.Time, id assoc.ID) error {
	a := e.byID[id]
	switch {
	case a == nil:
		return assoc.ErrNotConnected
	case a.closing:
		return nil
	case a.state < established && a.out.empty():
		return e.Abort(now, id, "")
	}
	a.closing = true
	if a.state == established {
		a.beginShutdown(now)
	}
	return nil
}

// beginShutdown stops new data; SHUTDOWN follows when all is acknowledged.
func (a *association) beginShutdown(now time.Time) {
	a.state = shutdownPending
	a.guard(now)
	a.drained(now)
	a.wake()
}

// guard (re)starts T5. Before SHUTDOWN is sent it bounds the time without
// progress, after that the rest (section 9.2; SCTP-2-53, SCTP-4-05).
func (a *association) guard(now time.Time) {
	if a.params.ShutdownGuard > 0 {
		a.startTimer(&a.t5, now, a.params.ShutdownGuard)
	}
}

// drained goes on with a shutdown when nothing is left to send or to be
// acknowledged (SCTP-2-50, SCTP-2-52).
func (a *association) drained(now time.Time) {
	if !a.out.empty() {
		return
	}
	switch a.state {
	case shutdownPending:
		a.enterClosing(now, shutdownSent, dueShutdown)
	case shutdownReceived:
		a.enterClosing(now, shutdownAckSent, dueShutdownAck)
	}
}

// enterClosing sends SHUTDOWN or SHUTDOWN ACK and repeats it until answered.
func (a *association) enterClosing(now time.Time, s state, d due) {
	a.state = s
	a.t2Tries = 0
	a.owed &^= dueShutdown
	a.owe(d)
	a.stopTimer(&a.probe)
	if s == shutdownAckSent { // all of the peer's data was acknowledged
		a.owed &^= dueSack
		a.stopTimer(&a.sackTimer)
	}
	for _, p := range a.paths {
		a.stopTimer(&p.beat)
		p.nonce, p.sendBeat = 0, false
	}
	a.startTimer(&a.t2, now, a.primary.rto.value)
	a.guard(now)
}

// t2Due repeats the chunk up to the limit (SCTP-2-53).
func (a *association) t2Due(now time.Time) {
	a.t2Tries++
	if a.t2Tries > a.params.AssocMaxRetrans {
		a.lost(assoc.CommLost, 0, assoc.ErrTimeout)
		return
	}
	if a.state == shutdownSent {
		a.owe(dueShutdown)
	} else {
		a.owe(dueShutdownAck)
	}
	silent := a.replyPath()
	silent.backOff(a.params.RTOMax)
	a.failed(silent, false)
	a.replyTo = nil // another path if there is one (section 6.4.1)
	a.startTimer(&a.t2, now, max(silent.rto.value, a.dataPath().rto.value))
}

// t5Due gives up (section 9.2).
func (a *association) t5Due(time.Time) {
	a.sendAbort(chunk.CauseUserAbort, []byte("shutdown takes too long"))
	a.lost(assoc.CommLost, 0, assoc.ErrTimeout)
}

// appendShutdown writes the chunk that is due.
func (a *association) appendShutdown(w *packetWriter) {
	switch {
	case a.owed&dueShutdown != 0 && w.fits(8):
		a.owed &^= dueShutdown
		w.b = chunk.AppendShutdown(w.b, a.in.acked)
	case a.owed&dueShutdownAck != 0 && w.fits(4):
		a.owed &^= dueShutdownAck
		w.b = chunk.AppendRaw(w.b, chunk.TypeShutdownAck, 0, nil)
	}
}

// handleShutdown finishes sending, then agrees (section 9.2). In
// SHUTDOWN-SENT both sides shut down at once (SCTP-2-54).
func (a *association) handleShutdown(in *arrival, c chunk.Raw) {
	tsn, err := chunk.ParseShutdown(c)
	if err != nil {
		a.malformed("SHUTDOWN chunk is too short")
		return
	}
	a.replyTo = in.path // answered where it came from (SCTP-3-122)
	switch a.state {
	case established, shutdownPending, shutdownReceived:
		a.peerShutsDown(in, tsn)
	case shutdownSent:
		a.notify(assoc.ShutdownEvent, 0, nil)
		a.enterClosing(in.now, shutdownAckSent, dueShutdownAck)
	case shutdownAckSent:
		a.owe(dueShutdownAck)
	}
}

func (a *association) peerShutsDown(in *arrival, tsn uint32) {
	o := &a.out
	if tsnLess(o.nextTSN-1, tsn) {
		a.violation("SHUTDOWN acknowledges a TSN that was never sent") // such a peer is broken (SCTP-2-52)
		return
	}
	if a.state != shutdownReceived {
		a.state = shutdownReceived
		a.notify(assoc.ShutdownEvent, 0, nil)
	}
	if tsnLess(o.acked, tsn) {
		for _, p := range a.paths {
			p.before, p.fresh, p.oldest = p.flight, 0, false
		}
		a.ackUpTo(in, tsn)
		a.afterAck(in, 0)
		a.forward(in.now)
		a.runT3(in)
	}
	a.refillBurst()
	a.drained(in.now)
}

// handleShutdownAck ends the association on the side that began.
func (a *association) handleShutdownAck(in *arrival) {
	switch a.state {
	case cookieWait, cookieEchoed: // of an earlier association (SCTP-2-12)
		a.e.answerShutdownAck(in)
	case shutdownSent, shutdownAckSent:
		a.sendNow(in.path, a.peerTag, chunk.AppendRaw(nil, chunk.TypeShutdownComplete, 0, nil))
		a.finished()
	}
}

// handleShutdownComplete ends it on the other side (section 8.5.1 C,
// SCTP-2-03).
func (a *association) handleShutdownComplete(in *arrival, c chunk.Raw) {
	if a.state == shutdownAckSent && in.alone && (c.Flags&chunk.FlagT != 0) == in.reflected {
		a.finished()
	}
}

func (a *association) finished() {
	a.e.counters.AssocsDown++
	a.failMessages(0, assoc.ErrPipe)
	a.hold(false)
	a.e.recent.add(a.tag, endedInPeace)
	a.remove()
	a.notify(assoc.ShutdownComplete, 0, nil)
}
