package userland

import (
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// bufferSize is what is asked of the system for each direction: a burst that
// is lost there costs a retransmission (SCTP-5-13).
const bufferSize = 8 << 20

// socket is one UDP socket.
type socket struct {
	file     *os.File
	conn     syscall.RawConn
	local    netip.AddrPort // as bound, with the UDP port
	wildcard bool
	v6       bool
	gso      bool // the system cuts large sends into packets (UDP_SEGMENT)
	room     int  // bytes that wait to be read, at most

	rx   receiver
	lead *receiver // of who leads; nil until somebody does, or may

	// Who reads: a goroutine of its own, or that of the poll group, which guards the rest.
	alone  bool
	group  *pollGroup
	fd     int  // in the group; fixed while the endpoint lives
	busy   bool // being read
	again  bool // readable once more meanwhile
	failed bool // readable because of an error
}

// loners counts the sockets with a goroutine of their own that reads them.
var loners atomic.Int32

// mayBeAlone says whether one more socket can have that: not more of them than
// can run at the same time.
func mayBeAlone() bool {
	if int(loners.Add(1)) <= runtime.GOMAXPROCS(0) {
		return true
	}
	loners.Add(-1)
	return false
}

// openSocket binds a UDP socket to local. An IPv6 socket never takes IPv4: a
// dual-stack endpoint has two, so that no address is ever seen in mapped form
// (SCTP-5-12). Only one that is alone is non-blocking and so gets to wait in the
// runtime's poller.
func openSocket(local netip.AddrPort, alone bool) (*socket, error) {
	family := unix.AF_INET
	if local.Addr().Is6() {
		family = unix.AF_INET6
	}
	kind := unix.SOCK_DGRAM | unix.SOCK_CLOEXEC
	if alone {
		kind |= unix.SOCK_NONBLOCK
	}
	fd, err := unix.Socket(family, kind, unix.IPPROTO_UDP)
	if err != nil {
		return nil, fmt.Errorf("open a UDP socket for %v: %w", local, err)
	}
	s := &socket{alone: alone, v6: family == unix.AF_INET6, wildcard: local.Addr().IsUnspecified()}
	if err := s.setup(fd, local); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("bind UDP port of %v: %w", local, err)
	}
	s.file = os.NewFile(uintptr(fd), "sctp-udp")
	if s.conn, err = s.file.SyscallConn(); err != nil {
		s.file.Close()
		return nil, fmt.Errorf("use the UDP socket of %v: %w", local, err)
	}
	s.rx.init(s)
	return s, nil
}

// option is one integer socket option.
type option struct{ level, name, value int }

func (s *socket) setup(fd int, local netip.AddrPort) error {
	// The forced sizes need a privilege and the others stop at the system's
	// limit; every size works.
	for _, o := range []option{
		{unix.SOL_SOCKET, unix.SO_RCVBUF, bufferSize},
		{unix.SOL_SOCKET, unix.SO_SNDBUF, bufferSize},
		{unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, bufferSize},
		{unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, bufferSize},
	} {
		_ = unix.SetsockoptInt(fd, o.level, o.name, o.value)
	}
	// ICMP errors are wanted with the packet they are about (SCTP-5-10), packets
	// may be fragmented unless one asks for the opposite (SCTP-5-07), and a
	// wildcard socket has to know where a packet came to (SCTP-5-11).
	where := 0
	if s.wildcard {
		where = 1
	}
	options := []option{
		{unix.IPPROTO_IP, unix.IP_RECVERR, 1},
		{unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DONT},
		{unix.IPPROTO_IP, unix.IP_PKTINFO, where},
	}
	if s.v6 {
		options = []option{
			{unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1},
			{unix.IPPROTO_IPV6, unix.IPV6_RECVERR, 1},
			{unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_DONT},
			{unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, where},
		}
	}
	for _, o := range options {
		if err := unix.SetsockoptInt(fd, o.level, o.name, o.value); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	// Kernels before 4.18 (segmentation) and 5.0 (coalescing) do without.
	_, err := unix.GetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_SEGMENT)
	s.gso = err == nil
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_GRO, 1)
	s.room, _ = unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF)
	return s.bind(fd, local)
}

func (s *socket) bind(fd int, local netip.AddrPort) error {
	var sa unix.Sockaddr = &unix.SockaddrInet4{Port: int(local.Port()), Addr: as4(local.Addr())}
	if s.v6 {
		sa = &unix.SockaddrInet6{Port: int(local.Port()), Addr: local.Addr().As16(), ZoneId: zoneIndex(local.Addr().Zone())}
	}
	if err := unix.Bind(fd, sa); err != nil {
		return os.NewSyscallError("bind", err)
	}
	bound, err := unix.Getsockname(fd)
	if err != nil {
		return os.NewSyscallError("getsockname", err)
	}
	port := uint16(0)
	switch bound := bound.(type) {
	case *unix.SockaddrInet4:
		port = uint16(bound.Port)
	case *unix.SockaddrInet6:
		port = uint16(bound.Port)
	}
	s.local = netip.AddrPortFrom(local.Addr(), port)
	return nil
}

// close frees the port at once and the descriptor when nobody uses it any more:
// a reader does while it calls hooks, which may wait for the caller.
func (s *socket) close() {
	if s.alone {
		loners.Add(-1)
	} else if s.group != nil {
		s.group.leave(s)
	}
	_ = s.conn.Control(func(fd uintptr) {
		if nothing, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0); err == nil {
			_ = unix.Dup3(nothing, int(fd), unix.O_CLOEXEC)
			unix.Close(nothing)
		}
	})
	go s.file.Close()
}

func as4(a netip.Addr) (b [4]byte) {
	if a.Is4() {
		b = a.As4()
	}
	return b
}

// setFragment allows or forbids fragmentation of what is sent next.
func (s *socket) setFragment(fd int, dont bool) {
	if s.v6 {
		mode := unix.IPV6_PMTUDISC_DONT
		if dont {
			mode = unix.IPV6_PMTUDISC_PROBE
		}
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, mode)
		return
	}
	mode := unix.IP_PMTUDISC_DONT
	if dont {
		mode = unix.IP_PMTUDISC_PROBE
	}
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, mode)
}
