package userland

import (
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/librserpool/librserpool/core/internal/sctp"
)

// classOf reads a packet and returns the DSCP that it came with.
func classOf(t *testing.T, fd int) int {
	t.Helper()
	var b [2000]byte
	var control [128]byte
	n, used, _, _, err := unix.Recvmsg(fd, b[:], control[:], 0)
	if err != nil || n == 0 {
		t.Fatalf("%d bytes, %v", n, err)
	}
	messages, err := unix.ParseSocketControlMessage(control[:used])
	if err != nil || len(messages) != 1 {
		t.Fatalf("%v, %v", messages, err)
	}
	return int(messages[0].Data[0]) >> 2 // of IP_TOS a byte, of IPV6_TCLASS an int in this order
}

// TestClass: packets leave with the codepoint that each asks for, also those that
// could have gone as one.
func TestClass(t *testing.T) {
	for _, local := range []string{"127.0.0.1:0", "[::1]:0"} {
		to := open(t, local)
		var fd int
		to.conn.Control(func(d uintptr) { fd = int(d) })
		unix.SetNonblock(fd, false)
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 30})
		want := option{unix.IPPROTO_IP, unix.IP_RECVTOS, 1}
		if to.v6 {
			want = option{unix.IPPROTO_IPV6, unix.IPV6_RECVTCLASS, 1}
		}
		if err := unix.SetsockoptInt(fd, want.level, want.name, want.value); err != nil {
			t.Fatal(err)
		}
		unix.SetsockoptInt(fd, unix.IPPROTO_UDP, unix.UDP_GRO, 0)
		for _, wildcard := range []bool{false, true} {
			from := local
			if wildcard {
				from = netip.AddrPortFrom(unspecified(to.v6), 0).String()
			}
			s := open(t, from)
			classes := []uint8{0, 46, 46, 46, 10, 63, 0}
			var packets []sctp.Packet
			for _, c := range classes {
				packets = append(packets, sctp.Packet{Peer: to.local, Local: to.local.Addr(), Data: make([]byte, 1000), DSCP: c})
			}
			if lost, _ := write(s, packets); lost != 0 {
				t.Fatalf("%d packets lost", lost)
			}
			for i, c := range classes {
				if got := classOf(t, fd); got != int(c) {
					t.Errorf("%s, packet %d: DSCP %d, want %d", from, i, got, c)
				}
			}
		}
	}
}

func unspecified(v6 bool) netip.Addr {
	if v6 {
		return netip.IPv6Unspecified()
	}
	return netip.IPv4Unspecified()
}
