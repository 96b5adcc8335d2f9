package main

import (
	"net"
	"time"

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

// pause sleeps as precisely as the system can: time.Sleep may take a
// millisecond longer, as long as what is measured.
func pause(d time.Duration) {
	for d > 0 {
		t := unix.NsecToTimespec(d.Nanoseconds())
		if unix.ClockNanosleep(unix.CLOCK_MONOTONIC, 0, &t, &t) != unix.EINTR {
			return
		}
		d = time.Duration(t.Nano())
	}
}
