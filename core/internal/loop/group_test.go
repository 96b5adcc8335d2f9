package loop

import (
	"net"
	"testing"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

func TestParseGroup(t *testing.T) {
	lo := loopbackInterface(t)
	for text, want := range map[string]string{
		"224.0.1.185":                 "224.0.1.185:3863",
		"239.0.0.50:4000":             "239.0.0.50:4000",
		"ff05::133":                   "[ff05::133]:3863",
		"[ff05::133]:4000@" + lo.Name: "[ff05::133]:4000",
		"224.0.1.185@" + lo.Name:      "224.0.1.185:3863",
	} {
		g, err := ParseGroup(text, protocol.PortASAP)
		if err != nil || g.Addr.String() != want {
			t.Errorf("%q: %v, %v", text, g.Addr, err)
		}
	}
	for _, text := range []string{"", "192.0.2.1", "224.0.1.185:0", "224.0.1.185:x", "224.0.1.185@nosuchthing", "name", "::ffff:224.0.1.185"} {
		if g, err := ParseGroup(text, protocol.PortASAP); err == nil {
			t.Errorf("%q was taken for %v", text, g)
		}
	}
}

func loopbackInterface(t *testing.T) *net.Interface {
	t.Helper()
	all, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range all {
		if i.Flags&net.FlagLoopback != 0 {
			return &i
		}
	}
	t.Skip("there is no loopback interface")
	return nil
}
