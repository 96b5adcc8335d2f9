// Package wiretest has what the tests of the codecs share: hex dumps, one
// sample of everything, and the checks that every message must pass.
package wiretest

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// Hex decodes a dump; blanks mean nothing.
func Hex(t testing.TB, dump string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(dump), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Addresses of RFC 5737 and RFC 3849.
var (
	V4 = netip.MustParseAddr("192.0.2.1")
	V6 = netip.MustParseAddr("2001:db8::1")
)

// Transports returns one transport of every kind, and SCTP in its variants.
func Transports() []protocol.Transport {
	one := []netip.Addr{V4}
	return []protocol.Transport{
		{Protocol: protocol.DCCP, Port: 1, ServiceCode: 0x63686174, Addrs: []netip.Addr{V6}},
		{Protocol: protocol.SCTP, Port: 7777, Addrs: one},
		{Protocol: protocol.SCTP, Port: 7777, Use: protocol.DataAndControl, Addrs: []netip.Addr{V4, V6}},
		{Protocol: protocol.TCP, Port: 80, Addrs: one},
		{Protocol: protocol.UDP, Port: 53, Addrs: one},
		{Protocol: protocol.UDPLite, Port: 65535, Addrs: []netip.Addr{V6}},
		{Protocol: protocol.Opaque, Opaque: "\x00any"},
	}
}

// Policies returns one policy of every type, and private ones.
func Policies() []protocol.Policy {
	return []protocol.Policy{
		{Type: protocol.RoundRobin},
		{Type: protocol.WeightedRoundRobin, Weight: 3},
		{Type: protocol.Random},
		{Type: protocol.WeightedRandom, Weight: 0xffffffff},
		{Type: protocol.Priority, Priority: 7},
		{Type: protocol.LeastUsed, Load: 0x80000000},
		{Type: protocol.LeastUsedWithDegradation, Load: 0x40000000, Degradation: 0x10000000},
		{Type: protocol.PriorityLeastUsed, Load: 0x20000000, Degradation: 0x80000000},
		{Type: protocol.RandomizedLeastUsed, Load: 0xffffffff},
		{Type: 0x80000001},
		{Type: 0xb0001001, Private: "odd"},
		{Type: 0x00000006, Private: "\x00\x00\x00\x01"},
	}
}

// Elements returns elements that have every transport and every policy, with
// and without ASAP transport.
func Elements() []protocol.Element {
	policies := Policies()
	transports := Transports()
	elements := make([]protocol.Element, len(policies))
	for i, p := range policies {
		elements[i] = protocol.Element{
			ID:     protocol.PEID(0x01020304 + i),
			Home:   0xaabbccdd,
			Life:   protocol.Life(300 * (i%3 - 1)),
			User:   transports[i%len(transports)],
			Policy: p,
		}
		if i%2 == 1 {
			elements[i].ASAP = protocol.Transport{Protocol: protocol.SCTP, Port: 50000, Addrs: []netip.Addr{V4}}
		}
	}
	elements[2].Life = protocol.LifeInfinite
	return elements
}

// Causes returns a cause of every assigned code with the information that
// belongs to it, and one that nobody assigned.
func Causes() []protocol.Cause {
	policy := []byte{0, 8, 0, 8, 0, 0, 0, 1}
	info := map[protocol.CauseCode][]byte{
		protocol.CauseUnrecognizedParameter: {0x40, 0x77, 0, 5, 0x99},
		protocol.CauseUnrecognizedMessage:   {0x41, 0, 0, 4},
		protocol.CauseInvalidValues:         policy,
		protocol.CauseInconsistentPolicy:    policy,
		protocol.CauseInconsistentTransport: {0, 5, 0, 16, 0, 80, 0, 0, 0, 1, 0, 8, 192, 0, 2, 1},
	}
	causes := []protocol.Cause{{Code: 0xf006, Info: []byte{1}}}
	for code := protocol.CauseUnspecified; code <= protocol.CauseRejectedForSecurity; code++ {
		causes = append(causes, protocol.Cause{Code: code, Info: info[code]})
	}
	return causes
}

// EveryPrefixFails checks that no part of a message is taken for the whole,
// neither if it was cut off nor if its length field agrees with the cut. The
// message must have nothing optional at its end.
func EveryPrefixFails(t *testing.T, b []byte, parse func([]byte) error) {
	t.Helper()
	length := int(b[2])<<8 | int(b[3])
	for n := range length {
		if parse(b[:n]) == nil {
			t.Errorf("the first %d bytes of %d parse", n, len(b))
		}
	}
	for n := range length {
		cut := append([]byte(nil), b[:n]...)
		if n >= 4 {
			cut[2], cut[3] = byte(n>>8), byte(n)
		}
		if parse(cut) == nil {
			t.Errorf("cut to a length of %d bytes instead of %d it parses: %x", n, length, cut)
		}
	}
}
