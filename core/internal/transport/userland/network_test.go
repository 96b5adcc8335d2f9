package userland_test

import (
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/transport"
	"github.com/librserpool/librserpool/core/internal/transport/transporttest"
	"github.com/librserpool/librserpool/core/internal/transport/userland"
)

// The core of the suite between two hosts, over networks that the kernel makes
// bad (SCTP-7-44).
func TestNetwork(t *testing.T) {
	for _, link := range []transporttest.Link{
		{},
		{Loss: 0.01, Delay: time.Millisecond, Jitter: time.Millisecond},
		{Loss: 0.05, Double: 0.01, Delay: time.Millisecond, Jitter: 2 * time.Millisecond},
	} {
		t.Run(link.Name("network"), func(t *testing.T) {
			n := transporttest.NewNetwork(t, 1)
			if link != (transporttest.Link{}) {
				n.Impair(link)
			}
			on := func(host int) func(*testing.T, transport.Config) transport.Endpoint {
				return func(t *testing.T, cfg transport.Config) (e transport.Endpoint) {
					t.Helper()
					var err error
					n.Inside(host, func() { e, err = userland.Listen(cfg) })
					if err != nil {
						t.Fatal(err)
					}
					return e
				}
			}
			transporttest.RunSite(t, transporttest.Factory{
				Open: on(0), OpenPeer: on(1),
				UDPPort: func(e transport.Endpoint) uint16 { return e.LocalAddrs()[0].Port() },
				Site:    &transporttest.Site{Client: n.Addr(0, 0), Server: n.Addr(1, 0), Link: link},
			})
		})
	}
}
