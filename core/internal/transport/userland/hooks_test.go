package userland

import (
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/transport"
)

// TestOneHookAtATime: while one runs, none is due at its endpoint, whatever there is to
// tell; and it is known since when it runs.
func TestOneHookAtATime(t *testing.T) {
	e, err := Listen(transport.Config{Local: addrs("127.0.0.1:0")})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	peer, err := Listen(transport.Config{Local: addrs("127.0.0.1:0"), NoListen: true})
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	type moment struct {
		hooking, due bool
		since        time.Time
	}
	began, seen := clock(), make(chan moment, 1)
	e.Notify(func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.starved = true // as if the hook had read all, and more had come since
		select {
		case seen <- moment{e.hooking, e.hooksDue(), e.hookStart}:
		default:
		}
		e.starved = false
	}, nil)
	if _, err := e.Recv(nil, &assoc.RecvInfo{}); err != assoc.ErrWouldBlock {
		t.Fatal(err)
	}
	if _, err := peer.Connect(e.LocalAddrs(), nil); err != nil {
		t.Fatal(err)
	}
	select {
	case m := <-seen:
		if !m.hooking || m.due || m.since.Before(began) || m.since.After(clock()) {
			t.Errorf("a hook runs: %v, since %v; another one is due: %v", m.hooking, m.since.Sub(began), m.due)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("no hook")
	}
}
