package userland

import (
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/librserpool/librserpool/core/internal/transport"
)

// Close does not wait for a hook, which may wait for its caller, and the port
// is free all the same when it returns.
func TestCloseDuringHook(t *testing.T) {
	e, err := Listen(transport.Config{Local: addrs("127.0.0.1:0")})
	if err != nil {
		t.Fatal(err)
	}
	peer, err := Listen(transport.Config{Local: addrs("127.0.0.1:0"), NoListen: true})
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	entered, release := make(chan struct{}), make(chan struct{})
	e.Notify(func() {
		close(entered)
		<-release
	}, nil)
	if _, err := peer.Connect(e.LocalAddrs(), nil); err != nil {
		t.Fatal(err)
	}
	<-entered // COMM_UP
	e.Close()
	if again, err := Listen(transport.Config{Local: e.LocalAddrs()}); err != nil {
		t.Errorf("port is not free after Close: %v", err)
	} else {
		again.Close()
	}
	close(release)
}

// A closed endpoint leaves no descriptor.
func TestCloseFreesDescriptors(t *testing.T) {
	before := descriptors(t)
	for range 20 {
		e, err := Listen(transport.Config{Local: []netip.AddrPort{netip.MustParseAddrPort("[::]:0")}})
		if err != nil {
			t.Fatal(err)
		}
		e.Close()
	}
	// Descriptors are freed a moment later.
	for end := time.Now().Add(5 * time.Second); descriptors(t) >= before+20; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d descriptors after 20 endpoints, %d before", descriptors(t), before)
		}
	}
}

// Nor does one that could not be opened.
func TestRefusedOpensLeaveNoDescriptors(t *testing.T) {
	taken, err := Listen(transport.Config{Local: addrs("127.0.0.1:0")})
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	before := descriptors(t)
	const attempts = 40
	for range attempts {
		if e, err := Listen(transport.Config{Local: taken.LocalAddrs()}); err == nil {
			e.Close()
			t.Fatal("two endpoints have one port")
		}
	}
	if now := descriptors(t); now >= before+attempts {
		t.Errorf("%d descriptors after %d refusals, %d before", now, attempts, before)
	}
}

// A dead endpoint is not woken any more: it would be kept in memory until then.
func TestDeadIsNotWoken(t *testing.T) {
	e, err := Listen(transport.Config{Local: addrs("127.0.0.1:0")})
	if err != nil {
		t.Fatal(err)
	}
	armed := func() bool {
		endpointTimer.mu.Lock()
		defer endpointTimer.mu.Unlock()
		return e.entry.Armed()
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.wakeAt(clock().Add(time.Hour))
	if !armed() {
		t.Fatal("a living one is not woken either")
	}
	e.die()
	if armed() {
		t.Error("a dead endpoint is to be woken")
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	return len(entries)
}
