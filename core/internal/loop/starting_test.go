package loop_test

import (
	"log/slog"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/librserpool/librserpool/core/internal/loop"
	"github.com/librserpool/librserpool/core/internal/loop/memnet"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/transport"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
	"github.com/librserpool/librserpool/core/internal/wire/enrp"
)

// ENRP-3.2-16, ENRP-3.2-17: a registrar whose mentor says nothing has no table.
// Until it gives the mentor up it tells users nothing, rather than that there is
// no such pool, and operators that it cannot tell.
func TestStartingRegistrarTellsNothingWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := memnet.New()
		mute := netip.MustParseAddrPort("127.0.0.1:9902")
		mentor, _, err := net.Open(transport.Config{Local: []netip.AddrPort{mute}})
		if err != nil {
			t.Fatal(err)
		}
		defer mentor.Close()
		r, err := loop.StartRegistrar(loop.RegistrarConfig{
			ASAP:  []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:3863")},
			ENRP:  []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:9901")},
			Peers: [][]netip.AddrPort{{mute}},
			Open:  net.Open, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		pu, op := connect(t, net, r.ASAPAddrs()), connect(t, net, r.ENRPAddrs())
		pu.sendASAP(asap.HandleResolution{Handle: "echo"})
		time.Sleep(4 * time.Second)
		pu.silent()
		b, err := enrp.Append(nil, enrp.HandleTableRequest{})
		op.send(protocol.PPIDENRP, b, err)
		b, _ = receive(t, op.port)
		got, _, err := enrp.Parse(b)
		if m, ok := got.(enrp.HandleTableResponse); err != nil || !ok || !m.Rejected || len(m.Entries) > 0 {
			t.Errorf("an operator gets %+v, %v", got, err)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		pu.want(asap.HandleResolutionResponse{Handle: "echo", Causes: []protocol.Cause{{Code: protocol.CauseUnknownPoolHandle}}})
	})
}
