// Package rserpooltest helps to test programs that use package rserpool.
package rserpooltest

import (
	"context"
	"io"
	"log/slog"
	"net/netip"
	"sync"
	"testing"

	"github.com/librserpool/librserpool/core/rserpool"
)

// loopback is an ephemeral port.
var loopback = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}

// StartRegistrar starts a registrar on loopback, at a port of its own, until the test and
// the cleanups that were added after this call have ended. It fails the test where that is
// impossible.
func StartRegistrar(tb testing.TB) *rserpool.Registrar {
	tb.Helper()
	ctx := context.WithoutCancel(tb.Context()) // which ends before the cleanups
	r, err := rserpool.StartRegistrar(ctx, rserpool.RegistrarOptions{
		ASAP: loopback, NoTCP: true, Transport: "userland", Logger: logger(tb),
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { r.Close() })
	return r
}

// Options are those of pool elements and pool users on loopback that find each other at a
// registrar, whatever the environment says. What they log is part of the test's output.
func Options(tb testing.TB, r *rserpool.Registrar) *rserpool.Options {
	return &rserpool.Options{
		Registrars: []string{r.ASAPAddrs()[0].String()}, NoEmbedded: true, Network: "ip4", Local: loopback,
		Transport: "userland", Logger: logger(tb),
	}
}

// logger writes to the output of a test while that runs.
func logger(tb testing.TB) *slog.Logger {
	w := &output{w: tb.Output()}
	tb.Cleanup(w.end)
	return slog.New(slog.NewTextHandler(w, nil))
}

// output is that of a test, which must not be written to afterwards.
type output struct {
	mu sync.Mutex
	w  io.Writer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.w == nil {
		return len(b), nil
	}
	return o.w.Write(b)
}

func (o *output) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.w = nil
}
