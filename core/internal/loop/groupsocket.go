package loop

import (
	"errors"
	"net"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// hops is how far what is said to a group goes: not beyond the local network.
const hops = 1

// maxHeard is the longest datagram that is taken: with more addresses than that
// nobody announces himself.
const maxHeard = 1 << 12

// hear returns the next datagram that parse accepts.
func hear[M any](e *GroupReceiver, parse func([]byte) (M, bool)) (M, netip.AddrPort, error) {
	b := make([]byte, maxHeard)
	for {
		n, from, err := e.conn.ReadFrom(b)
		if errors.Is(err, net.ErrClosed) {
			var none M
			return none, netip.AddrPort{}, err
		}
		if err != nil {
			continue // of one datagram
		}
		if m, ok := parse(b[:n]); ok {
			a := from.(*net.UDPAddr).AddrPort()
			ip, _ := numbered(a.Addr().Unmap()) // its interface is there, or was
			return m, netip.AddrPortFrom(ip, a.Port()), nil
		}
	}
}

// join makes a socket that gets what is sent to the group and nothing else: it
// is bound to the group's address, so that it does not share the traffic of
// an SCTP endpoint at the same UDP port of this host.
func (g Group) join() (net.PacketConn, error) {
	return g.socket(func(fd int) error {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
		if err := unix.Bind(fd, g.sockaddr(g.Addr)); err != nil {
			return os.NewSyscallError("bind", err)
		}
		if g.v4() {
			err := unix.SetsockoptIPMreqn(fd, unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, &unix.IPMreqn{Multiaddr: g.Addr.Addr().As4(), Ifindex: int32(g.index())})
			return os.NewSyscallError("join", err)
		}
		err := unix.SetsockoptIPv6Mreq(fd, unix.IPPROTO_IPV6, unix.IPV6_JOIN_GROUP, &unix.IPv6Mreq{Multiaddr: g.Addr.Addr().As16(), Interface: uint32(g.index())})
		return os.NewSyscallError("join", err)
	})
}

// open makes a socket to send to the group, at a port of this host.
func (g Group) open(port uint16) (net.PacketConn, error) {
	return g.socket(func(fd int) error {
		any4, any6 := netip.IPv4Unspecified(), netip.IPv6Unspecified()
		local, level, ttl, via, interfaceOf := any4, unix.IPPROTO_IP, unix.IP_MULTICAST_TTL, unix.IP_MULTICAST_IF, g.viaIPv4
		if !g.v4() {
			local, level, ttl, via, interfaceOf = any6, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_HOPS, unix.IPV6_MULTICAST_IF, g.viaIPv6
		}
		err := unix.SetsockoptInt(fd, level, ttl, hops)
		if err == nil && g.Interface != nil {
			err = interfaceOf(fd, level, via)
		}
		if err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
		return os.NewSyscallError("bind", unix.Bind(fd, g.sockaddr(netip.AddrPortFrom(local, port))))
	})
}

func (g Group) viaIPv4(fd, level, name int) error {
	return unix.SetsockoptIPMreqn(fd, level, name, &unix.IPMreqn{Ifindex: int32(g.index())})
}

func (g Group) viaIPv6(fd, level, name int) error {
	return unix.SetsockoptInt(fd, level, name, g.index())
}

func (g Group) v4() bool { return g.Addr.Addr().Is4() }

// index of the interface; 0: the system chooses.
func (g Group) index() int {
	if g.Interface == nil {
		return 0
	}
	return g.Interface.Index
}

func (g Group) sockaddr(a netip.AddrPort) unix.Sockaddr {
	if g.v4() {
		return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16(), ZoneId: uint32(g.index())}
}

// socket makes a UDP socket of the group's family.
func (g Group) socket(setup func(fd int) error) (net.PacketConn, error) {
	family := unix.AF_INET
	if !g.v4() {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.IPPROTO_UDP)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	f := os.NewFile(uintptr(fd), "group")
	defer f.Close()
	if family == unix.AF_INET6 {
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, 1); err != nil {
			return nil, os.NewSyscallError("setsockopt", err)
		}
	}
	if err := setup(fd); err != nil {
		return nil, err
	}
	return net.FilePacketConn(f)
}
