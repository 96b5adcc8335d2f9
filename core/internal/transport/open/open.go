// Package open chooses the SCTP implementation that an endpoint runs on.
package open

import (
	"fmt"
	"os"

	"github.com/librserpool/librserpool/core/internal/transport"
	"github.com/librserpool/librserpool/core/internal/transport/userland"
)

// Variable is the environment variable that names the kind of transport for
// endpoints whose configuration does not.
const Variable = "RSERPOOL_TRANSPORT"

// Endpoint opens an endpoint of the kind that cfg.Kind names, or else the
// environment variable RSERPOOL_TRANSPORT, or else of the best kind that this
// host has, and returns the name of that kind with it. Errors of the system
// (syscall.EADDRINUSE, syscall.EACCES, syscall.EADDRNOTAVAIL) can be found in
// the returned one with errors.Is.
func Endpoint(cfg transport.Config) (ep transport.Endpoint, name string, err error) {
	name, err = choose(cfg.Kind, os.Getenv(Variable))
	if err != nil {
		return nil, "", err
	}
	u, err := userland.Listen(cfg)
	if err != nil {
		return nil, name, fmt.Errorf("%s SCTP: %w", name, err)
	}
	return u, name, nil
}

func choose(kind, variable string) (string, error) {
	from := ""
	if kind == "" {
		kind, from = variable, " in "+Variable
	}
	switch kind {
	case "", transport.KindAuto, transport.KindUserland:
		return transport.KindUserland, nil
	}
	return "", fmt.Errorf("transport %q%s: there are %s and %s", kind, from, transport.KindAuto, transport.KindUserland)
}
