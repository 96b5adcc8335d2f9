package asap

import (
	"bytes"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire"
	"github.com/librserpool/librserpool/core/internal/wire/wiretest"
	"github.com/librserpool/librserpool/core/internal/wire/wiretest/codectest"
)

var codec = codectest.Codec[Message]{
	Parse: Parse, Append: Append, Error: func(causes []protocol.Cause) Message { return Error{Causes: causes} },
}

// samples holds every message in its variants.
func samples() []Message {
	elements, causes := wiretest.Elements(), wiretest.Causes()
	list := []Message{
		RegistrationResponse{Handle: "abc", ID: 1},
		RegistrationResponse{Rejected: true, Handle: "EchoPool", ID: 1, Causes: causes},
		Deregistration{Handle: "a\x00", ID: 0xffffffff},
		DeregistrationResponse{Handle: "abcd", ID: 1},
		DeregistrationResponse{Handle: "abcde", ID: 1, Causes: causes[:1]},
		HandleResolution{Handle: "a"},
		HandleResolution{Subscribe: true, Handle: "abc", Items: AllItems},
		HandleResolutionResponse{Handle: "abc", Causes: causes},
		HandleResolutionResponse{Handle: "abc", Elements: elements},
		HandleResolutionResponse{UpdatesAccepted: true, Handle: "abc", HasPolicy: true, Policy: wiretest.Policies()[10], Elements: elements[:1]},
		EndpointKeepAlive{Server: 1, Handle: "abc"},
		EndpointKeepAlive{NewHome: true, Server: 1, Handle: "abc", ID: 2},
		EndpointKeepAliveAck{Handle: "abc", ID: 2},
		EndpointUnreachable{Handle: "abc", ID: 2},
		ServerAnnounce{Server: 1},
		ServerAnnounce{Server: 1, Transports: wiretest.Transports()[1:4]},
		Cookie{Data: []byte("12345")},
		Cookie{},
		CookieEcho{Data: make([]byte, 60_000)},
		BusinessCard{Handle: "abc", Elements: elements},
		Error{Causes: causes},
	}
	for _, e := range elements {
		list = append(list, Registration{Handle: "pool", Element: e})
	}
	return list
}

// Parse(Append(m)) is m, behind whatever the buffer had already, and on the
// wire it is a multiple of 4 bytes with less than 4 of padding (COM-4-02).
func TestRoundTrip(t *testing.T) {
	seen := map[Type]bool{}
	for _, m := range samples() {
		seen[m.Type()] = true
		codec.CheckRoundTrip(t, m)
	}
	for typ := TypeRegistration; typ <= TypeError; typ++ {
		if !seen[typ] {
			t.Errorf("no sample of %v", typ)
		}
	}
}

func TestEveryPrefixFails(t *testing.T) {
	parse := func(b []byte) error { _, _, err := Parse(b); return err }
	for _, m := range []Message{
		Registration{Handle: "abc", Element: wiretest.Elements()[0]},
		Deregistration{Handle: "abc", ID: 1},
		RegistrationResponse{Handle: "abc", ID: 1},
		DeregistrationResponse{Handle: "abc", ID: 1},
		HandleResolution{Handle: "a"},
		HandleResolutionResponse{Handle: "a"},
		EndpointKeepAlive{Handle: "a"},
		EndpointKeepAliveAck{Handle: "abc", ID: 1},
		EndpointUnreachable{Handle: "abc", ID: 1},
		ServerAnnounce{Server: 1},
		Cookie{},
		CookieEcho{},
		BusinessCard{Handle: "abc", Elements: wiretest.Elements()[:1]},
		Error{Causes: []protocol.Cause{{Code: 9}}},
	} {
		b, err := Append(nil, m)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(m.Type().String(), func(t *testing.T) { wiretest.EveryPrefixFails(t, b, parse) })
	}
}

// golden are messages as RSPLIB 3.5.10 sends them; strict is the form of the
// RFC where that differs, and what we send (COM-2-01, COM-2-02, COM-3-10).
func golden() []codectest.Golden[Message] {
	v4, v6 := wiretest.V4, wiretest.V6
	e := protocol.Element{
		ID: 0x01020304, Life: 0x493e0,
		User:   protocol.Transport{Protocol: protocol.SCTP, Port: 7777, Use: protocol.DataAndControl, Addrs: []netip.Addr{v4, v6}},
		Policy: protocol.Policy{Type: protocol.RoundRobin},
	}
	list := []struct {
		m             Message
		strict, other string
	}{
		{Registration{Handle: "abc", Element: e},
			`01000048 00090007 61626300 000a003c 01020304 00000000 000493e0 00040024 1e610001 00010008 c0000201
			00020014 20010db8 00000000 00000000 00000001 00080008 00000001`, ""},
		{RegistrationResponse{Handle: "abc", ID: 0x01020304}, "03000014 00090007 61626300 000e0008 01020304", ""},
		{RegistrationResponse{Rejected: true, Handle: "abc", ID: 0x01020304, Causes: []protocol.Cause{{Code: protocol.CauseInconsistentPolicy}}},
			"0301001c 00090007 61626300 000e0008 01020304 000c0008 00050004", ""},
		{Deregistration{Handle: "abc", ID: 0x01020304}, "02000014 00090007 61626300 000e0008 01020304", ""},
		{HandleResolution{Handle: "abc"}, "0500000b 00090007 61626300", "0500000c 00090007 61626300"},
		{HandleResolution{Handle: "abc", Items: 5}, "05000014 00090007 61626300 803f0008 00000005", ""},
		{HandleResolutionResponse{Handle: "abc", Causes: []protocol.Cause{{Code: protocol.CauseUnknownPoolHandle}}},
			"06000014 00090007 61626300 000c0008 00090004", ""},
		{EndpointKeepAlive{NewHome: true, Server: 0xaabbccdd, Handle: "abc"}, "0701000f aabbccdd 00090007 61626300", ""},
		{EndpointKeepAlive{NewHome: true, Server: 0xaabbccdd, Handle: "abc", ID: 0x01020304},
			"07010018 aabbccdd 00090007 61626300 000e0008 01020304", ""},
		{EndpointKeepAliveAck{Handle: "abc", ID: 0x01020304}, "08000014 00090007 61626300 000e0008 01020304", ""},
		{EndpointUnreachable{Handle: "abc", ID: 0x01020304}, "09000014 00090007 61626300 000e0008 01020304", ""},
		{ServerAnnounce{Server: 0xaabbccdd}, "0a000008 aabbccdd", ""},
		{Cookie{Data: []byte("12345")}, "0b00000d 000d0009 31323334 35000000", "0b000010 000d0009 31323334 35000000"},
		{CookieEcho{Data: []byte("12345")}, "0c00000d 000d0009 31323334 35000000", "0c000010 000d0009 31323334 35000000"},
		{Error{Causes: []protocol.Cause{{Code: protocol.CauseUnrecognizedParameter, Info: []byte{0x40, 0x77, 0x00, 0x05, 0x99}}}},
			"0e000011 000c000d 00010009 40770005 99000000", "0e000014 000c000d 00010009 40770005 99000000"},
	}
	out := make([]codectest.Golden[Message], len(list))
	for i, g := range list {
		out[i] = codectest.Golden[Message]{Message: g.m, Strict: g.strict, Other: g.other}
	}
	return out
}

func TestGolden(t *testing.T) {
	for _, g := range golden() {
		codec.CheckGolden(t, g)
	}
}

// COM-4-01: flags that a type does not define are ignored, and those of
// others are not mistaken for its own.
func TestUndefinedFlags(t *testing.T) {
	for _, m := range samples() {
		b, _ := Append(nil, m)
		b[1] |= 0xfe
		switch m.(type) {
		case Registration, Deregistration, DeregistrationResponse, EndpointKeepAliveAck, EndpointUnreachable, ServerAnnounce,
			Cookie, CookieEcho, BusinessCard, Error:
			b[1] = 0xff
		}
		got, _, err := Parse(b)
		if diff := cmp.Diff(m, got, codectest.Same); diff != "" || err != nil {
			t.Errorf("%v: %v\n%s", m, err, diff)
		}
	}
}

func TestUnknownMessages(t *testing.T) {
	for _, c := range []struct {
		messageType byte
		reported    int
	}{{0x00, 0}, {0x0f, 0}, {0x11, 0}, {0x41, 1}, {0x81, 0}, {0xc1, 0}, {0xff, 0}} { // COM-4-04 to COM-4-06
		b := []byte{c.messageType, 0, 0, 5, 1, 0, 0, 0}
		m, report, err := Parse(b)
		var e *wire.Error
		if m != nil || !errors.As(err, &e) || e.Reason != wire.UnknownMessage || len(report) != c.reported {
			t.Errorf("type %#02x: %v, %v, reported %v", c.messageType, m, err, report)
		}
		if c.reported == 1 && !bytes.Equal(report[0].Info, b[:5]) {
			t.Errorf("type %#02x: reported %x", c.messageType, report[0].Info) // COM-3.12-03
		}
	}
}

// Unknown parameters are reported beside the message and beside the error
// (COM-3-02, COM-3-04), but never to somebody who sent an ASAP_ERROR
// (ASAP-2.2.14-01, ASAP-2.2.14-02).
func TestReport(t *testing.T) {
	for _, c := range []struct {
		name, dump string
		parses     bool
		reported   int
	}{
		{"skip and report", "05000014 00090007 61626300 c0770005 99000000", true, 1},
		{"drop and report", "05000014 00090007 61626300 40770005 99000000", false, 1},
		{"skip and report, then invalid", "05000010 c0770005 99000000 00090004", false, 1},
		{"skip and report in an error", "0e000014 000c0008 00090004 c0770005 99000000", true, 0},
		{"drop and report in an error", "0e000014 000c0008 00090004 40770005 99000000", false, 0},
	} {
		m, report, err := Parse(wiretest.Hex(t, c.dump))
		if (m != nil) != c.parses || (err == nil) != c.parses || len(report) != c.reported {
			t.Errorf("%s: %v, %v, reported %v", c.name, m, err, report)
		}
	}
}

// An invalid registration can be refused: R=1, cause 0x3 (ASAP-3.1-25, POL-7-01).
func TestRefusingAnInvalidRegistration(t *testing.T) {
	_, report, err := Parse(wiretest.Hex(t, `01000034 00090007 61626300
		000a0028 01020304 00000000 0000012c 00040010 1e610002 00010008 c0000201 00080008 00000001`))
	var e *wire.Error
	if !errors.As(err, &e) || e.Reason != wire.Invalid || Type(e.Type) != TypeRegistration || !e.HasID || report != nil {
		t.Fatalf("%#v, reported %v", err, report)
	}
	want := "ASAP_REGISTRATION: Pool Element: SCTP Transport: Transport Use is 0x0002, only 0 (data) and 1 (data plus control) exist"
	if e.Error() != want {
		t.Errorf("error reads %q", e)
	}
	b, err := Append(nil, RegistrationResponse{Rejected: true, Handle: e.Handle, ID: e.ID, Causes: []protocol.Cause{e.Cause()}})
	if diff := cmp.Diff(wiretest.Hex(t, `0301002c 00090007 61626300 000e0008 01020304
		000c0018 00030014 00040010 1e610002 00010008 c0000201`), b); diff != "" || err != nil {
		t.Error(err, diff)
	}
}

// ASAP-2.2.10-01: other transports in an announcement are ignored.
func TestAnnounceWithOtherTransports(t *testing.T) {
	m, _, err := Parse(wiretest.Hex(t, `0a000028 aabbccdd
		00060010 00350000 00010008 c0000201 00040010 0f170000 00010008 c0000201`))
	if a, ok := m.(ServerAnnounce); !ok || err != nil || len(a.Transports) != 1 || a.Transports[0].Protocol != protocol.SCTP {
		t.Errorf("%v, %v", m, err)
	}
}

// ASAP-2.2.6-06, E-17: negative is who has causes, even cause 0x0; and a
// response may have neither elements nor causes.
func TestResolutionResponses(t *testing.T) {
	for dump, causes := range map[string]int{
		"06000014 00090007 61626300 000c0008 00000004": 1,
		"0600000b 00090007 61626300":                   0,
	} {
		m, _, err := Parse(wiretest.Hex(t, dump))
		if r, ok := m.(HandleResolutionResponse); !ok || err != nil || len(r.Causes) != causes || r.HasPolicy || r.Elements != nil {
			t.Errorf("%s: %v, %v", dump, m, err)
		}
	}
}

// ASAP-2.2.6-07: the longest list that fits into 65,535 bytes.
func TestFit(t *testing.T) {
	e := wiretest.Elements()[0]
	for _, n := range []int{0, 1, 1000, 3000} {
		for _, handle := range []string{"a", strings.Repeat("h", 32), strings.Repeat("h", 65_000)} {
			m := HandleResolutionResponse{Handle: protocol.PoolHandle(handle), HasPolicy: true, Policy: e.Policy}
			for range n {
				m.Elements = append(m.Elements, e)
			}
			fit := m.Fit()
			if _, err := Append(nil, fit); err != nil {
				t.Errorf("%d elements, %d byte handle: %v", n, len(handle), err)
			}
			if len(fit.Elements) == n {
				continue
			}
			m.Elements = m.Elements[:len(fit.Elements)+1]
			if _, err := Append(nil, m); err == nil {
				t.Errorf("%d elements, %d byte handle: cut to %d, one more fits", n, len(handle), len(fit.Elements))
			}
		}
	}
}

// What cannot be encoded leaves the buffer as it was.
func TestAppendFails(t *testing.T) {
	long := make([]byte, 65_535)
	for _, m := range []Message{
		Deregistration{},
		Cookie{Data: long[:65_535-7]},
		Deregistration{Handle: protocol.PoolHandle(long)},
		Registration{Handle: "abc"},
		ServerAnnounce{Transports: wiretest.Transports()[4:5]},
		BusinessCard{Handle: "abc"},
		Error{},
		Error{Causes: []protocol.Cause{{Code: 1, Info: long}}},
	} {
		if b, err := Append([]byte("before"), m); err == nil || string(b) != "before" {
			t.Errorf("%v: %d bytes, %v", m, len(b), err)
		}
	}
	if _, err := Append(nil, Cookie{Data: long[:65_535-8]}); err != nil {
		t.Errorf("the longest cookie: %v", err)
	}
}

func TestString(t *testing.T) {
	for _, c := range []struct {
		m    Message
		want string
	}{
		{Registration{Handle: "a\x00", Element: wiretest.Elements()[1]},
			`ASAP_REGISTRATION "a\x00" PE 0x01020305 home 0xaabbccdd life 0s, SCTP 192.0.2.1 port 7777, WRR weight 3, ASAP at SCTP 192.0.2.1 port 50000`},
		{RegistrationResponse{Rejected: true, Handle: "abc", ID: 1, Causes: []protocol.Cause{{Code: 6}, {Code: 3, Info: []byte("12")}}},
			`ASAP_REGISTRATION_RESPONSE "abc" PE 0x00000001 rejected: lack of resources, invalid values (2 bytes)`},
		{RegistrationResponse{Handle: "abc", ID: 1}, `ASAP_REGISTRATION_RESPONSE "abc" PE 0x00000001 granted`},
		{Deregistration{Handle: "abc", ID: 1}, `ASAP_DEREGISTRATION "abc" PE 0x00000001`},
		{DeregistrationResponse{Handle: "abc", ID: 1}, `ASAP_DEREGISTRATION_RESPONSE "abc" PE 0x00000001`},
		{HandleResolution{Subscribe: true, Handle: "abc", Items: 5}, `ASAP_HANDLE_RESOLUTION "abc" 5 items subscribe`},
		{HandleResolution{Handle: protocol.PoolHandle(strings.Repeat("h", 99)), Items: AllItems},
			`ASAP_HANDLE_RESOLUTION "` + strings.Repeat("h", 40) + `" all items`},
		{HandleResolutionResponse{Handle: "abc", HasPolicy: true, Policy: wiretest.Policies()[1], Elements: wiretest.Elements()[:2], UpdatesAccepted: true},
			`ASAP_HANDLE_RESOLUTION_RESPONSE "abc" WRR 2 PEs updates accepted`},
		{EndpointKeepAlive{NewHome: true, Server: 1, Handle: "abc", ID: 2},
			`ASAP_ENDPOINT_KEEP_ALIVE "abc" from registrar 0x00000001 for PE 0x00000002 as new home`},
		{EndpointKeepAliveAck{Handle: "abc", ID: 2}, `ASAP_ENDPOINT_KEEP_ALIVE_ACK "abc" PE 0x00000002`},
		{EndpointUnreachable{Handle: "abc", ID: 2}, `ASAP_ENDPOINT_UNREACHABLE "abc" PE 0x00000002`},
		{ServerAnnounce{Server: 1, Transports: wiretest.Transports()[2:3]},
			`ASAP_SERVER_ANNOUNCE registrar 0x00000001, SCTP 192.0.2.1,2001:db8::1 port 7777 data+control`},
		{Cookie{Data: []byte("12345")}, `ASAP_COOKIE 5 bytes`},
		{CookieEcho{}, `ASAP_COOKIE_ECHO 0 bytes`},
		{BusinessCard{Handle: "abc", Elements: wiretest.Elements()[:2]}, `ASAP_BUSINESS_CARD "abc" 2 PEs`},
		{Error{Causes: []protocol.Cause{{Code: 0xf006}}}, `ASAP_ERROR: cause 0xf006`},
	} {
		if got := c.m.String(); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
	if got := Type(0x41).String(); got != "ASAP message type 0x41" {
		t.Error(got)
	}
}
