package transporttest

import (
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/transport"
)

var setupScenarios = []scenario{
	{"connect", connect, true},
	{"connect over IPv6", connectIPv6, false},
	{"dual stack", dualStack, false},
	{"wildcard to IPv4 only", wildcardToIPv4, false},
	{"connect twice", connectTwice, false},
	{"refused without endpoint", refusedByNobody, false},
	{"refused by endpoint", refusedByEndpoint, false},
	{"refused by itself", refusedByItself, false},
	{"nobody answers", nobodyAnswers, false},
	{"shutdown before an answer", shutdownBeforeAnswer, false},
	{"simultaneous open", simultaneousOpen, false},
	{"many associations", manyAssociations, false},
}

func connect(w *world) {
	c, cid, s, sid := w.pair(assoc.Params{OutStreams: 7, InStreams: 5})
	up, peerUp := c.look(cid).up, s.look(sid).up
	if up.Incoming || !peerUp.Incoming {
		w.Errorf("incoming is %v at the client and %v at the server", up.Incoming, peerUp.Incoming)
	}
	// Each side sends on at most as many streams as the other accepts.
	if up.OutStreams != 5 || up.InStreams != 5 || peerUp.OutStreams != 5 || peerUp.InStreams != 5 {
		w.Errorf("streams: client %d out %d in, server %d out %d in, want 5 everywhere", up.OutStreams, up.InStreams, peerUp.OutStreams, peerUp.InStreams)
	}
	for _, side := range []struct {
		n, peer *node
		id      assoc.ID
	}{{c, s, cid}, {s, c, sid}} {
		status, err := side.n.ep.Status(side.id)
		if err != nil || status.State != "ESTABLISHED" || len(status.Paths) == 0 {
			w.Errorf("%s: status %+v, %v", side.n.name, status, err)
		}
		local, peer, err := side.n.ep.AssocAddrs(side.id)
		if err != nil || len(local) == 0 || len(peer) == 0 {
			w.Fatalf("%s: association's addresses %v, %v, %v", side.n.name, local, peer, err)
		}
		if local[0] != side.n.ep.LocalAddrs()[0] || peer[0] != side.peer.ep.LocalAddrs()[0] {
			w.Errorf("%s: association from %v to %v, want from %v to %v", side.n.name, local, peer, side.n.ep.LocalAddrs(), side.peer.ep.LocalAddrs())
		}
	}
	w.exchange(c, cid, s, sid)
}

// exchange sends one message each way.
func (w *world) exchange(c *node, cid assoc.ID, s *node, sid assoc.ID) {
	w.Helper()
	before, peerBefore := len(c.look(cid).got), len(s.look(sid).got)
	c.send(cid, message{stream: 1, ppid: 77, data: "there"})
	if got := s.awaitMessages(sid, peerBefore+1)[peerBefore]; got.data != "there" || got.stream != 1 || got.ppid != 77 {
		w.Errorf("server got %+v", got)
	}
	s.send(sid, message{stream: 2, ppid: 78, data: "and back"})
	if got := c.awaitMessages(cid, before+1)[before]; got.data != "and back" || got.stream != 2 || got.ppid != 78 {
		w.Errorf("client got %+v", got)
	}
}

func connectIPv6(w *world) {
	six := netip.IPv6Loopback()
	c := w.open("client", w.f.Open, assoc.Params{}, six)
	s := w.open("server", w.f.OpenPeer, assoc.Params{}, six)
	cid := w.dial(c, s, assoc.Params{})
	c.awaitUp(cid)
	w.exchange(c, cid, s, s.awaitPeers(1)[0])
}

// One endpoint serves both families, and sees IPv4 addresses as such.
func dualStack(w *world) {
	s := w.open("server", w.f.OpenPeer, assoc.Params{}, netip.IPv6Unspecified())
	for i, host := range []netip.Addr{loopback, netip.IPv6Loopback()} {
		// To one client both addresses would be the same peer.
		c := w.open("client", w.f.Open, assoc.Params{}, netip.IPv6Unspecified())
		var p assoc.Params
		to := netip.AddrPortFrom(host, w.address(s, &p).Port())
		cid, err := c.ep.Connect([]netip.AddrPort{to}, &p)
		if err != nil {
			w.Fatal(err)
		}
		c.awaitUp(cid)
		sid := s.awaitPeers(i + 1)[i]
		_, peer, err := s.ep.AssocAddrs(sid)
		if err != nil || len(peer) == 0 || peer[0].Addr().Is4() != host.Is4() || peer[0].Addr().Is4In6() {
			w.Errorf("server sees its client at %v, %v", peer, err)
		}
		w.exchange(c, cid, s, sid)
	}
}

// An endpoint of both families does not claim addresses of which a peer of one
// family knows nothing: it would register them (ASAP-2.2.1-02).
func wildcardToIPv4(w *world) {
	c, s := w.open("client", w.f.Open, assoc.Params{}, netip.IPv6Unspecified()), w.server(assoc.Params{})
	cid := w.dial(c, s, assoc.Params{})
	c.awaitUp(cid)
	sid := s.awaitPeers(1)[0]
	local, _, err := c.ep.AssocAddrs(cid)
	if err != nil || len(local) == 0 || slices.ContainsFunc(local, func(a netip.AddrPort) bool { return !a.Addr().Is4() }) {
		w.Errorf("client has addresses %v, %v; want IPv4 alone", local, err)
	}
	w.exchange(c, cid, s, sid)
}

func connectTwice(w *world) {
	c, cid, s, _ := w.pair(assoc.Params{})
	var p assoc.Params
	to := w.address(s, &p)
	id, err := c.ep.Connect([]netip.AddrPort{to}, &p)
	if !errors.Is(err, assoc.ErrAlreadyExists) || id != cid {
		w.Errorf("second Connect: association %d, %v; want %d and ErrAlreadyExists", id, err, cid)
	}
}

// cannotStart waits for the failure of an association to start.
func (w *world) cannotStart(n *node, id assoc.ID, want error) {
	w.Helper()
	h := n.awaitEnd(id)
	if h.end.Kind != assoc.CannotStart || !errors.Is(h.end.Err, want) {
		w.Errorf("association ended with kind %d, %v; want CannotStart, %v", h.end.Kind, h.end.Err, want)
	}
	if err := n.trySend(id, message{data: "x"}); !errors.Is(err, assoc.ErrNotConnected) {
		w.Errorf("send afterwards: %v, want ErrNotConnected", err)
	}
}

func refusedByNobody(w *world) {
	c, s := w.client(assoc.Params{MaxInitRetransmits: 6}), w.server(assoc.Params{})
	var p assoc.Params
	to := w.address(s, &p)
	s.ep.Close()
	id, err := c.ep.Connect([]netip.AddrPort{to}, &p)
	if err != nil {
		w.Fatal(err)
	}
	var want []message
	switch err := c.trySend(id, message{data: "early", context: 9}); {
	case err == nil:
		want = []message{{data: "early", context: 9, unsent: true}}
	case !errors.Is(err, assoc.ErrNotConnected): // the refusal may have come already
		w.Errorf("send before the association is up: %v", err)
	}
	refused := assoc.ErrRefused
	if w.f.NoICMP {
		refused = assoc.ErrTimeout
	}
	w.cannotStart(c, id, refused)
	w.same(c.look(id).failed, want, "came back")
}

func refusedByEndpoint(w *world) {
	c := w.client(assoc.Params{})
	s := w.listen("server", w.f.OpenPeer, transport.Config{Local: []netip.AddrPort{netip.AddrPortFrom(loopback, 0)}, NoListen: true})
	w.cannotStart(c, w.dial(c, s, assoc.Params{}), assoc.ErrRefused)
}

// refusedByItself: an endpoint that has been given the port of a peer that is
// gone must not take itself for that one. Some see it before they begin.
func refusedByItself(w *world) {
	for _, host := range []netip.Addr{loopback, netip.IPv4Unspecified()} {
		c := w.open("client", w.f.Open, assoc.Params{}, host)
		var p assoc.Params
		to := w.address(c, &p)
		id, err := c.ep.Connect([]netip.AddrPort{to}, &p)
		switch {
		case err == nil:
			w.cannotStart(c, id, assoc.ErrRefused)
		case !errors.Is(err, assoc.ErrRefused):
			w.Errorf("Connect from %v to %v: %v, want ErrRefused", host, to, err)
		}
	}
}

func nobodyAnswers(w *world) {
	c, id := w.callSilence(assoc.Params{RTOInitial: 50 * time.Millisecond, RTOMin: 50 * time.Millisecond, RTOMax: 100 * time.Millisecond, MaxInitRetransmits: 3})
	w.cannotStart(c, id, assoc.ErrTimeout)
}

// callSilence connects to a peer that never answers.
func (w *world) callSilence(p assoc.Params) (c *node, id assoc.ID) {
	w.Helper()
	if w.f.Silent == nil {
		w.Skip("no silent peer for this transport")
	}
	silent := w.f.Silent(w.T)
	c = w.client(p)
	id, err := c.ep.Connect([]netip.AddrPort{silent.Addr}, &silent.Params)
	if err != nil {
		w.Fatal(err)
	}
	return c, id
}

// A shutdown during the set-up gives it up if nothing is queued, and waits for
// it otherwise (SCTP-2-07).
func shutdownBeforeAnswer(w *world) {
	for _, data := range []bool{false, true} {
		c, id := w.callSilence(assoc.Params{})
		if data {
			c.send(id, message{data: "early"})
		}
		if err := c.ep.Shutdown(id); err != nil {
			w.Fatal(err)
		}
		if data {
			time.Sleep(20 * time.Millisecond)
			if h := c.look(id); h.end != nil {
				w.Errorf("with data it ended: %+v", h.end)
			}
			if err := c.ep.Abort(id, ""); err != nil {
				w.Fatal(err)
			}
		}
		w.cannotStart(c, id, assoc.ErrLocalAbort)
	}
}

// Both sides connect at once: one association comes of it.
func simultaneousOpen(w *world) {
	for range 20 {
		a, b := w.client(assoc.Params{}), w.server(assoc.Params{})
		var toA, toB assoc.Params
		addrA, addrB := w.address(a, &toA), w.address(b, &toB)
		done := make(chan error)
		var ida, idb assoc.ID
		go func() {
			var err error
			idb, err = b.ep.Connect([]netip.AddrPort{addrA}, &toA)
			done <- err
		}()
		ida, err := a.ep.Connect([]netip.AddrPort{addrB}, &toB)
		for _, err := range []error{err, <-done} {
			if err != nil && !errors.Is(err, assoc.ErrAlreadyExists) {
				w.Fatal(err)
			}
		}
		a.awaitUp(ida)
		b.awaitUp(idb)
		w.exchange(a, ida, b, idb)
		for _, n := range []*node{a, b} {
			if ids := n.awaitPeers(1); len(ids) != 1 {
				w.Errorf("%s: %d associations, want 1", n.name, len(ids))
			}
			n.ep.Close()
		}
	}
}

func manyAssociations(w *world) {
	const count = 200
	s := w.server(assoc.Params{}).echoes()
	clients := make([]*node, count)
	ids := make([]assoc.ID, count)
	for i := range clients {
		clients[i] = w.client(assoc.Params{})
		ids[i] = w.dial(clients[i], s, assoc.Params{})
		if err := clients[i].trySend(ids[i], message{data: pattern(100, i)}); err != nil {
			w.Fatal(err)
		}
	}
	for i, c := range clients {
		c.awaitUp(ids[i])
		for range 3 {
			c.send(ids[i], message{data: pattern(100, i)})
		}
	}
	for i, c := range clients {
		for _, m := range c.awaitMessages(ids[i], 4) {
			if m.data != pattern(100, i) {
				w.Fatalf("client %d got another one's message", i)
			}
		}
	}
	if got := len(s.awaitPeers(count)); got != count {
		w.Errorf("server has %d associations, want %d", got, count)
	}
}
