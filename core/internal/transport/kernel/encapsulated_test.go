package kernel_test

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/transport"
	"github.com/librserpool/librserpool/core/internal/transport/interop/capture"
	"github.com/librserpool/librserpool/core/internal/transport/transporttest"
	"github.com/librserpool/librserpool/core/internal/transport/userland"
)

// The kernel's SCTP over UDP, with itself and with ours (RFC 6951; SCTP-7-40
// to SCTP-7-46).

// encapsulationPort is the UDP port of the host's SCTP (RFC 6951).
func encapsulationPort(t *testing.T) uint16 {
	b, err := os.ReadFile("/proc/sys/net/sctp/udp_port")
	port, _ := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 16)
	if err != nil || port == 0 {
		t.Skip("not run: net.sctp.udp_port is not set; tests/vm/encapsulate sets it")
	}
	return uint16(port)
}

// between makes a factory of a client's and a server's implementation.
func between(port uint16, open, far func(*testing.T, transport.Config) transport.Endpoint) transporttest.Factory {
	return transporttest.Factory{
		Open: open, OpenPeer: far, Silent: silent,
		UDPPort: func(e transport.Endpoint) uint16 {
			if _, ours := e.(*userland.Endpoint); ours {
				return e.LocalAddrs()[0].Port()
			}
			return port
		},
	}
}

// silent is a UDP socket that nobody reads.
func silent(t *testing.T) transporttest.Silent {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	addr := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	return transporttest.Silent{Addr: addr, Params: assoc.Params{EncapPort: addr.Port()}}
}

// meetings are those of ours and the kernel's.
var meetings = []struct {
	name      string
	open, far func(*testing.T, transport.Config) transport.Endpoint
}{
	{"userland to kernel", openUserland, openKernel},
	{"kernel to userland", openKernel, openUserland},
}

var lossy = []transporttest.Link{
	{Loss: 0.01, Delay: time.Millisecond, Jitter: time.Millisecond},
	{Loss: 0.05, Double: 0.01, Delay: time.Millisecond, Jitter: time.Millisecond},
}

// record has what the relays of a factory see written into a file, if the
// environment names a directory for that.
func record(t *testing.T, f *transporttest.Factory) {
	t.Helper()
	dir := os.Getenv("RSERPOOL_TEST_CAPTURES")
	if dir == "" {
		return
	}
	file, err := capture.Create(filepath.Join(dir, strings.ReplaceAll(filepath.Base(t.Name()), "_", "-")+".pcap"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	})
	f.Tap = file.Packet
}

func TestEncapsulated(t *testing.T) {
	needSCTP(t)
	port := encapsulationPort(t)
	t.Run("kernel to kernel", func(t *testing.T) {
		f := between(port, openKernel, openKernel)
		f.Links = []transporttest.Link{}
		transporttest.Run(t, func(t *testing.T) transporttest.Factory { return f })
	})
	for _, m := range meetings {
		t.Run(m.name, func(t *testing.T) {
			f := between(port, m.open, m.far)
			f.Links = lossy
			f.NoICMP = m.name == "kernel to userland"
			record(t, &f)
			transporttest.Run(t, func(t *testing.T) transporttest.Factory { return f })
		})
	}
}

// What takes long: an association that is idle, and a reader that is stopped,
// for as long as the environment says, and many messages.
func TestEncapsulatedLong(t *testing.T) {
	idle, err := time.ParseDuration(os.Getenv("RSERPOOL_TEST_IDLE"))
	if err != nil {
		t.Skip("not run: RSERPOOL_TEST_IDLE does not say for how long")
	}
	needSCTP(t)
	port := encapsulationPort(t)
	for _, m := range meetings {
		t.Run(m.name, func(t *testing.T) {
			f := between(port, m.open, m.far)
			f.Idle = idle
			transporttest.RunSome(t, f, "twenty thousand in order", "window closed and reopened", "idle with heartbeats")
		})
	}
}
