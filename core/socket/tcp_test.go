package socket

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"
)

// overTCP is a real registrar with a real element, and options for users that
// are to ask it over TCP.
func overTCP(t *testing.T) (ctx context.Context, r *Registrar, l *Listener, pu *Options) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	r, err := StartRegistrar(ctx, RegistrarConfig{
		ASAP: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}, Config: Config{Transport: "userland"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	opts := func(registrar string) *Options {
		return &Options{Network: "ip4", Config: Config{Registrars: []string{registrar}, Transport: "userland", NoEmbedded: true}}
	}
	l, err = Listen(ctx, "echo", opts(r.ASAPAddrs()[0].String()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return ctx, r, l, opts("tcp:" + r.TCPAddrs()[0].String())
}

// ASAP-3.3-11: a pool user resolves over TCP, and has sessions over SCTP.
// ASAP-2.1-02, ASAP-3.3-03.
func TestResolveOverTCP(t *testing.T) {
	ctx, r, l, pu := overTCP(t)
	elements, err := Resolve(ctx, "echo", pu)
	if err != nil || len(elements) != 1 || elements[0].ID != l.Name().PE {
		t.Fatalf("got %+v, %v", elements, err)
	}
	if _, err := Resolve(ctx, "nowhere", pu); !errors.Is(err, ErrUnknownPool) {
		t.Errorf("an unknown pool: %v", err)
	}
	go func() {
		c, err := l.Accept(ctx)
		if err == nil {
			echoAll(ctx, c, l.Name().PE)
		}
	}()
	c, err := Dial(ctx, "echo", pu)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Send(ctx, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if b, err := c.Recv(ctx); err != nil || string(b) != l.Name().PE.String()+" x" {
		t.Errorf("got %q, %v", b, err)
	}
	if r.ASAPAddrs()[0] != r.TCPAddrs()[0] {
		t.Errorf("SCTP at %v, TCP at %v", r.ASAPAddrs(), r.TCPAddrs())
	}
}

// ASAP-2.1-01: an element says why it cannot register there.
func TestRegisterOverTCP(t *testing.T) {
	ctx, _, _, pu := overTCP(t)
	_, err := Listen(ctx, "other", pu)
	if !errors.Is(err, ErrNoRegistrar) {
		t.Errorf("got %v", err)
	}
}

// A user whose registrar is gone hears that; one that knows another asks that.
func TestTCPRegistrarGone(t *testing.T) {
	ctx, r, l, pu := overTCP(t)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := free.Addr().String()
	free.Close()
	pu.Registrars = []string{"tcp:" + nobody}
	if _, err := Resolve(ctx, "echo", pu); !errors.Is(err, ErrNoRegistrar) {
		t.Errorf("nobody there: %v", err)
	}
	pu.Registrars = []string{"tcp:" + nobody, "tcp:" + r.TCPAddrs()[0].String()}
	if elements, err := Resolve(ctx, "echo", pu); err != nil || elements[0].ID != l.Name().PE {
		t.Errorf("one of two there: %v, %v", elements, err)
	}
	pu.Registrars = []string{"tcp:" + nobody, r.ASAPAddrs()[0].String()}
	if elements, err := Resolve(ctx, "echo", pu); err != nil || elements[0].ID != l.Name().PE {
		t.Errorf("the other over SCTP: %v, %v", elements, err)
	}
}

// Names for TCP take what other names take; an address that is named both ways
// is reached over SCTP.
func TestTCPNames(t *testing.T) {
	c, err := Config{Registrars: []string{"tcp:192.0.2.1", "tcp:[2001:db8::1]:5", " tcp:localhost:7 "}}.resolve()
	want := []string{"tcp:192.0.2.1:3863", "tcp:[2001:db8::1]:5", "tcp:localhost:7"}
	if err != nil || !slices.Equal(c.Registrars, want) {
		t.Errorf("got %v, %v", c.Registrars, err)
	}
	for _, bad := range []string{"tcp:", "tcp:a:b:c", "udp:host:1"} {
		if _, err := (Config{Registrars: []string{bad}}).resolve(); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, both := range [][]string{{"tcp:192.0.2.1", "192.0.2.1"}, {"192.0.2.1", "tcp:192.0.2.1"}} {
		s, err := NewSocket(Config{Registrars: both}, "ip4")
		if err != nil {
			t.Fatal(err)
		}
		if err := s.prepare(); err != nil {
			t.Fatal(err)
		}
		if s.tcp.at[netip.MustParseAddrPort("192.0.2.1:3863")] {
			t.Errorf("%v: over TCP", both)
		}
		s.Close()
	}
}

// TCP is open where SCTP is: 0.0.0.0 means the addresses of IPv4 alone, [::]
// those of both families.
func TestTCPFamilies(t *testing.T) {
	six, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skipf("this host has no IPv6: %v", err)
	}
	six.Close()
	for local, want := range map[string]map[string]bool{
		"0.0.0.0:0":   {"127.0.0.1": true, "::1": false},
		"127.0.0.1:0": {"127.0.0.1": true, "::1": false},
		"[::1]:0":     {"127.0.0.1": false, "::1": true},
		"[::]:0":      {"127.0.0.1": true, "::1": true},
	} {
		r, err := StartRegistrar(t.Context(), RegistrarConfig{
			ASAP: []netip.AddrPort{netip.MustParseAddrPort(local)}, Config: Config{Transport: "userland"},
		})
		if err != nil {
			t.Fatal(err)
		}
		for ip, open := range want {
			at := netip.AddrPortFrom(netip.MustParseAddr(ip), r.TCPAddrs()[0].Port())
			conn, err := net.Dial("tcp", at.String())
			if (err == nil) != open {
				t.Errorf("bound to %s: %v is open: %v (%v), want %v", local, at, err == nil, err, open)
			}
			if err == nil {
				conn.Close()
			}
		}
		r.Close()
	}
}
