package kernel

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"

	"github.com/ishidawataru/sctp"
	"golang.org/x/sys/unix"
)

// sctpAddr gives addresses with one port the form that bindx and connectx
// take.
func sctpAddr(addrs []netip.AddrPort) *sctp.SCTPAddr {
	out := &sctp.SCTPAddr{Port: int(addrs[0].Port())}
	for _, a := range addrs {
		out.IPAddrs = append(out.IPAddrs, net.IPAddr{IP: a.Addr().Unmap().AsSlice(), Zone: zoneName(a.Addr().Zone())})
	}
	return out
}

// zoneName makes an interface's name out of its number: that is what package
// sctp understands.
func zoneName(zone string) string {
	if n, err := strconv.Atoi(zone); err == nil {
		if ifi, err := net.InterfaceByIndex(n); err == nil {
			return ifi.Name
		}
	}
	return zone
}

// parseAddr reads the socket address at the start of b and says how long it
// is; IPv4-mapped addresses come out as IPv4. The length is 0 if it is none.
func parseAddr(b []byte) (a netip.AddrPort, size int) {
	if len(b) < unix.SizeofSockaddrInet4 {
		return a, 0
	}
	port := binary.BigEndian.Uint16(b[2:])
	switch native.Uint16(b) {
	case unix.AF_INET:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[4:8])), port), unix.SizeofSockaddrInet4
	case unix.AF_INET6:
		if len(b) < unix.SizeofSockaddrInet6 {
			return a, 0
		}
		ip := netip.AddrFrom16([16]byte(b[8:24])).Unmap()
		if scope := native.Uint32(b[24:]); scope != 0 && ip.IsLinkLocalUnicast() && ip.Is6() {
			ip = ip.WithZone(strconv.FormatUint(uint64(scope), 10))
		}
		return netip.AddrPortFrom(ip, port), unix.SizeofSockaddrInet6
	}
	return a, 0
}

// parseAddrs reads a list of them.
func parseAddrs(b []byte, count int) (out []netip.AddrPort) {
	for range count {
		a, size := parseAddr(b)
		if size == 0 {
			break
		}
		out = append(out, a)
		b = b[size:]
	}
	return out
}

// putAddr lays out an address in a struct sockaddr_storage.
func putAddr(b []byte, a netip.AddrPort) {
	binary.BigEndian.PutUint16(b[2:], a.Port())
	if ip := a.Addr().Unmap(); ip.Is4() {
		native.PutUint16(b, unix.AF_INET)
		copy(b[4:8], ip.AsSlice())
		return
	}
	native.PutUint16(b, unix.AF_INET6)
	copy(b[8:24], a.Addr().AsSlice())
	if ifi, err := net.InterfaceByName(zoneName(a.Addr().Zone())); err == nil {
		native.PutUint32(b[24:], uint32(ifi.Index))
	}
}
