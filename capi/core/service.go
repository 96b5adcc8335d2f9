package main

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/socket"
)

// service is a transport as the socket API names it; types are those of its
// sockets, the usual one first.
type service struct {
	protocol  int
	transport socket.TransportProtocol
	types     []int
}

// services are in the order in which a bare socket type chooses one.
var services = []service{
	{unix.IPPROTO_TCP, socket.TCP, []int{unix.SOCK_STREAM}},
	{unix.IPPROTO_UDP, socket.UDP, []int{unix.SOCK_DGRAM}},
	{unix.IPPROTO_SCTP, socket.SCTP, []int{unix.SOCK_SEQPACKET, unix.SOCK_STREAM}},
	{unix.IPPROTO_UDPLITE, socket.UDPLite, []int{unix.SOCK_DGRAM}},
	{unix.IPPROTO_DCCP, socket.DCCP, []int{unix.SOCK_DCCP}},
}

func (s service) fits(socktype, protocol int) bool {
	return (protocol == 0 || protocol == s.protocol) && (socktype == 0 || slices.Contains(s.types, socktype))
}

// serviceOf finds the transport that a socket type and a protocol name; either
// may be 0.
func serviceOf(socktype, protocol int) (service, error) {
	for _, s := range services {
		if s.fits(socktype, protocol) {
			return s, nil
		}
	}
	if slices.ContainsFunc(services, func(s service) bool { return s.fits(0, protocol) }) {
		return service{}, failf(unix.ESOCKTNOSUPPORT, "sockets of type %d have no protocol %d; leave one of them 0", socktype, protocol)
	}
	return service{}, failf(unix.EPROTONOSUPPORT, "protocol %d is none that elements serve over; use IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_UDPLITE or IPPROTO_DCCP", protocol)
}

// place is where an element serves, as rsp_getaddrinfo tells it.
type place struct {
	service
	element socket.Element
	addrs   []netip.AddrPort
}

// places are those of the elements that fit. family may be AF_UNSPEC.
func places(pool string, elements []socket.Element, family, socktype, protocol int) ([]place, error) {
	var out []place
	fit := false
	for _, e := range elements {
		i := slices.IndexFunc(services, func(s service) bool { return s.transport == e.Transport && s.fits(socktype, protocol) })
		if i < 0 {
			continue
		}
		fit = true
		p := place{service: services[i], element: e}
		for _, a := range e.Addrs {
			if family == unix.AF_UNSPEC || family == familyOf(a.Addr()) {
				p.addrs = append(p.addrs, a)
			}
		}
		if len(p.addrs) > 0 {
			out = append(out, p)
		}
	}
	switch {
	case len(out) > 0:
		return out, nil
	case fit:
		return nil, failf(unix.EAFNOSUPPORT, "the elements of pool %.40q have no addresses of family %d", pool, family)
	}
	return nil, failf(unix.EPROTONOSUPPORT, "the elements of pool %.40q serve over %v; ask for that", pool, elements[0].Transport)
}

func familyOf(a netip.Addr) int {
	if a.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// appendSockaddr writes a struct sockaddr_in or sockaddr_in6.
func appendSockaddr(b []byte, a netip.AddrPort) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(familyOf(a.Addr())))
	b = binary.BigEndian.AppendUint16(b, a.Port())
	if a.Addr().Is4() {
		b = append(b, a.Addr().AsSlice()...)
		return append(b, make([]byte, 8)...)
	}
	b = append(b, make([]byte, 4)...)
	b = append(b, a.Addr().AsSlice()...)
	return append(b, make([]byte, 4)...)
}

func sockaddrSize(a netip.AddrPort) int {
	if a.Addr().Is4() {
		return unix.SizeofSockaddrInet4
	}
	return unix.SizeofSockaddrInet6
}
