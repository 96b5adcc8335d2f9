package kernel_test

import (
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
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

// encapsulationPort is the UDP port of the host's SCTP (RFC 6951).
func encapsulationPort(t *testing.T) uint16 {
	b, err := os.ReadFile("/proc/sys/net/sctp/udp_port")
	port, _ := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 16)
	if err != nil || port == 0 {
		t.Skip("not run: net.sctp.udp_port is not set; tests/vm/encapsulate sets it")
	}
	return uint16(port)
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

var lossy = []transporttest.Link{{Loss: 0.01, Delay: time.Millisecond, Jitter: time.Millisecond}}

// The kernel's SCTP over UDP, with itself and with ours (RFC 6951; SCTP-7-40
// to SCTP-7-43).
func TestEncapsulated(t *testing.T) {
	needSCTP(t)
	port := encapsulationPort(t)
	for _, test := range []struct {
		name      string
		open, far func(*testing.T, transport.Config) transport.Endpoint
		links     []transporttest.Link
		noICMP    bool
	}{
		{"kernel to kernel", openKernel, openKernel, []transporttest.Link{}, false},
		{"userland to kernel", openUserland, openKernel, lossy, false},
		{"kernel to userland", openKernel, openUserland, lossy, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			transporttest.Run(t, func(t *testing.T) transporttest.Factory {
				return transporttest.Factory{
					Open: test.open, OpenPeer: test.far, Links: test.links, NoICMP: test.noICMP,
					UDPPort: func(e transport.Endpoint) uint16 {
						if _, ours := e.(*userland.Endpoint); ours {
							return e.LocalAddrs()[0].Port()
						}
						return port
					},
					Silent: func(t *testing.T) transporttest.Silent {
						conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
						if err != nil {
							t.Fatal(err)
						}
						t.Cleanup(func() { conn.Close() })
						addr := conn.LocalAddr().(*net.UDPAddr).AddrPort()
						return transporttest.Silent{Addr: addr, Params: assoc.Params{EncapPort: addr.Port()}}
					},
				}
			})
		})
	}
}
