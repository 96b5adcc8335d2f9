package socket

import (
	"math/rand/v2"
	"net"
	"net/netip"
)

// throw sends random datagrams of all sizes to an address.
func throw(s *site, at netip.AddrPort) {
	s.Helper()
	out, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(at))
	s.ok(err)
	defer out.Close()
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 200 {
		b := make([]byte, i*7)
		for j := range b {
			b[j] = byte(rng.Uint32())
		}
		if _, err := out.Write(b); err != nil {
			s.Fatal(err)
		}
	}
}
