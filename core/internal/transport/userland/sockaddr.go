package userland

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"
)

// sockaddr is room for an IPv4 or IPv6 socket address as the system wants it.
type sockaddr [unix.SizeofSockaddrInet6]byte

// put fills s and returns how much of it is used.
func (s *sockaddr) put(a netip.AddrPort) uint32 {
	binary.BigEndian.PutUint16(s[2:], a.Port())
	if a.Addr().Is4() {
		binary.NativeEndian.PutUint16(s[0:], unix.AF_INET)
		ip := a.Addr().As4()
		copy(s[4:], ip[:])
		clear(s[8:unix.SizeofSockaddrInet4])
		return unix.SizeofSockaddrInet4
	}
	binary.NativeEndian.PutUint16(s[0:], unix.AF_INET6)
	clear(s[4:8])
	ip := a.Addr().As16()
	copy(s[8:], ip[:])
	binary.NativeEndian.PutUint32(s[24:], zoneIndex(a.Addr().Zone()))
	return unix.SizeofSockaddrInet6
}

// get reads s; an IPv4-mapped address comes out as IPv4 (SCTP-5-12).
func (s *sockaddr) get() netip.AddrPort {
	port := binary.BigEndian.Uint16(s[2:])
	switch binary.NativeEndian.Uint16(s[0:]) {
	case unix.AF_INET:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(s[4:8])), port)
	case unix.AF_INET6:
		addr := netip.AddrFrom16([16]byte(s[8:24])).Unmap()
		return netip.AddrPortFrom(withZone(addr, binary.NativeEndian.Uint32(s[24:])), port)
	}
	return netip.AddrPort{}
}

// withZone keeps the interface of a link-local address with it, as a number
// (SCTP-5-12).
func withZone(addr netip.Addr, index uint32) netip.Addr {
	if index == 0 || !addr.IsLinkLocalUnicast() || !addr.Is6() {
		return addr
	}
	return addr.WithZone(strconv.FormatUint(uint64(index), 10))
}

func zoneIndex(zone string) uint32 {
	if zone == "" {
		return 0
	}
	if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(n)
	}
	if ifi, err := net.InterfaceByName(zone); err == nil {
		return uint32(ifi.Index)
	}
	return 0
}

// normal brings an address of the caller into the one form that the engine
// sees: IPv4 without mapping, zones as numbers, and as in every socket API the
// unspecified address for this host.
func normal(a netip.AddrPort) netip.AddrPort {
	addr := a.Addr().Unmap()
	switch {
	case addr == netip.IPv4Unspecified():
		addr = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	case addr == netip.IPv6Unspecified():
		addr = netip.IPv6Loopback()
	case addr.Zone() != "":
		addr = withZone(addr.WithZone(""), zoneIndex(addr.Zone()))
	}
	return netip.AddrPortFrom(addr, a.Port())
}
