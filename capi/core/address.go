package main

import (
	"encoding/binary"
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"
)

// parseAddress reads a struct sockaddr_in or sockaddr_in6 for a socket of the
// given domain. sin_zero is not looked at: sin_len may live there.
func parseAddress(b []byte, domain int) (netip.AddrPort, error) {
	if len(b) < 2 {
		return netip.AddrPort{}, failf(unix.EINVAL, "an address of %d bytes has no family", len(b))
	}
	family := int(binary.NativeEndian.Uint16(b))
	switch {
	case family == unix.AF_INET && domain == unix.AF_INET:
		if len(b) < unix.SizeofSockaddrInet4 {
			return netip.AddrPort{}, failf(unix.EINVAL, "the address has %d bytes, struct sockaddr_in has %d", len(b), unix.SizeofSockaddrInet4)
		}
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[4:8])), binary.BigEndian.Uint16(b[2:])), nil
	case family == unix.AF_INET6 && domain == unix.AF_INET6:
		if len(b) < unix.SizeofSockaddrInet6 {
			return netip.AddrPort{}, failf(unix.EINVAL, "the address has %d bytes, struct sockaddr_in6 has %d", len(b), unix.SizeofSockaddrInet6)
		}
		addr := netip.AddrFrom16([16]byte(b[8:24])).Unmap()
		if scope := binary.NativeEndian.Uint32(b[24:]); scope != 0 && addr.Is6() {
			addr = addr.WithZone(strconv.FormatUint(uint64(scope), 10))
		}
		return netip.AddrPortFrom(addr, binary.BigEndian.Uint16(b[2:])), nil
	}
	return netip.AddrPort{}, failf(unix.EAFNOSUPPORT, "address family %d does not fit a socket of domain %d; use the family given to rsp_socket", family, domain)
}

// formatAddress writes a struct sockaddr_in or sockaddr_in6, as the domain says:
// IPv4 addresses are mapped for the latter.
func formatAddress(a netip.AddrPort, domain int) []byte {
	b := binary.NativeEndian.AppendUint16(nil, uint16(domain))
	b = binary.BigEndian.AppendUint16(b, a.Port())
	if domain == unix.AF_INET {
		four := a.Addr().Unmap().As4()
		return append(append(b, four[:]...), make([]byte, unix.SizeofSockaddrInet4-8)...)
	}
	six := a.Addr().As16()
	b = append(append(b, 0, 0, 0, 0), six[:]...)
	scope, _ := strconv.ParseUint(a.Addr().Zone(), 10, 32) // zones with names are not those of parseAddress
	return binary.NativeEndian.AppendUint32(b, uint32(scope))
}

func noAddress(domain int) netip.AddrPort {
	if domain == unix.AF_INET {
		return netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
	}
	return netip.AddrPortFrom(netip.IPv6Unspecified(), 0)
}
