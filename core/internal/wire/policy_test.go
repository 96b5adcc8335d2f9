package wire

import (
	"strings"
	"testing"

	"github.com/librserpool/librserpool/core/internal/protocol"
)

// RFC 5356; POL-7-01, POL-7-02, COM-3.8-01.
func TestParsePolicy(t *testing.T) {
	for _, c := range []struct {
		dump  string
		want  protocol.Policy
		text  string
		fails string
	}{
		{"00080008 00000001", protocol.Policy{Type: protocol.RoundRobin}, "RR", ""},
		{"0008000c 00000002 00000003", protocol.Policy{Type: protocol.WeightedRoundRobin, Weight: 3}, "WRR weight 3", ""},
		{"00080008 00000003", protocol.Policy{Type: protocol.Random}, "RAND", ""},
		{"0008000c 00000004 00000003", protocol.Policy{Type: protocol.WeightedRandom, Weight: 3}, "WRAND weight 3", ""},
		{"0008000c 00000005 ffffffff", protocol.Policy{Type: protocol.Priority, Priority: 0xffffffff}, "PRIO priority 4294967295", ""},
		{"0008000c 40000001 ffffffff", protocol.Policy{Type: protocol.LeastUsed, Load: 0xffffffff}, "LU load 100.0%", ""},
		{"00080010 40000002 40000000 80000000", protocol.Policy{Type: protocol.LeastUsedWithDegradation, Load: 0x40000000, Degradation: 0x80000000},
			"LUD load 25.0% degradation 50.0%", ""},
		{"00080010 40000003 00000000 80000000", protocol.Policy{Type: protocol.PriorityLeastUsed, Degradation: 0x80000000},
			"PLU load 0.0% degradation 50.0%", ""},
		{"0008000c 40000004 80000000", protocol.Policy{Type: protocol.RandomizedLeastUsed, Load: 0x80000000}, "RLU load 50.0%", ""},
		{"00080008 80000001", protocol.Policy{Type: 0x80000001}, "policy-0x80000001", ""},
		{"0008000b b0001001 6f646400", protocol.Policy{Type: 0xb0001001, Private: "odd"}, "policy-0xb0001001", ""},
		{"0008000c 00000006 00000001", protocol.Policy{Type: 6, Private: "\x00\x00\x00\x01"}, "policy-0x00000006", ""},
		{"00080008 40000005", protocol.Policy{Type: 0x40000005}, "policy-0x40000005", ""},
		{"00080008 00000000", protocol.Policy{}, "", "policy type 0x00000000 is invalid"},
		{"0008000c 40000000 00000001", protocol.Policy{}, "", "policy type 0x40000000 is invalid"},
		{"00080004", protocol.Policy{}, "", "length is 4"},
		{"00080006 00010000", protocol.Policy{}, "", "length is 6"},
		{"0008000c 00000001 00000000", protocol.Policy{}, "", "length is 12, that of RR must be 8"},
		{"00080008 00000002", protocol.Policy{}, "", "length is 8, that of WRR must be 12"},
		{"0008000c 40000002 00000000", protocol.Policy{}, "", "length is 12, that of LUD must be 16"},
		{"0008000b 40000001 ffffff00", protocol.Policy{}, "", "length is 11"},
	} {
		got, err := parseOne(t, c.dump, func(t TLV, _ *Report) (protocol.Policy, error) { return parsePolicy(t) })
		if c.fails != "" {
			if reason(err) != Invalid || !strings.Contains(err.Error(), c.fails) {
				t.Errorf("%s: error is %v, want %q", c.dump, err, c.fails)
			}
			continue
		}
		if err != nil || got != c.want || got.String() != c.text {
			t.Errorf("%s: got %+v %q, %v", c.dump, got, got, err)
		}
	}
}

// POL-7-01.
func TestPolicyThatCannotBeSent(t *testing.T) {
	for _, bad := range []protocol.PolicyType{0, 0x40000000} {
		w := Begin(nil, 1)
		w.Policy(protocol.Policy{Type: bad})
		if _, err := w.Finish(); err == nil {
			t.Errorf("policy type %v can be sent", bad)
		}
	}
}
