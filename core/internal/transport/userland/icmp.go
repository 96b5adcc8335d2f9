package userland

import (
	"bytes"
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Types and codes of the ICMP messages that say that nobody is there, or that a
// packet is too large.
const (
	icmpUnreachable         = 3
	icmpProtocolUnreachable = 2
	icmpPortUnreachable     = 3
	icmpFragmentationNeeded = 4
	icmp6Unreachable        = 1
	icmp6PortUnreachable    = 4
	icmp6PacketTooBig       = 2
)

// quoteSize holds the largest part of a packet that an ICMP message quotes.
const quoteSize = 2048

// unreachable is an ICMP message that says so: which peer has no listener, and
// the start of the packet that found none; or, with an mtu, which peer packets
// of more than that many bytes do not reach. The engine decides by the tag in it
// whether to believe it (SCTP-5-08).
type unreachable struct {
	to     netip.AddrPort
	quoted []byte
	mtu    int
}

// unreachable empties the error queue of the socket (SCTP-5-10), or else later
// sends would fail with old errors.
func (s *socket) unreachable() (found []unreachable) {
	var quote [quoteSize]byte
	var control [512]byte
	_ = s.conn.Control(func(fd uintptr) {
		for {
			n, used, _, from, err := unix.Recvmsg(int(fd), quote[:], control[:], unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
			if err == unix.EINTR {
				continue
			}
			if err != nil {
				return
			}
			if to := addrPort(from); to.IsValid() {
				if gone, mtu := icmpError(control[:used]); gone || mtu > 0 {
					found = append(found, unreachable{to, bytes.Clone(quote[:n]), mtu})
				}
			}
		}
	})
	return found
}

func addrPort(sa unix.Sockaddr) netip.AddrPort {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(withZone(netip.AddrFrom16(sa.Addr).Unmap(), sa.ZoneId), uint16(sa.Port))
	}
	return netip.AddrPort{}
}

// icmpError looks into the control messages of an entry of the error queue.
// Under UDP an unreachable port, gone, is what an unreachable protocol is to
// SCTP without it (SCTP-5-09); mtu is the size of packets that would pass.
func icmpError(control []byte) (gone bool, mtu int) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return false, 0
	}
	for _, m := range messages {
		v4 := m.Header.Level == unix.IPPROTO_IP && m.Header.Type == unix.IP_RECVERR
		v6 := m.Header.Level == unix.IPPROTO_IPV6 && m.Header.Type == unix.IPV6_RECVERR
		if !v4 && !v6 || len(m.Data) < 16 {
			continue
		}
		// struct sock_extended_err: ee_errno, ee_origin, ee_type, ee_code, pad, ee_info
		if binary.NativeEndian.Uint32(m.Data) == 0 {
			continue
		}
		origin, kind, code := m.Data[4], m.Data[5], m.Data[6]
		switch {
		case origin == unix.SO_EE_ORIGIN_ICMP && kind == icmpUnreachable && code == icmpFragmentationNeeded,
			origin == unix.SO_EE_ORIGIN_ICMP6 && kind == icmp6PacketTooBig:
			return false, int(min(binary.NativeEndian.Uint32(m.Data[8:]), 1<<16))
		case origin == unix.SO_EE_ORIGIN_ICMP && kind == icmpUnreachable:
			return code == icmpPortUnreachable || code == icmpProtocolUnreachable, 0
		case origin == unix.SO_EE_ORIGIN_ICMP6 && kind == icmp6Unreachable:
			return code == icmp6PortUnreachable, 0
		}
	}
	return false, 0
}
