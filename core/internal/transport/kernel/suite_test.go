package kernel_test

import (
	"testing"

	"github.com/librserpool/librserpool/core/internal/transport"
	"github.com/librserpool/librserpool/core/internal/transport/kernel"
	"github.com/librserpool/librserpool/core/internal/transport/transporttest"
	"github.com/librserpool/librserpool/core/internal/transport/userland"
)

func needSCTP(t *testing.T) {
	t.Helper()
	if !kernel.Available() {
		t.Skip("not run: this kernel has no SCTP; `make test-kernel` runs it under QEMU")
	}
}

func openKernel(t *testing.T, cfg transport.Config) transport.Endpoint {
	t.Helper()
	e, err := kernel.Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func openUserland(t *testing.T, cfg transport.Config) transport.Endpoint {
	t.Helper()
	e, err := userland.Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// ledEndpoint is one that somebody leads, now and then.
type ledEndpoint struct {
	*kernel.Endpoint
	leader *transporttest.Leader
}

func openLed(t *testing.T, cfg transport.Config) transport.Endpoint {
	t.Helper()
	e := openKernel(t, cfg).(*kernel.Endpoint)
	return &ledEndpoint{e, transporttest.NewLeader(t, e)}
}

func (e *ledEndpoint) Close() error {
	defer e.leader.Dismiss()
	return e.Endpoint.Close()
}

func TestSuiteLed(t *testing.T) {
	needSCTP(t)
	transporttest.Run(t, func(t *testing.T) transporttest.Factory {
		return transporttest.Factory{Open: openLed}
	})
}

func TestSuite(t *testing.T) {
	needSCTP(t)
	transporttest.Run(t, func(t *testing.T) transporttest.Factory {
		return transporttest.Factory{Open: openKernel}
	})
}
