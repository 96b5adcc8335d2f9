package transporttest

import (
	"errors"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/transport"
)

var failureScenarios = []scenario{
	{"peer dies", peerDies, false},
	{"peer dies with data on the way", peerDiesWithData, false},
	{"peer restarts", peerRestarts, false},
	{"peer disappears", peerDisappears, false},
	{"short darkness", shortDarkness, false},
}

// soon makes timers expire soon; given after that, quick finds out within a
// second that a peer is silent. It is given only when the peer is about to
// become so: earlier, a busy machine would look like one.
var (
	soon = assoc.Params{
		RTOInitial: 50 * time.Millisecond, RTOMin: 50 * time.Millisecond, RTOMax: 100 * time.Millisecond,
		HeartbeatInterval: 100 * time.Millisecond,
	}
	quick = assoc.Params{PathMaxRetrans: 2, AssocMaxRetrans: 2}
)

// hurry gives an association the limits of quick.
func (w *world) hurry(n *node, id assoc.ID) {
	w.Helper()
	if err := n.ep.SetParams(id, quick); err != nil {
		w.Fatal(err)
	}
}

func (w *world) kill(n *node) {
	w.Helper()
	if w.f.Kill == nil {
		w.Skip("an endpoint of this transport cannot die without a goodbye")
	}
	w.f.Kill(n.ep)
}

// died checks the end of an association whose peer is gone. How that shows
// depends on who notices first: an ICMP message or a timer.
func (w *world) died(n *node, id assoc.ID) history {
	w.Helper()
	h := n.awaitEnd(id)
	err := h.end.Err
	if h.end.Kind != assoc.CommLost || !errors.Is(err, assoc.ErrTimeout) && !errors.Is(err, assoc.ErrUnreachable) && !errors.Is(err, assoc.ErrAborted) {
		w.Errorf("association ended with kind %d, %v; want CommLost for a dead peer", h.end.Kind, err)
	}
	return h
}

func peerDies(w *world) {
	c, cid, s, sid := w.pair(soon)
	w.exchange(c, cid, s, sid)
	w.hurry(c, cid)
	w.kill(s)
	w.died(c, cid)
}

func peerDiesWithData(w *world) {
	c, cid, s, sid := w.pair(soon)
	w.exchange(c, cid, s, sid)
	s.pause()
	w.hurry(c, cid)
	w.kill(s)
	var sent []message
	for i := range 50 {
		m := message{stream: uint16(i % 3), context: uint64(i), data: pattern(1+i*200, i)}
		if err := c.trySend(cid, m); errors.Is(err, assoc.ErrNotConnected) {
			break // its death has been noticed
		} else if err != nil {
			w.Fatal(err)
		}
		sent = append(sent, m)
	}
	w.cameBack(sent, w.died(c, cid).failed)
}

// A peer that comes back at its old address takes its association over
// (RFC 9260 section 5.2), and nothing of the old life arrives in the new one.
func peerRestarts(w *world) {
	p := patient(assoc.Params{HeartbeatInterval: -1})
	c, s := w.client(p), w.server(p)
	cid := w.dial(c, s, assoc.Params{})
	c.awaitUp(cid)
	sid := s.awaitPeers(1)[0]
	w.exchange(c, cid, s, sid)
	local := c.ep.LocalAddrs()
	w.kill(c)
	again := w.listen("client again", w.f.Open, transport.Config{Local: local, Params: p})
	cid = w.dial(again, s, assoc.Params{})
	again.awaitUp(cid)
	s.await("restart", func() bool { h := s.history(sid); return h.restarts > 0 || h.end != nil })
	if h := s.look(sid); h.end != nil {
		w.Fatalf("association ended with kind %d, %v; want a restart", h.end.Kind, h.end.Err)
	}
	w.exchange(again, cid, s, sid)
	if n := s.look(sid).restarts; n != 1 {
		w.Errorf("%d restarts, want 1", n)
	}
}

// A peer that is silent without any sign is given up.
func peerDisappears(w *world) {
	c, cid, s, sid := w.pairThroughRelay(soon)
	w.exchange(c, cid, s, sid)
	w.relay(s).Dark(true)
	w.hurry(c, cid)
	w.hurry(s, sid)
	w.died(c, cid)
	w.died(s, sid)
}

// pairThroughRelay is pair over a relay, whatever the link of the world.
func (w *world) pairThroughRelay(p assoc.Params) (c *node, cid assoc.ID, s *node, sid assoc.ID) {
	w.Helper()
	if w.f.UDPPort == nil {
		w.Skip("no relay for this transport")
	}
	if w.link == nil {
		w.link = &Link{}
	}
	return w.pair(p)
}

// A darkness that is shorter than the limits costs nothing but time.
func shortDarkness(w *world) {
	c, cid, s, sid := w.pairThroughRelay(soon)
	w.exchange(c, cid, s, sid)
	w.relay(s).Dark(true)
	var sent []message
	for i := range 100 {
		sent = append(sent, message{stream: 1, ppid: uint32(i), data: pattern(1000, i)})
		c.send(cid, sent[i])
	}
	time.Sleep(300 * time.Millisecond)
	w.relay(s).Dark(false)
	before := 1
	w.same(s.awaitMessages(sid, before+len(sent))[before:], sent, "arrived")
	if h := c.look(cid); h.end != nil || h.restarts > 0 {
		w.Errorf("association suffered: %+v", h)
	}
	if status, err := c.ep.Status(cid); err != nil || status.Retransmissions == 0 {
		w.Errorf("nothing was sent again: %+v, %v", status, err)
	}
}
