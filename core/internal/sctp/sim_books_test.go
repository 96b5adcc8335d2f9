package sctp_test

import (
	"bytes"
	"errors"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// readOne takes one message or notification from the engine and enters it in
// the books (SCTP-7-01, 7-02).
func (h *host) readOne() bool {
	var info assoc.RecvInfo
	n, err := h.ep.Recv(h.w.now, h.readBuf, &info)
	if errors.Is(err, assoc.ErrWouldBlock) {
		if h.ep.Readable() {
			h.w.fail("%s: Readable, but Recv would block", h.name)
		}
		return false
	}
	if err != nil {
		h.w.fail("%s: Recv: %v", h.name, err)
		return false
	}
	a := h.assocs[info.Assoc]
	if a == nil {
		if info.Kind != assoc.CommUp || !info.Incoming {
			h.w.fail("%s: first event of the unknown association %d is %+v", h.name, info.Assoc, info)
			return false
		}
		a = h.addAssoc(info.Assoc, h.w.byAddr[info.From.Addr()])
		a.incoming = true
	}
	h.w.log("+%v %s assoc %d: event %+v (%d bytes)", h.w.now.Sub(h.w.start), h.name, a.id, info, n)
	if a.terminal != 0 {
		h.w.fail("%s: event %+v after the end of association %d", h.name, info, a.id)
		return false
	}
	if info.Kind == assoc.Message || info.Kind == assoc.SendFailed {
		a.partial = append(a.partial, h.readBuf[:n]...)
		if info.More {
			return true
		}
	}
	a.enter(info)
	return h.w.err == nil
}

func (a *simAssoc) enter(info assoc.RecvInfo) {
	w, h := a.h.w, a.h
	switch info.Kind {
	case assoc.CommUp:
		if a.isUp {
			w.fail("%s: second CommUp of association %d (SCTP-8-10)", h.name, a.id)
		}
		a.isUp, a.out = true, info.OutStreams
		h.app.up(a)
	case assoc.Restart:
		a.newEpochs()
		a.out = info.OutStreams
		a.restarts++
		h.app.up(a)
	case assoc.Message:
		a.delivered(info)
	case assoc.SendFailed:
		a.sendFailed(info)
	case assoc.ShutdownEvent:
		a.shutting = true
	case assoc.CommLost, assoc.ShutdownComplete, assoc.CannotStart:
		if info.Kind == assoc.CannotStart == a.isUp && info.Kind != assoc.CommLost {
			w.fail("%s: association %d ends with %d, up %v", h.name, a.id, info.Kind, a.isUp)
		}
		if info.Kind != assoc.ShutdownComplete && info.Err == nil {
			w.fail("%s: association %d ends with %d and without an error", h.name, a.id, info.Kind)
		}
		a.terminal = info.Kind
		h.app.ended(a)
	case assoc.PeerAddrChange, assoc.RemoteError:
	default:
		w.fail("%s: unknown event %+v", h.name, info)
	}
}

func (a *simAssoc) delivered(info assoc.RecvInfo) {
	w, h := a.h.w, a.h
	data := a.partial
	a.partial = nil
	if !a.isUp {
		w.fail("%s: message before CommUp", h.name)
	}
	if int(info.PPID) >= len(w.msgs) {
		w.fail("%s: message with PPID %d that nobody sent", h.name, info.PPID)
		return
	}
	m := w.msgs[info.PPID]
	e := m.epoch
	if m.early && e.to != nil && e.to.a.h == h && e.to.a.life < h.life {
		e.startOver()
	}
	switch {
	case e.a.peer != h || a.peer != e.a.h:
		w.fail("%s: got %v", h.name, m)
	case m.stream != info.Stream || m.unordered != info.Unordered || !bytes.Equal(data, payload(m.n, m.size)):
		w.fail("%s: %v arrives altered: %d bytes, %+v (SCTP-7-01)", h.name, m, len(data), info)
	case m.delivered > 0:
		w.fail("%s: %v delivered twice (SCTP-7-01)", h.name, m)
	case m.unsent:
		w.fail("%s: %v delivered and reported unsent (SCTP-7-02)", h.name, m)
	case e.to == nil && a.rx.from == nil:
		e.to, a.rx.from = a.rx, e
	case e.to != a.rx:
		w.fail("%s: %v delivered to another generation (SCTP-7-02)", h.name, m)
	}
	m.delivered++
	if !m.unordered && w.err == nil {
		list, next := e.ordered[m.stream], e.next[m.stream]
		if list[next] != m {
			w.fail("%s: %v out of order, want %v (SCTP-7-01)", h.name, m, list[next])
		}
		e.next[m.stream]++
	}
	w.lastMove = w.now
	if w.err == nil {
		h.app.got(a, m)
	}
}

// startOver forgives the one delivery that no sender can prevent: early data
// reached an engine that crashed before its COOKIE ACK came back, and goes to
// its successor, with which the set-up ends.
func (e *txEpoch) startOver() {
	e.to, e.next = nil, map[uint16]int{}
	for _, m := range e.a.accepted {
		if m.epoch == e && m.early {
			m.delivered = 0
		}
	}
}

func (a *simAssoc) sendFailed(info assoc.RecvInfo) {
	w, h := a.h.w, a.h
	data := a.partial
	a.partial = nil
	if info.Context >= uint64(len(w.msgs)) {
		w.fail("%s: SendFailed of a message that nobody sent: %+v", h.name, info)
		return
	}
	m := w.msgs[info.Context]
	m.failed++
	m.unsent = info.Unsent
	switch {
	case m.epoch.a != a:
		w.fail("%s: SendFailed on association %d for %v", h.name, a.id, m)
	case m.failed > 1:
		w.fail("%s: %v failed twice (SCTP-7-02)", h.name, m)
	case info.PPID != m.n || info.Stream != m.stream || info.Unordered != m.unordered || !bytes.Equal(data, payload(m.n, m.size)):
		w.fail("%s: SendFailed returns %v altered: %d bytes, %+v", h.name, m, len(data), info)
	case m.pos <= a.lastFail:
		w.fail("%s: SendFailed of %v out of order (SCTP-4-02)", h.name, m)
	case info.Unsent && (m.onWire || m.delivered > 0):
		w.fail("%s: %v reported unsent, on the wire %v, delivered %d (SCTP-7-02)", h.name, m, m.onWire, m.delivered)
	}
	a.lastFail = m.pos
}

// audit closes the books at the end of a run (SCTP-7-01, 7-02, 7-09).
func (w *world) audit() {
	for _, h := range w.hosts {
		for _, a := range h.order {
			crashed := a.life != h.life || h.dead
			if a.terminal == 0 && !crashed {
				w.fail("%s: association %d has not ended", h.name, a.id)
			}
			for _, m := range a.accepted {
				a.auditMessage(m, crashed)
			}
		}
		if h.dead {
			continue
		}
		if at, ok := h.ep.Next(); ok {
			w.fail("%s: a timer is left, due in %v (SCTP-7-09)", h.name, at.Sub(w.now))
		}
		if !h.ep.Idle() {
			w.fail("%s: not idle at the end (SCTP-7-09)", h.name)
		}
	}
}

func (a *simAssoc) auditMessage(m *message, crashed bool) {
	w := a.h.w
	switch {
	case crashed || m.failed > 0 && !w.calm:
	case m.failed > 0:
		w.fail("%v failed on a path that healed", m)
	case m.delivered == 1:
	case a.terminal == assoc.CommLost || a.terminal == assoc.ShutdownComplete || a.terminal == assoc.CannotStart:
		// Acknowledged, then lost with an engine that crashed: the only
		// excuse for neither delivery nor SendFailed.
		if e := m.epoch; w.calm || !e.mayHaveCrashed() {
			w.fail("%v neither delivered nor reported (SCTP-7-02)", m)
		}
	}
}

// mayHaveCrashed says that an engine at the other end went away.
func (e *txEpoch) mayHaveCrashed() bool { return e.a.peer.life > 1 || e.a.peer.dead }
