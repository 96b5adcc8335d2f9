package userland_test

import (
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/transport/transporttest"
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
			transporttest.RunSite(t, transporttest.Factory{
				Open: n.On(0, open), OpenPeer: n.On(1, open),
				UDPPort: udpPort,
				Site:    &transporttest.Site{Client: n.Addr(0, 0), Server: n.Addr(1, 0), Link: link},
			})
		})
	}
}

// The same hosts with two cables between them (SCTP-7-46).
func TestMultihoming(t *testing.T) {
	n := transporttest.NewNetwork(t, 2)
	transporttest.RunMultihoming(t, transporttest.Factory{Open: n.On(0, open), OpenPeer: n.On(1, open), UDPPort: udpPort}, n)
}
