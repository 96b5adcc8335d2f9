package sctp

import (
	"bytes"
	"errors"
	"net/netip"
	"syscall"
	"testing"

	"github.com/librserpool/librserpool/core/internal/assoc"
)

// silent is an endpoint that connects to addresses at which nobody answers, and
// the INITs that it has sent, in their order.
func silent(t *testing.T, addrs ...string) (e *Endpoint, out func() []Packet) {
	t.Helper()
	e = New(Config{Port: 5000, Rand: bytes.NewReader(bytes.Repeat([]byte{1, 2, 3, 4, 5, 6, 7}, 1000))})
	var peer []netip.AddrPort
	for _, a := range addrs {
		peer = append(peer, netip.AddrPortFrom(netip.MustParseAddr(a), 6000))
	}
	if _, err := e.Connect(epoch, peer, nil); err != nil {
		t.Fatal(err)
	}
	return e, func() (sent []Packet) {
		for p := (Packet{}); e.Output(epoch, &p); p = (Packet{}) {
			sent = append(sent, p)
		}
		return sent
	}
}

func outcome(e *Endpoint) (info assoc.RecvInfo, err error) {
	_, err = e.Recv(epoch, make([]byte, 100), &info)
	return info, err
}

// Without a route the set-up ends at once, with the system's reason.
func TestNoRoute(t *testing.T) {
	e, out := silent(t, "192.0.2.1")
	sent := out()
	e.Unroutable(epoch, sent[0].Peer, sent[0].Data, syscall.ENETUNREACH)
	info, err := outcome(e)
	if err != nil || info.Kind != assoc.CannotStart || !errors.Is(info.Err, assoc.ErrUnreachable) || !errors.Is(info.Err, syscall.ENETUNREACH) {
		t.Errorf("%v, %v: %v", info.Kind, info.Err, err)
	}
}

// Where nobody is, or no way leads, the next address is tried at once; with the
// last one it is over (SCTP-5-09). What is said of an address twice counts once.
func TestNextAddress(t *testing.T) {
	e, out := silent(t, "192.0.2.1", "192.0.2.2", "192.0.2.3")
	first := out()
	if len(first) != 1 || first[0].Peer.Addr() != netip.MustParseAddr("192.0.2.1") {
		t.Fatalf("sent %v", first)
	}
	for range 2 {
		e.Unroutable(epoch, first[0].Peer, first[0].Data, syscall.EHOSTUNREACH)
	}
	second := out()
	if len(second) != 1 || second[0].Peer.Addr() != netip.MustParseAddr("192.0.2.2") {
		t.Fatalf("sent %v", second)
	}
	e.Unreachable(epoch, second[0].Peer, second[0].Data)
	third := out()
	if len(third) != 1 || third[0].Peer.Addr() != netip.MustParseAddr("192.0.2.3") {
		t.Fatalf("sent %v", third)
	}
	if info, err := outcome(e); err != assoc.ErrWouldBlock {
		t.Fatalf("%v, %v", info, err)
	}
	at, _ := e.Next()
	e.Advance(at) // T1: the other two are not tried again
	again := out()
	if len(again) != 1 || again[0].Peer.Addr() != third[0].Peer.Addr() {
		t.Fatalf("sent %v", again)
	}
	e.Unreachable(at, again[0].Peer, again[0].Data)
	if info, err := outcome(e); err != nil || info.Kind != assoc.CannotStart || !errors.Is(info.Err, assoc.ErrRefused) {
		t.Errorf("%v, %v: %v", info.Kind, info.Err, err)
	}
}
