package userland

import (
	"testing"

	"golang.org/x/sys/unix"
)

// Sockets send UDP checksums, leave ECN and DSCP alone, and fragment, but for
// probes of the path MTU (SCTP-5-06, SCTP-5-07, SCTP-5-14).
// UDP-5.3-02, UDP-5.6-01, UDP-5.8-01.
func TestSocketOptions(t *testing.T) {
	for _, local := range []string{"127.0.0.1:0", "[::1]:0"} {
		s := open(t, local)
		discover := option{unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DONT}
		class := option{unix.IPPROTO_IP, unix.IP_TOS, 0}
		probing := unix.IP_PMTUDISC_PROBE
		if s.v6 {
			discover = option{unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_DONT}
			class = option{unix.IPPROTO_IPV6, unix.IPV6_TCLASS, 0}
			probing = unix.IPV6_PMTUDISC_PROBE
		}
		check := func(o option) {
			t.Helper()
			control := s.conn.Control(func(fd uintptr) {
				if got, err := unix.GetsockoptInt(int(fd), o.level, o.name); err != nil || got != o.value {
					t.Errorf("%s: option %d of level %d is %d, %v, want %d", local, o.name, o.level, got, err, o.value)
				}
			})
			if control != nil {
				t.Fatal(control)
			}
		}
		check(option{unix.SOL_SOCKET, unix.SO_NO_CHECK, 0})
		check(class)
		check(discover)
		s.conn.Control(func(fd uintptr) { s.setFragment(int(fd), true) })
		discover.value = probing
		check(discover)
	}
}
