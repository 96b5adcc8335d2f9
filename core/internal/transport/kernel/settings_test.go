package kernel_test

import (
	"os"
	"testing"

	"github.com/librserpool/librserpool/core/internal/transport/transporttest"
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

// settings are what the kernel offers or not in its INIT (RFC 5061, 4895, 6525,
// 9260 appendix A, 3758, 8260).
var settings = []string{"addip_enable", "auth_enable", "reconf_enable", "ecn_enable", "prsctp_enable", "intl_enable"}

// Ours talks to the kernel whatever it offers, one by one and together
// (SCTP-7-45).
func TestEncapsulatedSettings(t *testing.T) {
	needSCTP(t)
	port := encapsulationPort(t)
	for _, value := range []string{"0", "1"} {
		for _, name := range settings {
			t.Run(name+"="+value, func(t *testing.T) {
				set(t, name, value)
				talk(t, port)
			})
		}
		t.Run("all="+value, func(t *testing.T) {
			for _, name := range settings {
				set(t, name, value)
			}
			talk(t, port)
		})
	}
}

func talk(t *testing.T, port uint16) {
	for _, m := range meetings {
		t.Run(m.name, func(t *testing.T) {
			transporttest.RunSome(t, between(port, m.open, m.far),
				"connect", "unordered", "both directions at once", "shutdown after data", "abort by client")
		})
	}
}
