package wire

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/wiretest"
)

// COM-3.12-01; there are unassigned codes in use.
func TestParseCauses(t *testing.T) {
	for _, c := range []struct {
		dump  string
		want  []protocol.Cause
		fails string
	}{
		{"000c0008 00090004", []protocol.Cause{{Code: protocol.CauseUnknownPoolHandle}}, ""},
		{"000c0008 f0060004", []protocol.Cause{{Code: 0xf006}}, ""},
		{"000c0011 00010005 99000000 00030005 aa", []protocol.Cause{
			{Code: protocol.CauseUnrecognizedParameter, Info: []byte{0x99}}, {Code: protocol.CauseInvalidValues, Info: []byte{0xaa}}}, ""},
		{"000c0014 00010005 99ffffff 00030005 aaffffff", []protocol.Cause{
			{Code: protocol.CauseUnrecognizedParameter, Info: []byte{0x99}}, {Code: protocol.CauseInvalidValues, Info: []byte{0xaa}}}, ""}, // COM-3-10
		{"000c0004", nil, "needs at least one"},
		{"000c0006 00090000", nil, "too short"},
		{"000c0008 00090003", nil, "length 3"},
		{"000c0008 00090005", nil, "length 5"},
	} {
		got, err := parseOne(t, c.dump, func(t TLV, _ *Report) ([]protocol.Cause, error) { return parseCauses(nil, t) })
		if c.fails != "" {
			if reason(err) != Invalid || !strings.Contains(err.Error(), c.fails) {
				t.Errorf("%s: error is %v, want %q", c.dump, err, c.fails)
			}
		} else if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", c.dump, err, diff)
		}
	}
}

// COM-3.12-04, COM-3.12-05, COM-3.12-06.
func TestCausesWithParameters(t *testing.T) {
	e := wiretest.Elements()[1]
	for _, c := range []struct {
		cause protocol.Cause
		code  protocol.CauseCode
		info  string
	}{
		{InconsistentPolicy(protocol.Policy{Type: protocol.RoundRobin}), 5, "00080008 00000001"},
		{InconsistentTransport(wiretest.Transports()[3]), 7, "00050010 00500000 00010008 c0000201"},
		{InvalidPolicy(protocol.Policy{Type: 0xb0001001, Private: "odd"}), 3, "0008000b b0001001 6f6464"},
		{InvalidElement(e), 3, "000a003c 01020305 aabbccdd 00000000 00040010 1e610000 00010008 c0000201" +
			"0008000c 00000002 00000003 00040010 c3500000 00010008 c0000201"},
		{InconsistentTransport(protocol.Transport{}), 7, ""},
	} {
		want := protocol.Cause{Code: c.code, Info: wiretest.Hex(t, c.info)}
		if c.info == "" {
			want.Info = nil
		}
		if diff := cmp.Diff(want, c.cause); diff != "" {
			t.Error(diff)
		}
	}
}
