package userland

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/internal/transport"
)

// TestShareWithGroups: sockets of groups may have the port from then on, and what is sent
// to groups does not come in here.
func TestShareWithGroups(t *testing.T) {
	for _, at := range []string{"127.0.0.1:0", "[::1]:0"} {
		e, err := Listen(transport.Config{Local: addrs(at)})
		if err != nil {
			t.Logf("not run at %s: %v", at, err)
			continue
		}
		defer e.Close()
		if err := e.ShareWithGroups(); err != nil {
			t.Fatal(err)
		}
		level, all := unix.IPPROTO_IP, unix.IP_MULTICAST_ALL
		if e.sockets[0].v6 {
			level, all = unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_ALL
		}
		_ = e.sockets[0].conn.Control(func(fd uintptr) {
			reuse, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR)
			if reuse != 1 || err != nil {
				t.Errorf("%s: SO_REUSEADDR is %d, %v", at, reuse, err)
			}
			if n, err := unix.GetsockoptInt(int(fd), level, all); n != 0 && err == nil {
				t.Errorf("%s: it hears groups that others have joined", at)
			}
		})
	}
}
