package transporttest

import (
	"errors"
	"sync"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

var pressureScenarios = []scenario{
	{"full send buffer", fullSendBuffer, true},
	{"window closed and reopened", func(w *world) { windowReopens(w, 1500, 200, 32<<10) }, false},
	{"window closed to large messages", func(w *world) { windowReopens(w, 100_000, 30, 1<<20) }, false},
	{"one full send buffer of two", oneOfTwo, false},
	{"many senders", manySenders, false},
}

// A full send buffer refuses messages until the writable hook is called.
func fullSendBuffer(w *world) {
	c, cid, s, sid := w.pair(assoc.Params{SendBuffer: 64 << 10, ReceiveBuffer: 64 << 10})
	s.pause()
	var sent []message
	for full := false; !full; {
		m := message{ppid: uint32(len(sent)), data: pattern(3000, len(sent))}
		switch err := c.trySend(cid, m); {
		case err == nil:
			sent = append(sent, m)
		case errors.Is(err, assoc.ErrWouldBlock):
			full = true
		default:
			w.Fatal(err)
		}
		if len(sent) > 1000 {
			w.Fatal("3 MB fit into buffers of 64 KiB")
		}
	}
	s.resume()
	c.await("call of the writable hook", func() bool { return c.relaxed[cid] > 0 })
	for range 100 {
		m := message{ppid: uint32(len(sent)), data: pattern(3000, len(sent))}
		sent = append(sent, m)
		c.send(cid, m)
	}
	w.same(s.awaitMessages(sid, len(sent)), sent, "arrived")
}

// A reader that stops for longer than a silent peer would be tolerated loses
// neither data nor the association (SCTP-8-20).
func windowReopens(w *world, size, count, buffer int) {
	p := soon
	p.PathMaxRetrans, p.AssocMaxRetrans = 8, 8 // less than a second
	p.ReceiveBuffer, p.SendBuffer = buffer, 4<<20
	c, cid, s, sid := w.pair(p)
	s.pause()
	var sent []message
	for i := range count {
		sent = append(sent, message{ppid: uint32(i), data: pattern(size, i)})
		c.send(cid, sent[i])
	}
	time.Sleep(max(2*time.Second, min(w.f.Idle, 20*time.Second)))
	s.resume()
	w.same(s.awaitMessages(sid, len(sent)), sent, "arrived")
	w.exchange(c, cid, s, sid)
}

// A peer that does not read has its own association wait, and no other one.
func oneOfTwo(w *world) {
	c, cid, s, sid := w.pair(tight)
	w.exchange(c, cid, s, sid)
	other := w.client(tight)
	oid := w.dial(other, s, assoc.Params{})
	other.awaitUp(oid)
	osid := s.awaitPeers(2)[1]
	c.pause()
	sent := w.fill(s, sid, false)
	for range 20 {
		w.exchange(other, oid, s, osid)
		m := message{stream: 1, ppid: uint32(len(sent)), data: pattern(3000, len(sent))}
		if err := s.trySend(sid, m); err == nil {
			sent = append(sent, m)
		} else if !errors.Is(err, assoc.ErrWouldBlock) {
			w.Fatal(err)
		}
	}
	c.resume()
	w.same(c.awaitMessages(cid, len(sent)+1)[1:], sent, "arrived")
}

// Several goroutines send on one association at a time; the messages of each
// keep their order.
func manySenders(w *world) {
	const senders, each = 8, 200
	c, cid, s, sid := w.pair(assoc.Params{})
	var done sync.WaitGroup
	for i := range senders {
		done.Go(func() {
			for k := range each {
				m := message{stream: uint16(i), ppid: uint32(k), data: pattern(1+k*5, i)}
				for {
					err := c.trySend(cid, m)
					if err == nil {
						break
					}
					if !errors.Is(err, assoc.ErrWouldBlock) {
						w.Errorf("send: %v", err)
						return
					}
					time.Sleep(time.Millisecond)
				}
			}
		})
	}
	done.Wait()
	next := [senders]uint32{}
	for _, m := range s.awaitMessages(sid, senders*each) {
		if m.ppid != next[m.stream] || m.data != pattern(1+int(m.ppid)*5, int(m.stream)) {
			w.Fatalf("message %d of sender %d where %d was due, or its data differ", m.ppid, m.stream, next[m.stream])
		}
		next[m.stream]++
	}
}
