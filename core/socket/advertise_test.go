package socket

import (
	"errors"
	"net/netip"
	"slices"
	"testing"

	"github.com/librserpool/librserpool/core/internal/loop"
	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/asap"
)

func ips(texts ...string) (out []netip.Addr) {
	for _, t := range texts {
		out = append(out, netip.MustParseAddr(t))
	}
	return out
}

func TestAdvertiseSetting(t *testing.T) {
	for text, want := range map[string][]netip.Addr{
		"192.0.2.7":                ips("192.0.2.7"),
		" 192.0.2.7 , 2001:db8::7": ips("192.0.2.7", "2001:db8::7"),
		"::ffff:192.0.2.7":         ips("192.0.2.7"),
		"192.0.2.7:5000":           nil,
		"example.org":              nil,
		"0.0.0.0":                  nil,
		"239.1.2.3":                nil,
		"fe80::1%lo":               nil,
		"192.0.2.7,":               nil,
		"1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4,1.1.1.5,1.1.1.6,1.1.1.7,1.1.1.8,1.1.1.9,1.1.1.10,1.1.1.11,1.1.1.12,1.1.1.13,1.1.1.14,1.1.1.15,1.1.1.16,1.1.1.17": nil,
	} {
		t.Setenv("RSERPOOL_ADVERTISE", text)
		c, err := ConfigFromEnv()
		if want == nil && !errors.Is(err, ErrInvalid) || want != nil && (err != nil || !slices.Equal(c.Advertise, want)) {
			t.Errorf("%q: %v, %v", text, c.Advertise, err)
		}
	}
}

// What an element is known at: its own addresses on a wildcard those of the host
// beside loopback, if its registrar is on this host; or what it advertises.
// ASAP-6.1-01.
func TestElementAddresses(t *testing.T) {
	run(t, func(w *world) {
		server := w.process()
		server.host.addrs = loop.NewHost(func() []netip.Addr { return ips("192.0.2.1", "2001:db8::1") })
		r, err := StartRegistrar(w.ctx, RegistrarConfig{
			ASAP: []netip.AddrPort{loopback}, Config: server.config(),
			Accept: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")},
		})
		w.ok(err)
		w.Cleanup(func() { r.Close() })
		for _, test := range []struct {
			pool, network, local, advertise string
			want                            []netip.Addr
		}{
			{"four", "ip4", "", "", ips("127.0.0.1", "192.0.2.1")},
			{"both", "ip", "", "", ips("127.0.0.1", "192.0.2.1", "2001:db8::1")},
			{"bound", "ip4", "127.0.0.1:0", "", ips("127.0.0.1")},
			{"advertised", "ip4", "", "203.0.113.7", ips("203.0.113.7")},
			{"refused", "ip4", "", "198.51.100.7", nil},
		} {
			opts := server.options()
			opts.Network = test.network
			if test.local != "" {
				opts.Local = []netip.AddrPort{netip.MustParseAddrPort(test.local)}
			}
			if test.advertise != "" {
				opts.Advertise = ips(test.advertise)
			}
			l, err := Listen(w.ctx, test.pool, opts)
			if test.want == nil {
				if !errors.Is(err, ErrRejected) {
					t.Errorf("%s: %v", test.pool, err)
				}
				continue
			}
			w.ok(err)
			elements, err := Resolve(w.ctx, test.pool, server.options())
			w.ok(err)
			var got []netip.Addr
			for _, a := range elements[0].Addrs {
				got = append(got, a.Addr())
				if a.Port() != l.Addrs()[0].Port() {
					t.Errorf("%s: port %v", test.pool, a)
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("%s: known at %v, want %v", test.pool, got, test.want)
			}
			l.Close()
		}
	})
}

// A business card names nobody on loopback to a peer on another host, but the
// element itself, which that one has reached somehow.
func TestCardForAnotherHost(t *testing.T) {
	at := func(id PEID, addrs ...string) protocol.Element {
		return protocol.Element{ID: id, User: protocol.Transport{Protocol: SCTP, Port: 7, Addrs: ips(addrs...)}}
	}
	card := asap.BusinessCard{Handle: "p", Elements: []protocol.Element{
		at(1, "127.0.0.1"), at(2, "127.0.0.1", "192.0.2.1"), at(3, "127.0.0.1"),
	}}
	got := withoutLoopback(card)
	if len(got.Elements) != 2 || got.Elements[0].ID != 2 || !slices.Equal(got.Elements[0].User.Addrs, ips("192.0.2.1")) || got.Elements[1].ID != 3 {
		t.Errorf("got %v", got)
	}
	if len(card.Elements[1].User.Addrs) != 2 {
		t.Error("the machine's own elements were changed")
	}
}
