package userland_test

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/transport"
	"github.com/librserpool/librserpool/core/internal/transport/transporttest"
)

// Two hosts behind one NAT use the same local port: the server sees one address
// and SCTP port for both, at different UDP ports. Each has its own association,
// and none of them ever restarts (SCTP-2-05).
func TestTwoClientsBehindOneNAT(t *testing.T) {
	server := open(t, transport.Config{Local: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}})
	defer server.Close()
	at := server.LocalAddrs()[0]
	nat := transporttest.NewRelay(t, at, transporttest.Link{})

	first := open(t, transport.Config{Local: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}})
	defer first.Close()
	port := first.LocalAddrs()[0].Port()
	second := open(t, transport.Config{Local: []netip.AddrPort{netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), port)}})
	defer second.Close()

	seen := map[assoc.ID]bool{}
	buf := make([]byte, 100)
	for round := range 3 {
		for _, client := range []transport.Endpoint{first, second} {
			id, err := client.Connect([]netip.AddrPort{at}, &assoc.Params{EncapPort: nat.Port()})
			if round == 0 {
				if err != nil {
					t.Fatal(err)
				}
				waitFor(t, client, assoc.CommUp, buf)
				seen[waitFor(t, server, assoc.CommUp, buf).Assoc] = true
			} else if !errors.Is(err, assoc.ErrAlreadyExists) {
				t.Fatal(err)
			}
			if err := client.Send([]byte("ping"), &assoc.SendInfo{Assoc: id}); err != nil {
				t.Fatal(err)
			}
			asked := waitFor(t, server, assoc.Message, buf)
			if err := server.Send([]byte("pong"), &assoc.SendInfo{Assoc: asked.Assoc}); err != nil {
				t.Fatal(err)
			}
			waitFor(t, client, assoc.Message, buf)
		}
	}
	if len(seen) != 2 || len(nat.Seen()) != 2 {
		t.Errorf("%d associations at %d UDP ports", len(seen), len(nat.Seen()))
	}
}

// waitFor returns what comes next, which has to be of a kind.
func waitFor(t *testing.T, e transport.Endpoint, kind assoc.Kind, buf []byte) assoc.RecvInfo {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		var info assoc.RecvInfo
		switch _, err := e.Recv(buf, &info); {
		case errors.Is(err, assoc.ErrWouldBlock):
		case err != nil:
			t.Fatal(err)
		case info.Kind != kind:
			t.Fatalf("got %+v, want kind %d", info, kind)
		default:
			return info
		}
	}
	t.Fatalf("nothing of kind %d", kind)
	return assoc.RecvInfo{}
}
