package socket

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
)

// TestSessionAddrs: an element with all sessions on one socket knows where each
// pool user is, and a pool user where its element is.
func TestSessionAddrs(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		_, pe := w.pe("addresses", all, Registration{})
		for range 2 {
			pu := w.pu("addresses", all)
			w.send(pu, 0, "here")
			id := w.reads("element", pe, "SessionAdded", "here")
			local, peer, err := pe.SessionAddrs(id)
			w.ok(err)
			theirs, ours, err := pu.SessionAddrs(0)
			w.ok(err)
			if len(peer) != 1 || !slices.Equal(peer, theirs) || !slices.Equal(local, ours) {
				t.Errorf("element: %v to %v; pool user: %v to %v", local, peer, theirs, ours)
			}
			w.ok(pu.EndSession(0))
			synctest.Wait()
			if _, _, err := pe.SessionAddrs(id); !errors.Is(err, ErrNotConnected) {
				t.Errorf("of a session that has ended: %v", err)
			}
			w.reads("element, at the end", pe, "SessionRemoved")
		}
		if _, _, err := pe.SessionAddrs(0); !errors.Is(err, ErrNotConnected) {
			t.Errorf("without a session: %v", err)
		}
	})
}

// TestConnAddrs: there are none between two elements.
func TestConnAddrs(t *testing.T) {
	run(t, func(w *world) {
		w.process().registrar()
		p := w.process()
		l := p.echo("addresses", Registration{})
		c := w.process().dial("addresses")
		w.exchange(c, "hello")
		if _, peer := c.Addrs(); len(peer) != 1 || peer[0].Port() != l.Addrs()[0].Port() {
			t.Errorf("peer at %v, element at %v", peer, l.Addrs())
		}
		p.kill()
		synctest.Wait()
		if local, peer := c.Addrs(); len(local)+len(peer) != 0 {
			t.Errorf("without an element: %v to %v", local, peer)
		}
	})
}
