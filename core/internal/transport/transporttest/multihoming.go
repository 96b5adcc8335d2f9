package transporttest

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// RunMultihoming runs the scenarios with several addresses on each side: the
// client's endpoints on host 0 of a network of two cables, the server's on
// host 1.
func RunMultihoming(t *testing.T, f Factory, n *Network) {
	if f.OpenPeer == nil {
		f.OpenPeer = f.Open
	}
	for _, s := range []struct {
		name string
		run  func(*world, *Network)
	}{
		{"paths fail and return", pathsFail},
		{"four addresses", fourAddresses},
	} {
		t.Run(s.name, func(t *testing.T) { runScenario(t, f, func(w *world) { s.run(w, n) }, nil) })
	}
}

// multihomed finds out within a second that a path has failed, and does not
// give up an association.
var multihomed = assoc.Params{
	RTOInitial: 50 * time.Millisecond, RTOMin: 50 * time.Millisecond, RTOMax: 100 * time.Millisecond,
	HeartbeatInterval: 100 * time.Millisecond, PathMaxRetrans: 2,
}

// homes opens both sides; the client gets to know the server's first address
// only.
func (w *world) homes(client, server []netip.Addr) (c *node, cid assoc.ID, s *node, sid assoc.ID) {
	w.Helper()
	c = w.open("client", w.f.Open, multihomed, client...)
	s = w.open("server", w.f.OpenPeer, multihomed, server...)
	cid = w.dial(c, s, assoc.Params{})
	c.awaitUp(cid)
	return c, cid, s, s.awaitPeers(1)[0]
}

// awaitPaths waits until exactly the given addresses of the peer answer, and
// checks that others are known as ones that do not.
func (n *node) awaitPaths(id assoc.ID, working, broken []netip.Addr) {
	n.w.Helper()
	var status assoc.Status
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if status, err = n.ep.Status(id); err != nil {
			break
		}
		var up, down []netip.Addr
		for _, p := range status.Paths {
			if p.Active {
				up = append(up, p.Addr.Addr())
			} else {
				down = append(down, p.Addr.Addr())
			}
		}
		if sameAddrs(up, working) && sameAddrs(down, broken) {
			return
		}
	}
	n.w.Fatalf("%s: paths are not %v working and %v broken; status %+v, %v; %s", n.name, working, broken, status, err, n.describe())
}

func sameAddrs(a, b []netip.Addr) bool {
	slices.SortFunc(a, netip.Addr.Compare)
	b = slices.SortedFunc(slices.Values(b), netip.Addr.Compare)
	return slices.Equal(a, b)
}

// Data goes on over the second path when the first fails, without a loss of
// the association or of a message, and likewise when the second fails after
// the first has returned (RFC 9260 sections 6.4, 8.2; SCTP-7-46).
func pathsFail(w *world, n *Network) {
	client, server := []netip.Addr{n.Addr(0, 0), n.Addr(0, 1)}, []netip.Addr{n.Addr(1, 0), n.Addr(1, 1)}
	c, cid, s, sid := w.homes(client, server)
	c.awaitPaths(cid, server, nil)
	s.awaitPaths(sid, client, nil)
	var up, down []message
	talk := func() {
		w.Helper()
		for range 50 {
			up = append(up, message{stream: 1, ppid: uint32(len(up)), data: pattern(1+len(up)*20, len(up))})
			down = append(down, message{stream: 2, ppid: uint32(len(down)), data: pattern(1+len(down)*30, -len(down))})
			c.send(cid, up[len(up)-1])
			s.send(sid, down[len(down)-1])
		}
		w.same(s.awaitMessages(sid, len(up)), up, "arrived")
		w.same(c.awaitMessages(cid, len(down)), down, "arrived")
	}
	talk()
	for cable := range client {
		other := 1 - cable
		n.Cut(cable, true)
		talk()
		c.awaitPaths(cid, server[other:other+1], server[cable:cable+1])
		s.awaitPaths(sid, client[other:other+1], client[cable:cable+1])
		talk()
		n.Cut(cable, false)
		c.awaitPaths(cid, server, nil)
		s.awaitPaths(sid, client, nil)
		talk()
	}
	for _, h := range []history{c.look(cid), s.look(sid)} {
		if h.end != nil || h.restarts > 0 || len(h.failed) > 0 {
			w.Errorf("the association suffered: end %v, %d restarts, %d messages failed", h.end, h.restarts, len(h.failed))
		}
	}
}

// Two addresses of either family on each side are four paths.
func fourAddresses(w *world, n *Network) {
	n.NeedIPv6()
	var client, server []netip.Addr
	for cable := range 2 {
		client = append(client, n.Addr6(0, cable), n.Addr(0, cable))
		server = append(server, n.Addr6(1, cable), n.Addr(1, cable))
	}
	c, cid, s, sid := w.homes(client, server)
	c.awaitPaths(cid, server, nil)
	s.awaitPaths(sid, client, nil)
	w.exchange(c, cid, s, sid)
	if err := c.ep.Shutdown(cid); err != nil {
		w.Fatal(err)
	}
	w.expect(c, cid, assoc.ShutdownComplete, nil)
	w.expect(s, sid, assoc.ShutdownComplete, nil)
}
