package userland_test

import (
	"net"
	"net/netip"
	"testing"

	"github.com/librserpool/librserpool/core/internal/transport"
	"github.com/librserpool/librserpool/core/internal/transport/transporttest"
	"github.com/librserpool/librserpool/core/internal/transport/userland"
)

func TestSuite(t *testing.T) { runSuite(t, open) }

// In a process with many sockets, one goroutine reads several of them.
func TestSuiteInPollGroup(t *testing.T) {
	runSuite(t, func(t *testing.T, cfg transport.Config) transport.Endpoint {
		t.Helper()
		cfg.Led = true
		return open(t, cfg)
	})
}

func runSuite(t *testing.T, open func(*testing.T, transport.Config) transport.Endpoint) {
	transporttest.Run(t, func(t *testing.T) transporttest.Factory {
		return transporttest.Factory{
			Open: open,
			Kill: func(e transport.Endpoint) { e.(interface{ Kill() }).Kill() },
			Silent: func(t *testing.T) transporttest.Silent {
				conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { conn.Close() })
				return transporttest.Silent{Addr: conn.LocalAddr().(*net.UDPAddr).AddrPort()}
			},
			UDPPort: udpPort,
		}
	})
}

func open(t *testing.T, cfg transport.Config) transport.Endpoint {
	t.Helper()
	e, err := userland.Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func udpPort(e transport.Endpoint) uint16 { return e.LocalAddrs()[0].Port() }
