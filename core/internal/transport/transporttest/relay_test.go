package transporttest

import (
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"
)

// relayed sends numbered packets through a relay to a server that returns
// them, and returns the numbers that come back until nothing comes any more.
func relayed(t *testing.T, link Link, count int) (got []int) {
	listen := func() *net.UDPConn {
		c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, 0)))
		if err != nil {
			t.Fatal(err)
		}
		c.SetReadBuffer(4 << 20)
		t.Cleanup(func() { c.Close() })
		return c
	}
	server, client := listen(), listen()
	r := NewRelay(t, server.LocalAddr().(*net.UDPAddr).AddrPort(), link)
	go func() {
		b := make([]byte, 10)
		for {
			n, from, err := server.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			server.WriteToUDPAddrPort(b[:n], from)
		}
	}()
	for i := range count {
		client.WriteToUDPAddrPort([]byte{byte(i >> 8), byte(i)}, netip.AddrPortFrom(loopback, r.Port()))
		if i%50 == 49 {
			time.Sleep(time.Millisecond)
		}
	}
	b := make([]byte, 10)
	for {
		client.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
		if _, err := client.Read(b); err != nil {
			return got
		}
		got = append(got, int(b[0])<<8|int(b[1]))
	}
}

func TestRelayForwards(t *testing.T) {
	got := relayed(t, Link{}, 500)
	if len(got) != 500 || !slices.IsSorted(got) {
		t.Errorf("%d of 500 packets came back, sorted %v", len(got), slices.IsSorted(got))
	}
}

func TestRelayImpairs(t *testing.T) {
	got := relayed(t, Link{Loss: 0.2, Double: 0.1, Delay: time.Millisecond, Jitter: 5 * time.Millisecond, Seed: 7}, 1000)
	if slices.IsSorted(got) {
		t.Error("no packet overtook another")
	}
	slices.Sort(got)
	distinct := len(slices.Compact(slices.Clone(got)))
	// 0.8 * 0.8 of them make the way there and back.
	if distinct < 500 || distinct > 800 {
		t.Errorf("%d of 1000 packets came back, want about 640", distinct)
	}
	if len(got) == distinct {
		t.Error("no packet came twice")
	}
}
