package transporttest

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

var endScenarios = []scenario{
	{"shutdown by client", func(w *world) { shutdown(w, true, false) }, true},
	{"shutdown by server", func(w *world) { shutdown(w, false, true) }, true},
	{"shutdown by both", func(w *world) { shutdown(w, true, true) }, true},
	{"shutdown after data", shutdownAfterData, true},
	{"shutdown that nobody answers", shutdownIntoDarkness, false},
	{"abort by client", func(w *world) { abort(w, true) }, false},
	{"abort by server", func(w *world) { abort(w, false) }, false},
	{"abort gives back what is queued", abortGivesBack, false},
	{"again after the end", againAfterTheEnd, true},
}

// expect waits for the end of an association and compares its kind and error.
func (w *world) expect(n *node, id assoc.ID, kind assoc.Kind, want error) history {
	w.Helper()
	h := n.awaitEnd(id)
	if h.end.Kind != kind || !errors.Is(h.end.Err, want) {
		w.Errorf("%s: association ended with kind %d, %v; want %d, %v", n.name, h.end.Kind, h.end.Err, kind, want)
	}
	return h
}

func shutdown(w *world, byClient, byServer bool) {
	c, cid, s, sid := w.pair(assoc.Params{})
	w.exchange(c, cid, s, sid)
	if byClient {
		if err := c.ep.Shutdown(cid); err != nil {
			w.Errorf("Shutdown: %v", err)
		}
		if err := c.trySend(cid, message{data: "late"}); !errors.Is(err, assoc.ErrPipe) && !errors.Is(err, assoc.ErrNotConnected) {
			w.Errorf("send after Shutdown: %v, want ErrPipe", err)
		}
	}
	if byServer {
		// Shutdown by the other side may have come first.
		if err := s.ep.Shutdown(sid); err != nil && !byClient {
			w.Errorf("Shutdown: %v", err)
		}
	}
	if w.link != nil && w.link.Double+float64(w.link.Jitter) > 0 && byClient && byServer {
		// A SHUTDOWN that arrives after its association has ended is answered
		// with an ABORT (RFC 9260 section 8.4): a copy of one, or one that the
		// SHUTDOWN ACK has overtaken.
		for _, h := range []history{c.awaitEnd(cid), s.awaitEnd(sid)} {
			if h.end.Kind != assoc.ShutdownComplete && !errors.Is(h.end.Err, assoc.ErrAborted) {
				w.Errorf("association ended with kind %d, %v", h.end.Kind, h.end.Err)
			}
		}
		return
	}
	w.expect(c, cid, assoc.ShutdownComplete, nil)
	h := w.expect(s, sid, assoc.ShutdownComplete, nil)
	if byClient && !byServer && !h.shutting {
		w.Error("server was not told that the client wants to end")
	}
}

// Everything that was queued before Shutdown arrives, in both directions.
func shutdownAfterData(w *world) {
	c, cid, s, sid := w.pair(assoc.Params{})
	var up, down []message
	for i := range 100 {
		up = append(up, message{ppid: uint32(i), data: pattern(5000, i)})
		down = append(down, message{ppid: uint32(i), data: pattern(4000, -i)})
		c.send(cid, up[i])
		s.send(sid, down[i])
	}
	if err := c.ep.Shutdown(cid); err != nil {
		w.Fatal(err)
	}
	w.same(w.expect(s, sid, assoc.ShutdownComplete, nil).got, up, "arrived")
	w.same(w.expect(c, cid, assoc.ShutdownComplete, nil).got, down, "arrived")
}

// A shutdown that the peer does not answer ends with the guard's time, whatever
// is left of the retransmissions (T5, RFC 9260 section 9.2).
func shutdownIntoDarkness(w *world) {
	c, cid, s, sid := w.pairThroughRelay(soon)
	w.exchange(c, cid, s, sid)
	if err := c.ep.SetParams(cid, assoc.Params{ShutdownGuard: 200 * time.Millisecond}); err != nil {
		w.Fatal(err)
	}
	w.relay(s).Dark(true)
	if err := c.ep.Shutdown(cid); err != nil {
		w.Fatal(err)
	}
	w.expect(c, cid, assoc.CommLost, assoc.ErrTimeout)
}

func abort(w *world, byClient bool) {
	c, cid, s, sid := w.pair(assoc.Params{})
	w.exchange(c, cid, s, sid)
	if !byClient {
		c, cid, s, sid = s, sid, c, cid
	}
	const reason = "enough is enough"
	if err := c.ep.Abort(cid, reason); err != nil {
		w.Fatal(err)
	}
	if err := c.trySend(cid, message{data: "late"}); !errors.Is(err, assoc.ErrNotConnected) && !errors.Is(err, assoc.ErrPipe) {
		w.Errorf("send after Abort: %v, want ErrNotConnected", err)
	}
	w.expect(c, cid, assoc.CommLost, assoc.ErrLocalAbort)
	end := w.expect(s, sid, assoc.CommLost, assoc.ErrAborted).end
	if end.Cause != 12 || !strings.Contains(end.Err.Error(), reason) {
		w.Errorf("cause %d, %q; want 12 (User-Initiated Abort) and the reason", end.Cause, end.Err)
	}
}

// What was not acknowledged comes back whole, in the order in which it was
// sent, before the end.
func abortGivesBack(w *world) {
	c, cid, s, sid := w.pair(assoc.Params{ReceiveBuffer: 64 << 10})
	s.pause()
	var sent []message
	for i := range 300 {
		m := message{stream: uint16(i % 4), ppid: uint32(i), context: uint64(1000 + i), data: pattern(1+i*20, i)}
		sent = append(sent, m)
		c.send(cid, m)
	}
	if err := c.ep.Abort(cid, ""); err != nil {
		w.Fatal(err)
	}
	failed := w.expect(c, cid, assoc.CommLost, assoc.ErrLocalAbort).failed
	w.cameBack(sent, failed)
	if unsent := func() (n int) {
		for _, m := range failed {
			if m.unsent {
				n++
			}
		}
		return n
	}(); unsent == 0 {
		w.Error("none of the messages came back as unsent, although the window was closed")
	}
	s.resume()
	s.awaitEnd(sid)
}

// cameBack checks that what failed is the end of what was sent, in order.
func (w *world) cameBack(sent, failed []message) {
	w.Helper()
	if len(failed) == 0 || len(failed) > len(sent) {
		w.Fatalf("%d of %d messages came back", len(failed), len(sent))
	}
	unsent := false
	plain := make([]message, len(failed))
	for i, m := range failed {
		if unsent && !m.unsent {
			w.Errorf("message %d was sent after one that was not", i)
		}
		unsent = m.unsent
		plain[i] = m
		plain[i].unsent = false
	}
	// With several streams an acknowledged message may stand between two that
	// are not; the order is that of sending all the same.
	byContext := map[uint64]message{}
	for _, m := range sent {
		byContext[m.context] = m
	}
	for i, m := range plain {
		if m != byContext[m.context] {
			w.Fatalf("message with context %d came back changed (%d bytes)", m.context, len(m.data))
		}
		if i > 0 && plain[i-1].context >= m.context {
			w.Fatalf("message with context %d came back after %d", m.context, plain[i-1].context)
		}
	}
	if last := plain[len(plain)-1].context; last != sent[len(sent)-1].context {
		w.Errorf("the last message that came back has context %d, want %d", last, sent[len(sent)-1].context)
	}
}

// The same two endpoints can have one association after the other.
func againAfterTheEnd(w *world) {
	c, s := w.client(assoc.Params{}), w.server(assoc.Params{})
	for i := range 10 {
		cid := w.dial(c, s, assoc.Params{})
		c.awaitUp(cid)
		sid := s.awaitPeers(i + 1)[i]
		w.exchange(c, cid, s, sid)
		if i%2 == 0 {
			c.ep.Shutdown(cid)
			w.expect(c, cid, assoc.ShutdownComplete, nil)
			w.expect(s, sid, assoc.ShutdownComplete, nil)
		} else {
			s.ep.Abort(sid, fmt.Sprint("round ", i))
			w.expect(s, sid, assoc.CommLost, assoc.ErrLocalAbort)
			if w.link != nil && w.link.Loss > 0 {
				w.died(c, cid) // the ABORT may be lost: then a timer notices
				continue
			}
			w.expect(c, cid, assoc.CommLost, assoc.ErrAborted)
		}
	}
}
