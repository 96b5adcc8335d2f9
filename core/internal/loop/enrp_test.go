package loop_test

import (
	"log/slog"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/loop"
	"github.com/librserpool/librserpool/core/internal/loop/memnet"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/transport"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// ENRP-3.1-02: a registrar connects from the endpoint at which it listens for
// others, and announces that; so whoever it connects to sees the announced
// port. ENRP-3.1-01: over SCTP.
func TestRegistrarConnectsFromItsPort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := memnet.New()
		at := []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:9902")}
		ep, _, err := net.Open(transport.Config{Local: at})
		if err != nil {
			t.Fatal(err)
		}
		defer ep.Close()
		other := &peer{T: t, port: loop.NewPort(ep), ep: ep.(*memnet.Endpoint)}
		r, err := loop.StartRegistrar(loop.RegistrarConfig{
			ASAP:  []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:3863")},
			ENRP:  []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:9901")},
			Peers: [][]netip.AddrPort{at},
			Open:  net.Open, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		_, info := receive(t, other.port)
		_, seen, err := ep.AssocAddrs(info.Assoc)
		if info.Kind != assoc.CommUp || err != nil || !slices.Equal(seen, r.ENRPAddrs()) {
			t.Fatalf("%+v from %v, %v", info, seen, err)
		}
		b, info := receive(t, other.port)
		got, _, err := enrp.Parse(b)
		m, ok := got.(enrp.Presence)
		if err != nil || !ok || info.PPID != protocol.PPIDENRP || m.Server.Transport.Protocol != protocol.SCTP ||
			!slices.Equal(m.Server.Transport.AddrPorts(), seen) {
			t.Errorf("from %v: %+v, %v", seen, got, err)
		}
	})
}
