package loadgen_test

import (
	"log/slog"
	"net/netip"
	"testing"

	"github.com/librserpool/librserpool/core/internal/loop"
	"github.com/librserpool/librserpool/core/internal/loop/loadgen"
	"github.com/librserpool/librserpool/core/internal/transport"
	"github.com/librserpool/librserpool/core/internal/transport/open"
)

// A registrar knows a crowd for as long as it stays.
func TestGather(t *testing.T) {
	local := netip.MustParseAddr("127.0.0.1")
	r, err := loop.StartRegistrar(loop.RegistrarConfig{
		ASAP: []netip.AddrPort{netip.AddrPortFrom(local, 0)}, Transport: transport.KindUserland,
		Open: open.Endpoint, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c, err := loadgen.Gather(loadgen.Config{
		Kind: transport.KindUserland, Local: local, Registrar: r.ASAPAddrs()[0], PerPool: 10, Life: 3600,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Register(200); err != nil {
		t.Fatal(err)
	}
	if err := c.Resolve(300); err != nil {
		t.Fatal(err)
	}
	elements := 0
	for _, p := range r.Snapshot().Pools {
		elements += len(p.Elements)
	}
	if elements != 200 {
		t.Errorf("the registrar knows %d elements, not 200", elements)
	}
	done := make(chan struct{})
	close(done)
	if err := c.Stay(done); err != nil {
		t.Error(err)
	}
}
