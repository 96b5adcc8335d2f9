package userland

import (
	"os"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/internal/transport"
)

var _ transport.Sharer = (*Endpoint)(nil)

// ShareWithGroups implements transport.Sharer. The option is set only now that
// the sockets are bound: a second endpoint at the same port still finds it in
// use. What is sent to a group is no SCTP and stays out.
func (e *Endpoint) ShareWithGroups() error {
	for _, s := range e.sockets {
		level, all := unix.IPPROTO_IP, unix.IP_MULTICAST_ALL
		if s.v6 {
			level, all = unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_ALL
		}
		var err error
		closed := s.conn.Control(func(fd uintptr) {
			if err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err == nil {
				_ = unix.SetsockoptInt(int(fd), level, all, 0) // IPv6: since Linux 4.20
			}
		})
		if closed != nil {
			return closed
		}
		if err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	return nil
}
