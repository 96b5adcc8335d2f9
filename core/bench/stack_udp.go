package main

import (
	"net"
	"net/netip"
)

// udpStack is plain UDP: nothing arrives that the network loses.
type udpStack struct{}

// udpMax is the largest payload that a datagram carries.
const udpMax = 65507

// udpPeer is where a datagram came from. It is used for one datagram after the
// other.
type udpPeer struct {
	sock *net.UDPConn
	addr netip.AddrPort
}

func (p *udpPeer) send(b []byte) error {
	_, err := p.sock.WriteToUDPAddrPort(b[:min(len(b), udpMax)], p.addr)
	return err
}

func udpSocket() (*net.UDPConn, error) {
	s, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(loopback(0)))
	if err == nil {
		enlarge(s)
	}
	return s, err
}

func loopback(port int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port))
}

func portOf(a net.Addr) int { return int(netip.MustParseAddrPort(a.String()).Port()) }

func (udpStack) listen(h handler) (port, sctpPort int, err error) {
	s, err := udpSocket()
	if err != nil {
		return 0, 0, err
	}
	go readUDP(s, h)
	return portOf(s.LocalAddr()), 0, nil
}

func readUDP(s *net.UDPConn, h handler) {
	buf := make([]byte, 1<<16)
	from := &udpPeer{sock: s}
	for {
		n, addr, err := s.ReadFromUDPAddrPort(buf)
		if err != nil {
			continue // an ICMP error of the past; the process ends with its input
		}
		from.addr = addr
		h(from, buf[:n])
	}
}

func (udpStack) dial(port, _, n int, h func(i int) handler) ([]conn, error) {
	conns := make([]conn, n)
	for i := range conns {
		s, err := udpSocket()
		if err != nil {
			return nil, err
		}
		conns[i] = &udpPeer{s, loopback(port)}
		go readUDP(s, h(i))
	}
	return conns, nil
}
