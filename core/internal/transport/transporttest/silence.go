package transporttest

import (
	"encoding/binary"
	"net/netip"
	"sync"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/transport"
)

// silenceScenarios need a relay that sees what passes.
var silenceScenarios = []scenario{
	{"client restarts in silence", func(w *world) { restartsInSilence(w, true) }, false},
	{"server restarts in silence", func(w *world) { restartsInSilence(w, false) }, false},
	{"idle with heartbeats", idleWithHeartbeats, false},
}

// Types of chunks, as the first one of a packet.
const (
	chunkHeartbeat    = 4
	chunkHeartbeatAck = 5
	chunkAbort        = 6
)

// census counts packets by their first chunk and by who sent them.
type census struct {
	mu    sync.Mutex
	count map[string]map[byte]int
}

// census counts what passes the relay in front of a server.
func (w *world) census(s *node) *census {
	w.Helper()
	c := &census{count: map[string]map[byte]int{"client": {}, "server": {}}}
	server := s.ep.LocalAddrs()[0].Port()
	w.relay(s).Tap(func(_, _ netip.AddrPort, b []byte) {
		if len(b) <= 12 { // the common header
			return
		}
		sender := "client"
		if binary.BigEndian.Uint16(b) == server { // the kernel's endpoints share a UDP port
			sender = "server"
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.count[sender][b[12]]++
	})
	return c
}

// await waits until so many packets of a kind have been seen.
func (c *census) await(w *world, sender string, chunk byte, count int) {
	w.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		c.mu.Lock()
		n := c.count[sender][chunk]
		c.mu.Unlock()
		if n >= count {
			return
		}
		if time.Now().After(end) {
			w.Fatalf("%d packets of the %s begin with a chunk of type %d, want %d", n, sender, chunk, count)
		}
	}
}

// An endpoint goes with a word that is lost, and another one at its address
// takes its association over (RFC 9260 section 5.2; SCTP-7-42).
func restartsInSilence(w *world, byClient bool) {
	p := patient(assoc.Params{HeartbeatInterval: -1})
	c, cid, s, sid := w.pairThroughRelay(p)
	gone, goneID, open, stays, id, name := s, sid, w.f.OpenPeer, c, cid, "server"
	if byClient {
		gone, goneID, open, stays, id, name = c, cid, w.f.Open, s, sid, "client"
	}
	// The one that stays speaks last, and so owes no SACK, and has nothing to send
	// again: a packet of its that came to the other's successor before its INIT
	// has left would be answered with an ABORT.
	w.exchange(gone, goneID, stays, id)
	w.acknowledged(stays, id)
	seen := w.census(s)
	local := gone.ep.LocalAddrs()
	w.relay(s).Dark(true)
	if err := gone.ep.Close(); err != nil {
		w.Fatal(err)
	}
	seen.await(w, name, chunkAbort, 1)
	w.relay(s).Dark(false)

	again := w.listen(name+" again", open, transport.Config{Local: local, Params: p})
	var to assoc.Params
	addr := w.address(stays, &to)
	if !byClient {
		// The way that the association took: the kernel does not let a peer
		// restart at another UDP port.
		to.EncapPort = w.relay(s).Seen()[0]
	}
	aid, err := again.ep.Connect([]netip.AddrPort{addr}, &to)
	if err != nil {
		w.Fatal(err)
	}
	again.awaitUp(aid)
	stays.await("restart", func() bool { h := stays.history(id); return h.restarts > 0 || h.end != nil })
	if h := stays.look(id); h.end != nil {
		w.Fatalf("association ended with kind %d, %v; want a restart", h.end.Kind, h.end.Err)
	}
	w.exchange(again, aid, stays, id)
	if n := stays.look(id).restarts; n != 1 {
		w.Errorf("%d restarts, want 1", n)
	}
}

// Heartbeats of both sides keep an association of which nothing else is heard
// (RFC 9260 section 8.3; SCTP-7-43).
func idleWithHeartbeats(w *world) {
	c, cid, s, sid := w.pairThroughRelay(assoc.Params{HeartbeatInterval: 200 * time.Millisecond})
	w.exchange(c, cid, s, sid)
	seen := w.census(s)
	time.Sleep(w.f.Idle)
	for _, sender := range []string{"client", "server"} {
		seen.await(w, sender, chunkHeartbeat, 3)
		seen.await(w, sender, chunkHeartbeatAck, 3)
	}
	for _, side := range []struct {
		n  *node
		id assoc.ID
	}{{c, cid}, {s, sid}} {
		status, err := side.n.ep.Status(side.id)
		if err != nil || status.State != "ESTABLISHED" || !status.Paths[0].Active {
			w.Errorf("%s: after heartbeats %+v, %v", side.n.name, status, err)
		}
		if h := side.n.look(side.id); h.end != nil || h.restarts > 0 || len(h.failed) > 0 {
			w.Errorf("%s: the association suffered: %+v", side.n.name, h)
		}
	}
	w.exchange(c, cid, s, sid)
}
