package open

import (
	"errors"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"github.com/librserpool/librserpool/core/internal/transport"
	"github.com/librserpool/librserpool/core/internal/transport/kernel"
)

func loopback(port uint16) []netip.AddrPort {
	return []netip.AddrPort{netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port)}
}

func TestOpens(t *testing.T) {
	for _, test := range []struct{ kind, variable string }{
		{"", "userland"}, {"userland", ""}, {"userland", "nonsense"}, {"", ""}, {"auto", ""}, {"", "auto"},
	} {
		t.Setenv(Variable, test.variable)
		ep, name, err := Endpoint(transport.Config{Kind: test.kind, Local: loopback(0)})
		if err != nil {
			t.Fatalf("kind %q, variable %q: %v", test.kind, test.variable, err)
		}
		ep.Close()
		want := transport.KindUserland
		if test.kind != want && test.variable != want && kernel.Available() {
			want = transport.KindKernel
		}
		if name != want {
			t.Errorf("kind %q, variable %q: opened %s, want %s", test.kind, test.variable, name, want)
		}
	}
}

// The system's reasons can be recognised.
func TestSystemErrors(t *testing.T) {
	t.Setenv(Variable, "")
	first, _, err := Endpoint(transport.Config{Kind: transport.KindUserland, Local: loopback(0)})
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	ep, name, err := Endpoint(transport.Config{Kind: transport.KindUserland, Local: first.LocalAddrs()})
	if !errors.Is(err, syscall.EADDRINUSE) || ep != nil || name != transport.KindUserland {
		t.Errorf("port taken: %v, %q, %v; want nil, the kind, and EADDRINUSE", ep, name, err)
	}
}

// Errors name what was asked for, where, and what there is.
func TestUnknownKinds(t *testing.T) {
	for _, test := range []struct {
		kind, variable string
		want           []string
	}{
		{"dtls", "", []string{`"dtls"`, "auto", "kernel", "userland"}},
		{"", "dtls", []string{`"dtls"`, Variable, "auto", "kernel", "userland"}},
		{"", "Kernel", []string{`"Kernel"`, Variable, "auto", "kernel", "userland"}},
	} {
		t.Setenv(Variable, test.variable)
		ep, _, err := Endpoint(transport.Config{Kind: test.kind, Local: loopback(0)})
		if err == nil {
			ep.Close()
			t.Errorf("kind %q, variable %q: no error", test.kind, test.variable)
			continue
		}
		for _, word := range test.want {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("kind %q, variable %q: %q does not say %s", test.kind, test.variable, err, word)
			}
		}
	}
}

func TestKernelWithoutSCTP(t *testing.T) {
	if kernel.Available() {
		t.Skip("this kernel has SCTP")
	}
	_, _, err := Endpoint(transport.Config{Kind: transport.KindKernel, Local: loopback(0)})
	if err == nil || !strings.Contains(err.Error(), "no SCTP") || !strings.Contains(err.Error(), "userland") {
		t.Errorf("error %v, want one that says that the kernel has no SCTP and what to do", err)
	}
}
