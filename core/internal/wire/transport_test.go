package wire

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/wiretest"
)

var sameAddrs = cmpopts.EquateComparable(netip.Addr{})

// parseOne reads one parameter with a function of this package.
func parseOne[T any](t *testing.T, dump string, parse func(TLV, *Report) (T, error)) (v T, err error) {
	t.Helper()
	seen := 0
	err = Walk(wiretest.Hex(t, dump), new(Report), func(tlv TLV) (err error) {
		seen++
		v, err = parse(tlv, new(Report))
		return err
	})
	if err == nil && seen != 1 {
		t.Errorf("%d parameters in %s", seen, dump)
	}
	return v, err
}

const (
	address4 = "00010008 c0000201"
	address6 = "00020014 20010db8 00000000 00000000 00000001"
)

// RFC 5354 section 3.1 to 3.7, 3.16.
func TestParseTransport(t *testing.T) {
	v4, v6 := wiretest.V4, wiretest.V6
	for _, c := range []struct {
		name, dump string
		want       protocol.Transport
		fails      string
	}{
		{"SCTP", "00040010 1e610000" + address4, protocol.Transport{Protocol: protocol.SCTP, Port: 7777, Addrs: []netip.Addr{v4}}, ""},
		{"SCTP with control and two families", "00040024 1e610001" + address4 + address6,
			protocol.Transport{Protocol: protocol.SCTP, Port: 7777, Use: protocol.DataAndControl, Addrs: []netip.Addr{v4, v6}}, ""},
		{"SCTP without address, COM-3.4-01", "00040008 1e610000", protocol.Transport{}, "at least one"},
		{"SCTP use 2, COM-3.4-02", "00040010 1e610002" + address4, protocol.Transport{}, "Transport Use"},
		{"SCTP too short", "00040006 1e610000", protocol.Transport{}, "length is 6"},
		{"TCP", "00050010 00500000" + address4, protocol.Transport{Protocol: protocol.TCP, Port: 80, Addrs: []netip.Addr{v4}}, ""},
		{"TCP with reserved field set, COM-3.5-01", "00050010 00500001" + address4, protocol.Transport{Protocol: protocol.TCP, Port: 80, Addrs: []netip.Addr{v4}}, ""},
		{"TCP with two addresses, COM-3.5-01", "00050018 00500000" + address4 + address4, protocol.Transport{}, "exactly one"},
		{"TCP without address, COM-3.5-01", "00050008 00500000", protocol.Transport{}, "exactly one"},
		{"UDP", "0006001c 00350000" + address6, protocol.Transport{Protocol: protocol.UDP, Port: 53, Addrs: []netip.Addr{v6}}, ""},
		{"UDP with two addresses, COM-3.5-01", "00060018 00350000" + address4 + address4, protocol.Transport{}, "exactly one"},
		{"UDP-Lite", "00070010 00350000" + address4, protocol.Transport{Protocol: protocol.UDPLite, Port: 53, Addrs: []netip.Addr{v4}}, ""},
		{"UDP-Lite with two addresses, COM-3.5-01", "00070018 00350000" + address4 + address4, protocol.Transport{}, "exactly one"},
		{"DCCP, COM-3.3-01", "00030014 00010000 63686174" + address4,
			protocol.Transport{Protocol: protocol.DCCP, Port: 1, ServiceCode: 0x63686174, Addrs: []netip.Addr{v4}}, ""},
		{"DCCP with two addresses, COM-3.3-01", "0003001c 00010000 63686174" + address4 + address4, protocol.Transport{}, "exactly one"},
		{"DCCP without service code", "00030008 00010000", protocol.Transport{}, "length is 8"},
		{"Opaque", "00100007 61006200", protocol.Transport{Protocol: protocol.Opaque, Opaque: "a\x00b"}, ""},
		{"Opaque empty", "00100004", protocol.Transport{Protocol: protocol.Opaque}, ""},
		{"IPv4 address too short, COM-3.1-01", "0004000f 1e610000 00010007 c0000200", protocol.Transport{}, "IPv4 Address: length is 7, must be 8"},
		{"IPv4 address too long, COM-3.1-01", "00040014 1e610000 00010009 c0000201 00000000", protocol.Transport{}, "IPv4 Address: length is 9, must be 8"},
		{"IPv6 address too short, COM-3.1-01", "00040010 1e610000 00020008 c0000201", protocol.Transport{}, "IPv6 Address: length is 8, must be 20"},
		{"IPv4 in IPv6", "0004001c 1e610000 00020014 00000000 00000000 0000ffff c0000201",
			protocol.Transport{Protocol: protocol.SCTP, Port: 7777, Addrs: []netip.Addr{v4}}, ""},
		{"too many addresses", "00040410 1e610000" + strings.Repeat(address4, MaxAddresses+1), protocol.Transport{}, "more than 128"},
	} {
		got, err := parseOne(t, c.dump, parseTransport)
		if c.fails != "" {
			if reason(err) != Invalid || !strings.Contains(err.Error(), c.fails) {
				t.Errorf("%s: error is %v, want %q", c.name, err, c.fails)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if diff := cmp.Diff(c.want, got, sameAddrs); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestTransportThatCannotBeSent(t *testing.T) {
	v4 := wiretest.V4
	for name, tr := range map[string]protocol.Transport{
		"none":               {},
		"SCTP no address":    {Protocol: protocol.SCTP},
		"SCTP use 2":         {Protocol: protocol.SCTP, Use: 2, Addrs: []netip.Addr{v4}},
		"SCTP 129 addresses": {Protocol: protocol.SCTP, Addrs: make([]netip.Addr, MaxAddresses+1)},
		"TCP two addresses":  {Protocol: protocol.TCP, Addrs: []netip.Addr{v4, v4}},
		"UDP unset address":  {Protocol: protocol.UDP, Addrs: make([]netip.Addr, 1)},
		"unknown":            {Protocol: 0x77, Addrs: []netip.Addr{v4}},
	} {
		w := Begin([]byte("before"), 1)
		w.Transport(tr)
		if b, err := w.Finish(); err == nil || string(b) != "before" {
			t.Errorf("%s: %x, %v", name, b, err)
		}
	}
}

// No scope id and no IPv4 in IPv6 goes out (RFC 5354 section 3.2).
func TestAddressesSent(t *testing.T) {
	w := Begin(nil, 1)
	w.Transport(protocol.Transport{Protocol: protocol.SCTP, Port: 7777, Addrs: []netip.Addr{
		netip.MustParseAddr("::ffff:192.0.2.1"), netip.MustParseAddr("fe80::1%eth0"),
	}})
	b, err := w.Finish()
	want := wiretest.Hex(t, "01000028 00040024 1e610000"+address4+"00020014 fe800000 00000000 00000000 00000001")
	if diff := cmp.Diff(want, b); diff != "" || err != nil {
		t.Error(err, diff)
	}
}
