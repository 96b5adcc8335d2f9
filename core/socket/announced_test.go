package socket

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"time"
)

// loopbackGroup is a group on the loopback interface, or the test is skipped
// where multicast does not work there.
func loopbackGroup(t *testing.T) string {
	t.Helper()
	all, _ := net.Interfaces()
	for _, i := range all {
		if i.Flags&net.FlagLoopback == 0 {
			continue
		}
		group := &net.UDPAddr{IP: net.IPv4(239, 77, byte(rand.N(256)), byte(rand.N(256))), Port: 20000 + rand.N(9000)}
		conn, err := net.ListenMulticastUDP("udp4", &i, group)
		if err != nil {
			t.Skipf("no multicast on %s: %v", i.Name, err)
		}
		conn.Close()
		return fmt.Sprintf("%v@%s", group, i.Name)
	}
	t.Skip("there is no loopback interface")
	return ""
}

// ASAP-3.6-02, 03, 04, ASAP-5-04: nobody configured any address; elements and
// users find the registrars that announce themselves.
func TestFoundByAnnouncement(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	config := Config{Transport: "userland", NoEmbedded: true, Announce: loopbackGroup(t), LoopbackPort: 1}
	opts := &Options{Network: "ip4", Config: config}
	var registrars []*Registrar
	for range 2 {
		cfg := RegistrarConfig{
			ASAP: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")},
			ENRP: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}, Config: config,
		}
		for _, r := range registrars {
			cfg.Peers = append(cfg.Peers, r.ENRPAddrs()[0].String())
		}
		r, err := StartRegistrar(ctx, cfg)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		registrars = append(registrars, r)
	}
	l, err := Listen(ctx, "echo", opts)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if elements, err := Resolve(ctx, "echo", opts); err != nil || len(elements) != 1 || elements[0].ID != l.Name().PE {
		t.Errorf("got %v, %v", elements, err)
	}
	registrars[0].Close()
	if elements, err := Resolve(ctx, "echo", opts); err != nil || len(elements) != 1 {
		t.Errorf("with one registrar less: %v, %v", elements, err)
	}
}

// Where nobody announces itself, that is said after some seconds.
func TestNobodyAnnounces(t *testing.T) {
	began := time.Now()
	_, err := Resolve(t.Context(), "echo", &Options{Network: "ip4", Config: Config{Transport: "userland", Announce: loopbackGroup(t)}})
	if !errors.Is(err, ErrNoRegistrar) || time.Since(began) < time.Second {
		t.Errorf("after %v: %v", time.Since(began), err)
	}
	if _, err := (Config{Announce: "192.0.2.1"}).resolve(); !errors.Is(err, ErrInvalid) {
		t.Errorf("an address that is no group: %v", err)
	}
}
