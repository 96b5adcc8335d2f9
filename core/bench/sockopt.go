package main

import (
	"net"

	"golang.org/x/sys/unix"
)

// enlarge gives a UDP socket the buffers that the engine's sockets have, or as
// much of that as the system allows.
func enlarge(s *net.UDPConn) {
	const size = 8 << 20
	raw, err := s.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		for _, option := range []int{unix.SO_RCVBUF, unix.SO_SNDBUF, unix.SO_RCVBUFFORCE, unix.SO_SNDBUFFORCE} {
			_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, option, size)
		}
	})
}
