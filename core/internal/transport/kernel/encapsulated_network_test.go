package kernel_test

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/transport/transporttest"
)

// network is one between hosts on which the kernel encapsulates.
func network(t *testing.T, cables int, port uint16) *transporttest.Network {
	t.Helper()
	needSCTP(t)
	n := transporttest.NewNetwork(t, cables)
	for host := range 2 {
		var err error
		n.Inside(host, func() {
			err = os.WriteFile("/proc/sys/net/sctp/udp_port", []byte(strconv.Itoa(int(port))), 0)
		})
		if err != nil {
			t.Skip("not run: the kernel does not encapsulate:", err)
		}
	}
	return n
}

const networkPort = 9899

// The core of the suite between hosts, over a network that netem makes bad
// (SCTP-7-44).
func TestEncapsulatedNetwork(t *testing.T) {
	link := transporttest.Link{Loss: 0.05, Double: 0.01, Delay: time.Millisecond, Jitter: 2 * time.Millisecond}
	for _, m := range meetings {
		t.Run(m.name, func(t *testing.T) {
			n := network(t, 1, networkPort)
			n.Impair(link)
			f := between(networkPort, n.On(0, m.open), n.On(1, m.far))
			f.Site = &transporttest.Site{Client: n.Addr(0, 0), Server: n.Addr(1, 0), Link: link}
			transporttest.RunSite(t, f)
		})
	}
}

// Two cables (SCTP-7-46), also for the kernel with itself, without
// encapsulation.
func TestEncapsulatedMultihoming(t *testing.T) {
	for _, m := range meetings {
		t.Run(m.name, func(t *testing.T) {
			n := network(t, 2, networkPort)
			transporttest.RunMultihoming(t, between(networkPort, n.On(0, m.open), n.On(1, m.far)), n)
		})
	}
}

func TestMultihoming(t *testing.T) {
	n := network(t, 2, 0)
	transporttest.RunMultihoming(t, transporttest.Factory{Open: n.On(0, openKernel), OpenPeer: n.On(1, openKernel)}, n)
}

// Packets as large as loopback's 64 KiB (SCTP-7-45).
func TestEncapsulatedLargePackets(t *testing.T) {
	for _, m := range meetings {
		t.Run(m.name, func(t *testing.T) {
			n := network(t, 0, networkPort)
			transporttest.RunSome(t, between(networkPort, n.On(0, m.open), n.On(0, m.far)),
				"connect", "echo of all sizes", "both directions at once", "shutdown after data")
		})
	}
}
