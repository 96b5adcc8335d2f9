package transporttest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/transport"
)

var holdScenarios = []scenario{
	{"one association held", oneIsHeld, false},
	{"association held again and again", heldAgain, true},
	{"all associations held", allAreHeld, false},
	{"held association is aborted", func(w *world) { endsWhileHeld(w, false) }, false},
	{"held association is shut down", func(w *world) { endsWhileHeld(w, true) }, false},
	{"abort of a held association", abortWhileHeld, false},
	{"close with an association held", closeWhileHeld, false},
	{"restart of a held association", restartWhileHeld, false},
}

func (w *world) hold(n *node, id assoc.ID, on bool) {
	w.Helper()
	if err := n.ep.(transport.Holder).Hold(id, on); err != nil {
		w.Fatalf("%s: Hold(%d, %v): %v", n.name, id, on, err)
	}
}

// fill sends until there is no room.
func (w *world) fill(n *node, id assoc.ID, contexts bool) (sent []message) {
	w.Helper()
	for len(sent) < 1000 {
		m := message{stream: 1, ppid: uint32(len(sent)), data: pattern(3000, len(sent))}
		if contexts {
			m.context = uint64(len(sent))
		}
		switch err := n.trySend(id, m); {
		case errors.Is(err, assoc.ErrWouldBlock):
			return sent
		case err != nil:
			w.Fatal(err)
		}
		sent = append(sent, m)
	}
	w.Fatal("3 MB fit into buffers of 64 KiB")
	return nil
}

var tight = assoc.Params{SendBuffer: 64 << 10, ReceiveBuffer: 64 << 10}

// One association is held, another one of the same endpoint goes on, and so
// does the other direction.
func oneIsHeld(w *world) {
	c, cid, s, sid := w.pair(tight)
	w.hold(s, sid, true)
	sent := w.fill(c, cid, false)

	other := w.client(tight)
	oid := w.dial(other, s, assoc.Params{})
	other.awaitUp(oid)
	osid := s.awaitPeers(2)[1]
	w.exchange(other, oid, s, osid)

	c.pause()
	back := w.fill(s, sid, false)
	c.resume()
	s.await("call of the writable hook", func() bool { return s.relaxed[sid] > 0 })
	w.same(c.awaitMessages(cid, len(back)), back, "arrived")
	if status, err := s.ep.Status(sid); err != nil || status.State != "ESTABLISHED" || len(status.Paths) != 1 {
		w.Errorf("status of the association that is held: %+v, %v", status, err)
	}

	if got := s.look(sid).got; len(got) != 0 {
		w.Fatalf("%d messages came from an association that is held", len(got))
	}
	w.hold(s, sid, false)
	w.same(s.awaitMessages(sid, len(sent)), sent, "arrived")
	w.exchange(c, cid, s, sid)
	w.exchange(other, oid, s, osid)
	var p assoc.Params
	if id, err := s.ep.Connect(c.ep.LocalAddrs(), &p); !errors.Is(err, assoc.ErrAlreadyExists) || id != sid {
		w.Errorf("second Connect: association %d, %v; want %d and ErrAlreadyExists", id, err, sid)
	}
}

// Holding and letting go while both sides send loses nothing and changes no
// order.
func heldAgain(w *world) {
	const count = 400
	c, cid, s, sid := w.pair(tight)
	ends := []struct {
		n, peer   *node
		id, other assoc.ID
		sent      []message
	}{{n: c, peer: s, id: cid, other: sid}, {n: s, peer: c, id: sid, other: cid}}
	var sending sync.WaitGroup
	for i := range ends {
		end := &ends[i]
		for k := range count {
			end.sent = append(end.sent, message{stream: uint16(i), ppid: uint32(k), data: pattern(1+k*13, k)})
		}
		sending.Go(func() {
			for _, m := range end.sent {
				for {
					err := end.n.trySend(end.id, m)
					if err == nil {
						break
					} else if !errors.Is(err, assoc.ErrWouldBlock) {
						w.Errorf("%s: send: %v", end.n.name, err)
						return
					}
					time.Sleep(time.Millisecond)
				}
			}
		})
	}
	for range 50 {
		w.hold(s, sid, true)
		time.Sleep(time.Millisecond)
		w.hold(s, sid, false)
		time.Sleep(time.Millisecond)
	}
	sending.Wait()
	for _, end := range ends {
		w.same(end.peer.awaitMessages(end.other, count), end.sent, "arrived")
	}
}

// All of several associations are held, and each gets what was sent to it when
// they are let go.
func allAreHeld(w *world) {
	const count, each = 40, 20
	s := w.server(assoc.Params{})
	var clients []*node
	var ids []assoc.ID
	for i := range count {
		c := w.client(assoc.Params{})
		id := w.dial(c, s, assoc.Params{})
		c.awaitUp(id)
		w.hold(s, s.awaitPeers(i + 1)[i], true)
		clients, ids = append(clients, c), append(ids, id)
	}
	sids := s.awaitPeers(count)
	for k := range each {
		for i, c := range clients {
			c.send(ids[i], message{ppid: uint32(k), data: pattern(500, i*each+k)})
		}
	}
	for i := range sids {
		w.hold(s, sids[count-1-i], false)
	}
	for i, sid := range sids { // in the order in which they were opened
		for k, m := range s.awaitMessages(sid, each) {
			if m.ppid != uint32(k) || m.data != pattern(500, i*each+k) {
				w.Fatalf("association %d: message %d is number %d", i, k, m.ppid)
			}
		}
	}
	for i, c := range clients {
		w.exchange(c, ids[i], s, sids[i])
	}
}

// An association that ends is let go: what it brought comes, then its end.
func endsWhileHeld(w *world, gracefully bool) {
	c, cid, s, sid := w.pair(assoc.Params{})
	w.exchange(c, cid, s, sid)
	w.hold(s, sid, true)
	sent := []message{s.look(sid).got[0]}
	for i := range 20 {
		sent = append(sent, message{ppid: uint32(i), data: pattern(1000, i)})
		c.send(cid, sent[i+1])
	}
	w.acknowledged(c, cid)
	kind, want := assoc.ShutdownComplete, error(nil)
	if gracefully {
		if err := c.ep.Shutdown(cid); err != nil {
			w.Fatal(err)
		}
	} else {
		kind, want = assoc.CommLost, assoc.ErrAborted
		if err := c.ep.Abort(cid, "over"); err != nil {
			w.Fatal(err)
		}
	}
	w.same(w.expect(s, sid, kind, want).got, sent, "arrived")
	if err := s.ep.(transport.Holder).Hold(sid, false); !errors.Is(err, assoc.ErrNotConnected) {
		w.Errorf("Hold after the end: %v, want ErrNotConnected", err)
	}
	// The next association with that peer is a new one.
	cid = w.dial(c, s, assoc.Params{})
	c.awaitUp(cid)
	w.exchange(c, cid, s, s.awaitPeers(2)[1])
}

// acknowledged waits until all that was sent has arrived at the other end,
// read or not.
func (w *world) acknowledged(n *node, id assoc.ID) {
	w.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		if status, err := n.ep.Status(id); err == nil && status.Unacked == 0 && status.Unsent == 0 && status.QueuedBytes == 0 {
			return
		}
		if time.Now().After(end) {
			w.Fatalf("messages are not acknowledged%s", n.describe())
		}
	}
}

// One's own Abort gives back what was to be sent on an association that is
// held.
func abortWhileHeld(w *world) {
	c, cid, s, sid := w.pair(tight)
	c.pause()
	w.hold(s, sid, true)
	sent := w.fill(s, sid, true)
	if err := s.ep.Abort(sid, "enough"); err != nil {
		w.Fatal(err)
	}
	w.cameBack(sent, w.expect(s, sid, assoc.CommLost, assoc.ErrLocalAbort).failed)
	c.resume()
	w.expect(c, cid, assoc.CommLost, assoc.ErrAborted)
}

// Close leaves what was received on an association that is held.
func closeWhileHeld(w *world) {
	for _, gracefully := range []bool{false, true} {
		c, cid, s, sid := w.pair(assoc.Params{})
		w.hold(s, sid, true)
		var sent []message
		for i := range 20 {
			sent = append(sent, message{ppid: uint32(i), data: pattern(1000, i)})
			c.send(cid, sent[i])
		}
		w.acknowledged(c, cid)
		kind, want := assoc.CommLost, assoc.ErrAborted
		if gracefully {
			kind, want = assoc.ShutdownComplete, nil
			if err := s.ep.Shutdown(sid); err != nil {
				w.Fatal(err)
			}
		}
		s.ep.Close()
		s.pump()
		w.same(s.look(sid).got, sent, fmt.Sprintf("arrived (gracefully: %v)", gracefully))
		w.expect(c, cid, kind, want)
	}
}

// A peer that restarts takes over the association that is held.
func restartWhileHeld(w *world) {
	p := patient(assoc.Params{HeartbeatInterval: -1})
	c, s := w.client(p), w.server(p)
	cid := w.dial(c, s, assoc.Params{})
	c.awaitUp(cid)
	sid := s.awaitPeers(1)[0]
	w.hold(s, sid, true)
	local := c.ep.LocalAddrs()
	w.kill(c)
	again := w.listen("client again", w.f.Open, transport.Config{Local: local, Params: p})
	cid = w.dial(again, s, assoc.Params{})
	again.awaitUp(cid)
	w.hold(s, sid, false)
	s.await("restart", func() bool { h := s.history(sid); return h.restarts > 0 || h.end != nil })
	if h := s.look(sid); h.end != nil {
		w.Fatalf("association ended with kind %d, %v; want a restart", h.end.Kind, h.end.Err)
	}
	w.exchange(again, cid, s, sid)
}
