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

func TestSuite(t *testing.T) {
	needSCTP(t)
	transporttest.Run(t, func(t *testing.T) transporttest.Factory {
		return transporttest.Factory{Open: openKernel}
	})
}
