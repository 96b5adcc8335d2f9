package cluster

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/rserpool"
)

// multicastGroup returns a group on loopback and a socket that speaks to it, or
// skips the test where the system has no multicast there.
func multicastGroup(t *testing.T) (string, *net.UDPConn) {
	t.Helper()
	all, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range all {
		if i.Flags&net.FlagLoopback == 0 {
			continue
		}
		at := &net.UDPAddr{IP: net.IPv4(239, 78, byte(rand.N(256)), byte(rand.N(256))), Port: 10_000 + rand.N(20_000)}
		ear, err := net.ListenMulticastUDP("udp4", &i, at)
		if err != nil {
			t.Skipf("no multicast on %s: %v", i.Name, err)
		}
		ear.Close()
		sender, err := net.DialUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}, at)
		if err != nil {
			t.Skipf("no multicast on %s: %v", i.Name, err)
		}
		t.Cleanup(func() { sender.Close() })
		return fmt.Sprintf("%v@%s", at, i.Name), sender
	}
	t.Skip("there is no loopback interface")
	return "", nil
}

// TestRegistrarsFindEachOther: registrars that were told of nobody, started at
// the same time, hold one list, while somebody says garbage to their group. One
// that is killed comes back and finds them again; one that comes later has the
// whole list before it answers (ENRP-3.2-02, ENRP-3.2-16, OVR-3.1-01).
func TestRegistrarsFindEachOther(t *testing.T) {
	t.Parallel()
	g := &group{T: t}
	var sender *net.UDPConn
	g.multicast, sender = multicastGroup(t)
	g.place(3)
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		for b := make([]byte, 1500); ; time.Sleep(time.Millisecond) {
			for i := range b {
				b[i] = byte(rand.N(256))
			}
			_, _ = sender.Write(b[:rand.N(len(b))])
			copy(b, []byte{1, 0}) // ENRP_PRESENCE
			_, _ = sender.Write(b[:rand.N(len(b))])
			select {
			case <-stop:
				return
			default:
			}
		}
	}()
	for _, r := range g.registrars {
		r.start()
	}
	elements := g.elements(20)
	g.agree(elements, calm)
	u := newUsers(t, 2, 2, g.asaps())
	g.registrars[0].suffer("kill", time.Second)
	g.agree(elements, calm)
	u.end()

	g.place(1)
	late := g.registrars[3]
	late.start()
	for i := range 2 {
		pool := fmt.Sprint("pool", i)
		if table, err := rserpool.Resolve(t.Context(), pool, options(late.asap)); err != nil || len(table) == 0 {
			t.Errorf("of %s a newcomer says first: %v, %v", pool, table, err)
		}
	}
	g.agree(elements, calm)
	for _, r := range g.registrars {
		for _, l := range r.p.Lines(0) {
			if strings.Contains(l.Text, "panic") {
				t.Errorf("registrar %d: %s", r.number, l.Text)
			}
		}
	}
}
