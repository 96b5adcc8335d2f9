// Package open chooses the SCTP implementation that an endpoint runs on.
package open

import (
	"fmt"
	"os"

	"github.com/librserpool/librserpool/core/internal/transport"
	"github.com/librserpool/librserpool/core/internal/transport/kernel"
	"github.com/librserpool/librserpool/core/internal/transport/userland"
)

// Variable is the environment variable that names the kind of transport for
// endpoints whose configuration does not.
const Variable = "RSERPOOL_TRANSPORT"

// Endpoint opens an endpoint of the kind that cfg.Kind names, or else the
// environment variable RSERPOOL_TRANSPORT, or else the kernel's where it has
// SCTP and userland where not, and returns the name of that kind with it.
// Errors of the system (syscall.EADDRINUSE, syscall.EACCES,
// syscall.EADDRNOTAVAIL) can be found in the returned one with errors.Is.
func Endpoint(cfg transport.Config) (ep transport.Endpoint, name string, err error) {
	name, err = choose(cfg.Kind, os.Getenv(Variable))
	if err != nil {
		return nil, "", err
	}
	if name == transport.KindKernel {
		ep, err = opened(kernel.Listen(cfg))
	} else {
		ep, err = opened(userland.Listen(cfg))
	}
	if err != nil {
		return nil, name, fmt.Errorf("%s SCTP: %w", name, err)
	}
	return ep, name, nil
}

// opened keeps a nil pointer from becoming an interface that is not nil.
func opened[E transport.Endpoint](e E, err error) (transport.Endpoint, error) {
	if err != nil {
		return nil, err
	}
	return e, nil
}

func choose(kind, variable string) (string, error) {
	from := ""
	if kind == "" {
		kind, from = variable, " in "+Variable
	}
	switch kind {
	case transport.KindKernel, transport.KindUserland:
		return kind, nil
	case "", transport.KindAuto:
		if kernel.Available() {
			return transport.KindKernel, nil
		}
		return transport.KindUserland, nil
	}
	return "", fmt.Errorf("unknown transport %q%s: there are %s, %s and %s",
		kind, from, transport.KindAuto, transport.KindKernel, transport.KindUserland)
}
