package userland_test

import (
	"testing"

	"github.com/librserpool/librserpool/core/internal/transport"
	"github.com/librserpool/librserpool/core/internal/transport/transporttest"
	"github.com/librserpool/librserpool/core/internal/transport/userland"
)

// Somebody leads each endpoint, now and then.
func TestSuiteLed(t *testing.T) {
	runSuite(t, func(t *testing.T, cfg transport.Config) transport.Endpoint {
		t.Helper()
		cfg.Led = true
		e := open(t, cfg).(*userland.Endpoint)
		return &ledEndpoint{e, transporttest.NewLeader(t, e)}
	})
}

type ledEndpoint struct {
	*userland.Endpoint
	leader *transporttest.Leader
}

func (e *ledEndpoint) Close() error {
	defer e.leader.Dismiss()
	return e.Endpoint.Close()
}

func (e *ledEndpoint) Kill() {
	defer e.leader.Dismiss()
	e.Endpoint.Kill()
}
