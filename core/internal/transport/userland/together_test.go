package userland

import (
	"net/netip"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/transport"
)

// TestTogether: messages that are sent in one batch share packets.
func TestTogether(t *testing.T) {
	const count = 200
	up := make(chan struct{}, 1)
	ends := make([]*Endpoint, 2)
	for i := range ends {
		e, err := Listen(transport.Config{Local: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { e.Close() })
		ends[i] = e
	}
	got := make(chan struct{}, count)
	take := func(e *Endpoint) func() {
		return func() {
			var info assoc.RecvInfo
			for b := make([]byte, 100); ; {
				if _, err := e.Recv(b, &info); err != nil {
					return
				}
				switch info.Kind {
				case assoc.CommUp:
					select {
					case up <- struct{}{}:
					default:
					}
				case assoc.Message:
					got <- struct{}{}
				}
			}
		}
	}
	for _, e := range ends {
		e.Notify(take(e), func(assoc.ID) {})
	}
	id, err := ends[0].Connect(ends[1].LocalAddrs(), nil)
	if err != nil {
		t.Fatal(err)
	}
	within(t, up)
	before := packetsOut(ends[0])
	ends[0].Together(func() {
		for range count {
			if err := ends[0].Send([]byte("small"), &assoc.SendInfo{Assoc: id}); err != nil {
				t.Error(err)
			}
		}
		if n := packetsOut(ends[0]) - before; n > 5 {
			t.Errorf("%d packets have left before the end", n)
		}
	})
	for range count {
		within(t, got)
	}
	if n := packetsOut(ends[0]) - before; n > count/4 {
		t.Errorf("%d packets for %d messages", n, count)
	}
	before = packetsOut(ends[0])
	if err := ends[0].Send([]byte("alone"), &assoc.SendInfo{Assoc: id}); err != nil {
		t.Fatal(err)
	}
	if packetsOut(ends[0]) == before {
		t.Error("what is sent after that waits as well")
	}
}

func within(t *testing.T, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(time.Minute):
		t.Fatal("it does not come")
	}
}

func packetsOut(e *Endpoint) uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.engine.Counters().PacketsOut
}
