package asap

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire"
	"github.com/librserpool/librserpool/core/internal/wire/wiretest"
)

// COM-3-07: each parameter is padded with zeros to a multiple of 4, which only
// the message length counts, and not for the last one (COM-4-02).
func TestPaddingSent(t *testing.T) {
	for handle, want := range map[protocol.PoolHandle]string{
		"a":     "05000014 00090005 61000000 803f0008 00000001",
		"ab":    "05000014 00090006 61620000 803f0008 00000001",
		"abc":   "05000014 00090007 61626300 803f0008 00000001",
		"abcd":  "05000014 00090008 61626364 803f0008 00000001",
		"abcde": "05000018 00090009 61626364 65000000 803f0008 00000001",
	} {
		got, err := Append(nil, HandleResolution{Handle: handle, Items: 1})
		if diff := cmp.Diff(wiretest.Hex(t, want), got); diff != "" || err != nil {
			t.Errorf("%q with option: %v\n%s", handle, err, diff)
		}
		last, err := Append(nil, HandleResolution{Handle: handle})
		if length := int(last[3]); err != nil || length != 8+len(handle) || len(last) != (length+3)&^3 {
			t.Errorf("%q: %x, %v", handle, last, err)
		}
	}
}

// COM-3-09: types 0 and 0xffff are never sent, nor any other that is not
// defined; whatever a message says.
func TestTypesSent(t *testing.T) {
	for _, m := range samples() {
		b, err := Append(nil, m)
		if err != nil {
			t.Fatal(err)
		}
		params := b[4:]
		switch m.(type) {
		case EndpointKeepAlive, ServerAnnounce:
			params = b[8:]
		}
		for len(params) > 0 {
			typ, length := binary.BigEndian.Uint16(params), int(binary.BigEndian.Uint16(params[2:]))
			if typ == 0 || typ > 0x0010 && typ != 0x803f {
				t.Errorf("%v: sends a parameter of type %#04x", m, typ)
			}
			params = params[(length+3)&^3:]
		}
	}
}

// COM-3.9-01: a handle is the bytes it has, no more and no less.
func TestHandlesAreBytes(t *testing.T) {
	seen := map[protocol.PoolHandle]bool{}
	for _, h := range []protocol.PoolHandle{"a", "a\x00", "a\x00\x00\x00", "A", "\x00", "\xff\xfe", "é", "e\u0301"} {
		b, err := Append(nil, Deregistration{Handle: h, ID: 1})
		if err != nil {
			t.Fatal(err)
		}
		m, _, err := Parse(b)
		if err != nil || m != (Deregistration{Handle: h, ID: 1}) {
			t.Errorf("%q became %v, %v", h, m, err)
			continue
		}
		seen[m.(Deregistration).Handle] = true
	}
	if len(seen) != 8 {
		t.Errorf("%d handles of 8 are left", len(seen))
	}
}

// COM-3.10-02, COM-3.10-03: an unknown home is 0, an endless life -1.
func TestFirstRegistration(t *testing.T) {
	e := wiretest.Elements()[0]
	e.Home, e.Life = 0, protocol.LifeInfinite
	b, err := Append(nil, Registration{Handle: "abcd", Element: e})
	if err != nil || binary.BigEndian.Uint64(b[20:]) != 0xffffffff {
		t.Errorf("home and life are %x, %v", b[20:28], err)
	}
}

// ASAP-2.2.1-01, ASAP-2.2.2-01, COM-3.12-01: what is mandatory is demanded.
func TestMandatoryParameters(t *testing.T) {
	const handle, id = "00090008 61626364", "000e0008 00000001"
	for dump, missing := range map[string]string{
		"0100000c" + handle:          "ASAP_REGISTRATION: the Pool Element is missing",
		"0200000c" + handle:          "ASAP_DEREGISTRATION: the PE Identifier is missing",
		"0200000c" + id:              "ASAP_DEREGISTRATION: the Pool Handle is missing",
		"0300000c" + handle:          "ASAP_REGISTRATION_RESPONSE: the PE Identifier is missing",
		"0400000c" + id:              "ASAP_DEREGISTRATION_RESPONSE: the Pool Handle is missing",
		"05000004":                   "ASAP_HANDLE_RESOLUTION: the Pool Handle is missing",
		"06000004":                   "ASAP_HANDLE_RESOLUTION_RESPONSE: the Pool Handle is missing",
		"07000008 00000001":          "ASAP_ENDPOINT_KEEP_ALIVE: the Pool Handle is missing",
		"07000004":                   "ASAP_ENDPOINT_KEEP_ALIVE: message length is 4, must be at least 8",
		"0800000c" + id:              "ASAP_ENDPOINT_KEEP_ALIVE_ACK: the Pool Handle is missing",
		"0900000c" + handle:          "ASAP_ENDPOINT_UNREACHABLE: the PE Identifier is missing",
		"0a000006 0000":              "ASAP_SERVER_ANNOUNCE: message length is 6, must be at least 8",
		"0b000004":                   "ASAP_COOKIE: the Cookie is missing",
		"0c000004":                   "ASAP_COOKIE_ECHO: the Cookie is missing",
		"0d00000c" + handle:          "ASAP_BUSINESS_CARD: the Pool Element is missing",
		"0e000004":                   "ASAP_ERROR: the Operation Error is missing",
		"0e000008 000c0004":          "ASAP_ERROR: Operation Error: has no cause, needs at least one",
		"0500000e" + handle + "0000": "ASAP_HANDLE_RESOLUTION: 2 bytes at the end are too short for a parameter",
	} {
		_, _, err := Parse(wiretest.Hex(t, dump))
		var e *wire.Error
		if !errors.As(err, &e) || e.Reason != wire.Invalid || e.Error() != missing {
			t.Errorf("%s: %v, want %s", dump, err, missing)
		}
	}
}

// ASAP-2.2.3-01: causes do not make a response a rejection, the flag does.
func TestWarning(t *testing.T) {
	m, _, err := Parse(wiretest.Hex(t, "0300001c 00090007 61626300 000e0008 01020304 000c0008 00060004"))
	if r, ok := m.(RegistrationResponse); !ok || err != nil || r.Rejected || len(r.Causes) != 1 {
		t.Errorf("%v, %v", m, err)
	}
}

// COM-3-11: RSPLIB's business card has a policy that does not belong there.
func TestBusinessCardWithPolicy(t *testing.T) {
	m, report, err := Parse(wiretest.Hex(t, `0d00003c 00090007 61626300 00080008 00000003
		000a0028 01020304 00000000 0000012c 00040010 1e610000 00010008 c0000201 00080008 00000001`))
	if c, ok := m.(BusinessCard); !ok || err != nil || report != nil || len(c.Elements) != 1 {
		t.Errorf("%v, %v, reported %v", m, err, report)
	}
}
