package kernel_test

import (
	"os"
	"testing"

	"github.com/librserpool/librserpool/core/internal/transport"
	"github.com/librserpool/librserpool/core/internal/transport/transporttest"
	"github.com/librserpool/librserpool/core/internal/transport/userland"
)

// set changes one of the host's settings of SCTP for the duration of a test.
func set(t *testing.T, name, value string) {
	t.Helper()
	path := "/proc/sys/net/sctp/" + name
	before, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, []byte(value), 0)
	}
	if err != nil {
		t.Skipf("not run: cannot set net.sctp.%s: %v", name, err)
	}
	t.Cleanup(func() {
		if err := os.WriteFile(path, before, 0); err != nil {
			t.Error(err)
		}
	})
}

// What the kernel offers or not in its INIT (RFC 5061, 4895, 6525, 9260
// appendix A, 3758, 8260): ours talks to it all the same (SCTP-7-45).
func TestEncapsulatedSettings(t *testing.T) {
	needSCTP(t)
	port := encapsulationPort(t)
	for _, name := range []string{"addip_enable", "auth_enable", "reconf_enable", "ecn_enable", "prsctp_enable", "intl_enable"} {
		for _, value := range []string{"0", "1"} {
			t.Run(name+"="+value, func(t *testing.T) {
				set(t, name, value)
				for _, test := range []struct {
					name      string
					open, far func(*testing.T, transport.Config) transport.Endpoint
				}{{"userland to kernel", openUserland, openKernel}, {"kernel to userland", openKernel, openUserland}} {
					t.Run(test.name, func(t *testing.T) {
						transporttest.RunSome(t, transporttest.Factory{Open: test.open, OpenPeer: test.far,
							UDPPort: func(e transport.Endpoint) uint16 {
								if _, ours := e.(*userland.Endpoint); ours {
									return e.LocalAddrs()[0].Port()
								}
								return port
							}}, "connect", "unordered", "both directions at once", "shutdown after data", "abort by client")
					})
				}
			})
		}
	}
}
