package userland

import (
	"net"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// On loopback bulk data soon travels in packets as large as the interface, or
// the sockets, carry: nothing is assumed, the system refuses what is too large
// (SCTP-3-131, SCTP-5-10).
func TestMTUOfLoopback(t *testing.T) {
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Skip("no interface lo: ", err)
	}
	a, b := newEnd(t, assoc.Params{}, "127.0.0.1:0"), newEnd(t, assoc.Params{}, "127.0.0.1:0")
	id, err := a.Connect(b.LocalAddrs(), nil)
	if err != nil {
		t.Fatal(err)
	}
	a.kind(assoc.CommUp)
	limit := min(lo.MTU, maxMTU(a.sockets), 65535) - 28
	message := make([]byte, 1<<20)
	var s assoc.Status
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		a.tell(id, string(message))
		b.hears(string(message))
		if s, err = a.Status(id); err != nil {
			t.Fatal(err)
		}
		if mtu := s.Paths[0].MTU; mtu > limit {
			t.Fatalf("packets of %d, the limit is %d", mtu, limit)
		} else if mtu > limit-max(32, limit/16)-4 {
			break
		}
		if time.Since(began) > 20*time.Second {
			t.Fatalf("packets of %d, the limit is %d", s.Paths[0].MTU, limit)
		}
	}
	if s.Paths[0].Errors != 0 {
		t.Errorf("%+v", s.Paths[0])
	}
}
