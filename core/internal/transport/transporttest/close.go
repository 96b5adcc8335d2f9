package transporttest

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/transport"
)

var closeScenarios = []scenario{
	{"close aborts", closeAborts, false},
	{"close lets shutdown finish", closeAfterShutdown, true},
	{"close leaves what was received", closeLeavesMessages, false},
	{"close frees the port", closeFreesPort, false},
	{"close while others call", closeWhileCalling, false},
	{"close by a hook", closeByHook, false},
}

func closeAborts(w *world) {
	c, cid, s, sid := w.pair(assoc.Params{})
	w.exchange(c, cid, s, sid)
	if err := c.ep.Close(); err != nil {
		w.Fatal(err)
	}
	w.expect(s, sid, assoc.CommLost, assoc.ErrAborted)
	w.isClosed(c, cid)
}

// isClosed checks that every operation says so.
func (w *world) isClosed(n *node, id assoc.ID) {
	w.Helper()
	_, connect := n.ep.Connect([]netip.AddrPort{netip.AddrPortFrom(loopback, 9)}, nil)
	_, status := n.ep.Status(id)
	_, _, addrs := n.ep.AssocAddrs(id)
	for name, err := range map[string]error{
		"Send": n.trySend(id, message{data: "x"}), "Connect": connect, "Shutdown": n.ep.Shutdown(id), "Abort": n.ep.Abort(id, ""),
		"SetParams": n.ep.SetParams(0, assoc.Params{}), "Status": status, "AssocAddrs": addrs, "Close": n.ep.Close(),
	} {
		if !errors.Is(err, net.ErrClosed) {
			w.Errorf("%s after Close: %v, want net.ErrClosed", name, err)
		}
	}
	for range 1000 {
		if _, err := n.ep.Recv(make([]byte, 1000), new(assoc.RecvInfo)); errors.Is(err, net.ErrClosed) {
			return
		} else if err != nil {
			w.Errorf("Recv after Close: %v, want net.ErrClosed", err)
		}
	}
	w.Error("Recv after Close does not come to an end")
}

// What was sent before Shutdown arrives although Close follows at once.
func closeAfterShutdown(w *world) {
	c, cid, s, sid := w.pair(assoc.Params{})
	var sent []message
	for i := range 200 {
		sent = append(sent, message{ppid: uint32(i), data: pattern(4000, i)})
		c.send(cid, sent[i])
	}
	if err := c.ep.Shutdown(cid); err != nil {
		w.Fatal(err)
	}
	if err := c.ep.Close(); err != nil {
		w.Fatal(err)
	}
	w.same(w.expect(s, sid, assoc.ShutdownComplete, nil).got, sent, "arrived")
}

func closeLeavesMessages(w *world) {
	c, cid, s, sid := w.pair(assoc.Params{})
	s.pause()
	c.send(cid, message{data: "first"})
	w.acknowledged(c, cid)
	if err := s.ep.Close(); err != nil {
		w.Fatal(err)
	}
	s.resume()
	if got := s.look(sid).got; len(got) != 1 || got[0].data != "first" {
		w.Errorf("after Close, Recv returned %+v, want the message", got)
	}
	w.isClosed(s, sid)
}

// A closed endpoint's port can be used again at once.
func closeFreesPort(w *world) {
	s := w.server(assoc.Params{})
	local := s.ep.LocalAddrs()
	for range 20 {
		c := w.client(assoc.Params{})
		cid := w.dial(c, s, assoc.Params{})
		c.awaitUp(cid)
		s.ep.Close()
		w.expect(c, cid, assoc.CommLost, assoc.ErrAborted)
		s = w.listen("server again", w.f.OpenPeer, transport.Config{Local: local, Params: patient(assoc.Params{})})
	}
}

// Close in the middle of everything else neither crashes nor hangs, and
// everybody learns of it.
func closeWhileCalling(w *world) {
	for range 10 {
		c, s := w.client(assoc.Params{}), w.server(assoc.Params{}).echoes()
		c.set(func(n *node) { n.shared = true })
		cid := w.dial(c, s, assoc.Params{})
		var to assoc.Params
		addr := w.address(s, &to)
		var calling sync.WaitGroup
		for _, call := range []func() error{
			func() error { return c.trySend(cid, message{data: pattern(2000, 1)}) },
			func() error { _, err := c.ep.Connect([]netip.AddrPort{addr}, &to); return err },
			func() error { _, err := c.ep.Status(cid); return err },
			func() error { _, _, err := c.ep.AssocAddrs(cid); return err },
			func() error { _, err := c.ep.Recv(make([]byte, 10000), new(assoc.RecvInfo)); return err },
			func() error { return c.ep.SetParams(0, assoc.Params{SackDelay: time.Millisecond}) },
		} {
			calling.Go(func() {
				for !errors.Is(call(), net.ErrClosed) {
					time.Sleep(50 * time.Microsecond)
				}
			})
		}
		time.Sleep(5 * time.Millisecond)
		if err := c.ep.Close(); err != nil {
			w.Error(err)
		}
		calling.Wait()
		s.ep.Close()
	}
}

// A hook may close the endpoint that called it.
func closeByHook(w *world) {
	ep := w.f.OpenPeer(w.T, transport.Config{Local: []netip.AddrPort{netip.AddrPortFrom(loopback, 0)}, Params: patient(assoc.Params{})})
	c, s := w.client(assoc.Params{}), &node{w: w, name: "server", ep: ep}
	closed := make(chan error, 1)
	ep.Notify(func() {
		for {
			var info assoc.RecvInfo
			if _, err := ep.Recv(make([]byte, 100), &info); err != nil {
				return
			} else if info.Kind == assoc.Message {
				closed <- ep.Close()
			}
		}
	}, func(assoc.ID) {})
	cid := w.dial(c, s, assoc.Params{})
	c.awaitUp(cid)
	c.send(cid, message{data: "close, please"})
	select {
	case err := <-closed:
		if err != nil {
			w.Error(err)
		}
	case <-time.After(patience):
		w.Fatal("hook was not called")
	}
	w.expect(c, cid, assoc.CommLost, assoc.ErrAborted)
}
