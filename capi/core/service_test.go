package main

import (
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/socket"
)

func TestServiceOf(t *testing.T) {
	for _, tt := range []struct {
		socktype, protocol int
		want               socket.TransportProtocol
		errno              unix.Errno
	}{
		{unix.SOCK_STREAM, 0, socket.TCP, 0},
		{unix.SOCK_DGRAM, 0, socket.UDP, 0},
		{unix.SOCK_SEQPACKET, 0, socket.SCTP, 0},
		{unix.SOCK_DCCP, 0, socket.DCCP, 0},
		{0, unix.IPPROTO_UDPLITE, socket.UDPLite, 0},
		{unix.SOCK_STREAM, unix.IPPROTO_SCTP, socket.SCTP, 0},
		{unix.SOCK_DGRAM, unix.IPPROTO_TCP, 0, unix.ESOCKTNOSUPPORT},
		{unix.SOCK_RAW, 0, 0, unix.ESOCKTNOSUPPORT},
		{0, unix.IPPROTO_ICMP, 0, unix.EPROTONOSUPPORT},
		{unix.SOCK_STREAM, -1, 0, unix.EPROTONOSUPPORT},
	} {
		s, err := serviceOf(tt.socktype, tt.protocol)
		if s.transport != tt.want || err != nil && errnoOf(err) != tt.errno || (err == nil) != (tt.errno == 0) {
			t.Errorf("type %d, protocol %d: %v, %v", tt.socktype, tt.protocol, s.transport, err)
		}
	}
}

func TestPlaces(t *testing.T) {
	four, six := netip.MustParseAddrPort("192.0.2.1:7"), netip.MustParseAddrPort("[2001:db8::1]:7")
	elements := []socket.Element{
		{ID: 1, Transport: socket.SCTP, Addrs: []netip.AddrPort{four, six}},
		{ID: 2, Transport: socket.SCTP, Addrs: []netip.AddrPort{six}},
		{ID: 3, Transport: 0x10},
	}
	for _, tt := range []struct {
		family, socktype, protocol int
		ids                        []socket.PEID
		addrs                      int // of the first one
		errno                      unix.Errno
	}{
		{unix.AF_UNSPEC, 0, 0, []socket.PEID{1, 2}, 2, 0},
		{unix.AF_INET, unix.SOCK_STREAM, 0, []socket.PEID{1}, 1, 0},
		{unix.AF_INET6, 0, unix.IPPROTO_SCTP, []socket.PEID{1, 2}, 1, 0},
		{unix.AF_UNSPEC, 0, unix.IPPROTO_TCP, nil, 0, unix.EPROTONOSUPPORT},
	} {
		got, err := places("pool", elements, tt.family, tt.socktype, tt.protocol)
		if tt.errno != 0 {
			if err == nil || errnoOf(err) != tt.errno {
				t.Errorf("%+v: %v, %v", tt, got, err)
			}
			continue
		}
		if err != nil || len(got) != len(tt.ids) || len(got[0].addrs) != tt.addrs {
			t.Fatalf("%+v: %v, %v", tt, got, err)
		}
		for i, p := range got {
			if p.element.ID != tt.ids[i] {
				t.Errorf("%+v: element %d is %v", tt, i, p.element.ID)
			}
		}
	}
	for _, s := range services { // the first one, too
		got, err := places("pool", []socket.Element{{ID: 4, Transport: s.transport, Addrs: []netip.AddrPort{four}}}, unix.AF_UNSPEC, 0, 0)
		if err != nil || len(got) != 1 || got[0].protocol != s.protocol {
			t.Errorf("over %v: %v, %v", s.transport, got, err)
		}
	}
	if _, err := places("pool", elements[1:], unix.AF_INET, 0, 0); err == nil || errnoOf(err) != unix.EAFNOSUPPORT {
		t.Errorf("IPv4 of an IPv6 pool: %v", err)
	}
}

// What is written is what parseAddress reads.
func TestAppendSockaddr(t *testing.T) {
	for _, text := range []string{"192.0.2.1:7", "[2001:db8::1]:65535"} {
		want := netip.MustParseAddrPort(text)
		b := appendSockaddr(nil, want)
		got, err := parseAddress(b, familyOf(want.Addr()))
		if err != nil || got != want || len(b) != sockaddrSize(want) {
			t.Errorf("%v becomes %v, %v, in %d bytes", want, got, err, len(b))
		}
	}
}
