package loop_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/librserpool/librserpool/core/internal/assoc"
	"github.com/librserpool/librserpool/core/internal/loop"
)

// TestLookUp: names and addresses become addresses with a port, each once, of the family
// that is asked for; each answer stands at the place of its name and says what is wrong.
func TestLookUp(t *testing.T) {
	first, err := net.InterfaceByIndex(1)
	if err != nil {
		t.Skip(err)
	}
	known := map[string][]netip.Addr{}
	for name, texts := range map[string]string{
		"both": "192.0.2.1 2001:db8::1", "four": "192.0.2.1 ::ffff:192.0.2.1 192.0.2.2", "six": "2001:db8::1", "link": "fe80::1%" + first.Name,
		"lost": "fe80::1%nosuch", "empty": "",
	} {
		known[name] = nil
		for _, s := range strings.Fields(texts) {
			known[name] = append(known[name], netip.MustParseAddr(s))
		}
	}
	unknown := errors.New("no such host")
	r := loop.Resolver(func(_ context.Context, network, name string) (out []netip.Addr, err error) {
		addrs, there := known[name]
		if !there {
			return nil, unknown
		}
		for _, a := range addrs {
			if network == "ip" || a.Unmap().Is4() {
				out = append(out, a)
			}
		}
		return out, nil
	})
	index := strconv.Itoa(first.Index)
	for _, c := range []struct{ network, name, want string }{
		{"ip", "both:7", "[192.0.2.1:7 [2001:db8::1]:7]"},
		{"ip4", "both:7", "[192.0.2.1:7]"},
		{"ip", "four:7", "[192.0.2.1:7 192.0.2.2:7]"},
		{"ip", "six:7", "[[2001:db8::1]:7]"},
		{"ip4", "six:7", "address family"},
		{"ip", "link:7", "[[fe80::1%" + index + "]:7]"},
		{"ip", "lost:7", "nosuch"},
		{"ip", "empty:7", "no address"},
		{"ip4", "empty:7", "no address"},
		{"ip", "other:7", "no such host"},
		{"ip4", "other:7", "no such host"},
		{"ip", "[fe80::1%" + first.Name + "]:7", "[[fe80::1%" + index + "]:7]"},
		{"ip", "[fe80::1%" + index + "]:7", "[[fe80::1%" + index + "]:7]"},
		{"ip", "192.0.2.9:7", "[192.0.2.9:7]"},
		{"ip4", "[::ffff:192.0.2.9]:7", "[192.0.2.9:7]"},
		{"ip4", "[2001:db8::9]:7", "address family"},
		{"ip", "both", "missing port"},
		{"ip", "both:65536", "out of range"},
		{"ip", "both:seven", "invalid syntax"},
	} {
		answers := r.LookUp(t.Context(), c.network, []string{c.name, "six:1"})
		a := answers[0]
		if a.Name != c.name || len(answers) != 2 || answers[1].Name != "six:1" {
			t.Fatalf("%s: answers %+v", c.name, answers)
		}
		got := fmt.Sprint(a.Addrs)
		switch {
		case c.want == "address family":
			if !errors.Is(a.Err, assoc.ErrFamily) || a.Addrs != nil {
				t.Errorf("%s: %v, %v", c.name, got, a.Err)
			}
		case c.want[0] == '[':
			if got != c.want || a.Err != nil {
				t.Errorf("%s for %s: %v, %v; want %s", c.name, c.network, got, a.Err, c.want)
			}
		case a.Err == nil || !strings.Contains(a.Err.Error(), c.want) || a.Addrs != nil:
			t.Errorf("%s for %s: %v, %v; want %s", c.name, c.network, got, a.Err, c.want)
		}
	}
}
