package enrp

import (
	"bytes"
	"errors"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire"
	"github.com/librserpool/librserpool/core/internal/wire/wiretest"
	"github.com/librserpool/librserpool/core/internal/wire/wiretest/codectest"
)

var (
	direct = Route{Sender: 0xaabbccdd, Receiver: 0x11223344}
	toAll  = Route{Sender: 0xaabbccdd}
	server = protocol.Server{ID: 0xaabbccdd, Transport: protocol.Transport{
		Protocol: protocol.SCTP, Port: 50000, Addrs: []netip.Addr{wiretest.V4}}}
)

var codec = codectest.Codec[Message]{
	Parse: Parse, Append: Append, Error: func(causes []protocol.Cause) Message { return Error{direct, causes} },
}

// samples holds every message in its variants.
func samples() []Message {
	elements := wiretest.Elements()
	dual := protocol.Server{ID: 7, Transport: wiretest.Transports()[2]}
	list := []Message{
		Presence{Route: toAll},
		Presence{Route: direct, HasChecksum: true, Checksum: 0x3797},
		Presence{Route: direct, ReplyRequired: true, HasChecksum: true, Checksum: 0xffff, HasServer: true, Server: server},
		Presence{Route: direct, HasServer: true, Server: dual},
		HandleTableRequest{Route: direct},
		HandleTableRequest{Route: direct, OwnChildrenOnly: true},
		HandleTableResponse{Route: direct},
		HandleTableResponse{Route: direct, Rejected: true},
		HandleTableResponse{Route: direct, More: true, Entries: []PoolEntry{
			{Handle: "abc", Elements: elements}, {Handle: "a", Elements: elements[:1]}, {Handle: "abc", Elements: elements[1:2]}}},
		ListRequest{direct},
		ListResponse{Route: direct},
		ListResponse{Route: direct, Rejected: true},
		ListResponse{Route: direct, Servers: []protocol.Server{server, dual}},
		InitTakeover{toAll, 0x55667788},
		InitTakeoverAck{direct, 0x55667788},
		TakeoverServer{toAll, 0x55667788},
		Error{direct, wiretest.Causes()},
	}
	for i, e := range elements {
		list = append(list, HandleUpdate{Route: toAll, Action: Action(i % 2), Handle: "pool", Element: e})
	}
	return list
}

// Parse(Append(m)) is m, and keeps nothing of the buffer.
func TestRoundTrip(t *testing.T) {
	seen := map[Type]bool{}
	for _, m := range samples() {
		seen[m.Type()] = true
		codec.CheckRoundTrip(t, m) // COM-4-02
	}
	for typ := TypePresence; typ <= TypeError; typ++ {
		if !seen[typ] {
			t.Errorf("no sample of %v", typ)
		}
	}
}

func TestEveryPrefixFails(t *testing.T) {
	parse := func(b []byte) error { _, _, err := Parse(b); return err }
	for _, m := range []Message{
		Presence{Route: toAll},
		HandleTableRequest{Route: direct},
		HandleTableResponse{Route: direct},
		HandleUpdate{Route: toAll, Handle: "abc", Element: wiretest.Elements()[1]},
		ListRequest{direct},
		ListResponse{Route: direct},
		InitTakeover{toAll, 1},
		InitTakeoverAck{toAll, 1},
		TakeoverServer{toAll, 1},
		Error{direct, []protocol.Cause{{Code: 9}}},
	} {
		b, err := Append(nil, m)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(m.Type().String(), func(t *testing.T) { wiretest.EveryPrefixFails(t, b, parse) })
	}
}

// golden are messages as RSPLIB 3.5.10 sends them; strict is what the RFC says
// where that differs, and what we send.
func golden() []codectest.Golden[Message] {
	e := protocol.Element{
		ID: 0x01020304, Home: 0xaabbccdd, Life: 0x493e0,
		User: protocol.Transport{Protocol: protocol.SCTP, Port: 7777, Use: protocol.DataAndControl,
			Addrs: []netip.Addr{wiretest.V4, wiretest.V6}},
		Policy: protocol.Policy{Type: protocol.RoundRobin},
		ASAP:   server.Transport,
	}
	list := []struct {
		m             Message
		strict, other string
	}{
		{Presence{Route: direct, ReplyRequired: true, HasChecksum: true, Checksum: 0xffff, HasServer: true, Server: server},
			"0101002c aabbccdd 11223344 000f0006 ffff0000 000b0018 aabbccdd 00040010 c3500000 00010008 c0000201", ""},
		{HandleTableRequest{Route: direct, OwnChildrenOnly: true}, "0201000c aabbccdd 11223344", ""},
		{HandleUpdate{Route: toAll, Action: DelPE, Handle: "abc", Element: e},
			`04000064 aabbccdd 00000000 00010000 00090007 61626300 000a004c 01020304 aabbccdd 000493e0
			00040024 1e610001 00010008 c0000201 00020014 20010db8 00000000 00000000 00000001 00080008 00000001
			00040010 c3500000 00010008 c0000201`, ""},
		{ListRequest{direct}, "0500000c aabbccdd 11223344", ""},
		{InitTakeover{toAll, 0x55667788}, "07000010 aabbccdd 00000000 55667788", ""},
		{Presence{Route: direct, HasChecksum: true, Checksum: 0x3797},
			"01000012 aabbccdd 11223344 000f0006 37970000", "01000014 aabbccdd 11223344 000f0006 37970000"},
		{Error{direct, []protocol.Cause{{Code: protocol.CauseUnrecognizedParameter, Info: []byte{0x40, 0x77, 0x00, 0x05, 0x99}}}},
			"0a000019 aabbccdd 11223344 000c000d 00010009 40770005 99000000", "0a00001c aabbccdd 11223344 000c000d 00010009 40770005 99000000"},
	}
	out := make([]codectest.Golden[Message], len(list))
	for i, g := range list {
		out[i] = codectest.Golden[Message]{Message: g.m, Strict: g.strict, Other: g.other}
	}
	return out
}

// COM-2-01, COM-2-02, COM-3-10, ENRP-2.1-03.
func TestGolden(t *testing.T) {
	for _, g := range golden() {
		codec.CheckGolden(t, g)
	}
}

// COM-4-01, E-01: undefined flags and the reserved field of HANDLE_UPDATE mean
// nothing (ENRP-2.4-01); RSPLIB sets flag 0x01 there.
func TestUndefinedFlags(t *testing.T) {
	for _, m := range samples() {
		b, _ := Append(nil, m)
		switch m.(type) {
		case HandleTableResponse:
			b[1] |= 0xfc
		case Presence, HandleTableRequest, ListResponse:
			b[1] |= 0xfe
		case HandleUpdate:
			b[1], b[14], b[15] = 0xff, 0xff, 0xff
		default:
			b[1] = 0xff
		}
		got, _, err := Parse(b)
		if diff := cmp.Diff(m, got, codectest.Same); diff != "" || err != nil {
			t.Errorf("%v: %v\n%s", m, err, diff)
		}
	}
}

// ENRP-2.3-03, ENRP-2.3-02: how pool entries are put together.
func TestTableEntries(t *testing.T) {
	const (
		head = "aabbccdd 11223344"
		abc  = "00090007 61626300"
		x    = "00090005 78000000"
		pe   = "000a0028 01020304 aabbccdd 0000012c 00040010 1e610000 00010008 c0000201 00080008 00000001"
	)
	for _, c := range []struct {
		name, dump string
		want       []int // elements of each entry
		fails      bool
	}{
		{"none", "0302000c" + head, nil, false},
		{"two pools", "03000074" + head + abc + pe + x + pe, []int{1, 1}, false},
		{"one pool of two", "03000064" + head + abc + pe + pe, []int{2}, false},
		{"repeated handle", "0300006c" + head + abc + pe + abc + pe, []int{1, 1}, false},
		{"handle without elements", "03000044" + head + x + abc + pe, []int{1}, false},
		{"handle at the end", "0300003c" + head + abc + pe, []int{1}, false},
		{"strange parameter between", "03000044" + head + abc + "000e0008 00000001" + pe, []int{1}, false},
		{"element before any handle", "03000034" + head + pe, nil, true},
	} {
		b := wiretest.Hex(t, c.dump)
		b[2], b[3] = byte(len(b)>>8), byte(len(b))
		m, _, err := Parse(b)
		if (err != nil) != c.fails {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if c.fails {
			continue
		}
		var got []int
		for _, e := range m.(HandleTableResponse).Entries {
			got = append(got, len(e.Elements))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// The errors say who sent the message, and which pool and PE it was about.
func TestErrors(t *testing.T) {
	const element = "00090007 61626300 000a0028 01020304 aabbccdd 0000012c 00040010 1e610000 00010008 c0000201 00080008 00000001"
	for _, c := range []struct {
		name, dump string
		reason     wire.Reason
		sender     protocol.ServerID
		handle     protocol.PoolHandle
		reported   int
		detail     string
	}{
		{"shorter than the route", "0500000b aabbccdd 112233", wire.Invalid, 0, "", 0, "ENRP_LIST_REQUEST: message length is 11, must be at least 12"},
		{"shorter than the target", "0700000c aabbccdd 00000000", wire.Invalid, 0xaabbccdd, "", 0, "ENRP_INIT_TAKEOVER: message length is 12, must be at least 16"},
		{"length too long", "05000010 aabbccdd 11223344", wire.Framing, 0, "", 0, "message length is 16, but only 12 bytes arrived"},
		{"unknown message 01", "4100000c aabbccdd 11223344", wire.UnknownMessage, 0xaabbccdd, "", 1, "ENRP message type 0x41: nobody has defined this message type"},
		{"unknown message 00", "0b00000c aabbccdd 11223344", wire.UnknownMessage, 0xaabbccdd, "", 0, "ENRP message type 0x0b: nobody has defined this message type"},
		{"unknown parameter 00", "05000010 aabbccdd 11223344 00770004", wire.UnknownParameter, 0xaabbccdd, "", 0, "ENRP_LIST_REQUEST: parameter type 0x0077: not known, and its type forbids to process the message"},
		{"unknown parameter 01", "07000014 aabbccdd 11223344 55667788 40770004", wire.UnknownParameter, 0xaabbccdd, "", 1, "ENRP_INIT_TAKEOVER: parameter type 0x4077: not known, and its type forbids to process the message"},
		{"unknown parameter in an error", "0a000018 aabbccdd 11223344 000c0008 00090004 40770004", wire.UnknownParameter, 0xaabbccdd, "", 0, "ENRP_ERROR: parameter type 0x4077: not known, and its type forbids to process the message"},
		{"update action 2", "04000040 aabbccdd 00000000 00020000" + element, wire.Invalid, 0xaabbccdd, "", 0, "ENRP_HANDLE_UPDATE: Update Action is 0x0002, only 0 (ADD_PE) and 1 (DEL_PE) exist"}, // ENRP-2.4-01
		{"update without element", "04000018 aabbccdd 00000000 00000000 00090007 61626300", wire.Invalid, 0xaabbccdd, "abc", 0, "ENRP_HANDLE_UPDATE: the Pool Element is missing"},
		{"error without causes", "0a00000c aabbccdd 00000000", wire.Invalid, 0xaabbccdd, "", 0, "ENRP_ERROR: the Operation Error is missing"},
		{"checksum too long", "01000014 aabbccdd 00000000 000f0008 ffff0000", wire.Invalid, 0xaabbccdd, "", 0, "ENRP_PRESENCE: PE Checksum: length is 8, must be 6"},
	} {
		m, report, err := Parse(wiretest.Hex(t, c.dump))
		var e *wire.Error
		if m != nil || !errors.As(err, &e) {
			t.Errorf("%s: %v, %v", c.name, m, err)
			continue
		}
		if e.Reason != c.reason || e.Sender != c.sender || e.Handle != c.handle || len(report) != c.reported || e.Error() != c.detail {
			t.Errorf("%s: %#v, reported %v", c.name, e, report)
		}
	}
}

// ENRP-2.1-05: checksum and server information may be missing, and stand in
// any order (COM-3-12).
func TestPresence(t *testing.T) {
	const head, sum, info = "aabbccdd 11223344", "000f0006 37970000", "000b0018 aabbccdd 00040010 c3500000 00010008 c0000201"
	for dump, want := range map[string]Presence{
		"0100000c" + head:              {Route: direct},
		"01000014" + head + sum:        {Route: direct, HasChecksum: true, Checksum: 0x3797},
		"01000024" + head + info:       {Route: direct, HasServer: true, Server: server},
		"0101002a" + head + info + sum: {Route: direct, ReplyRequired: true, HasChecksum: true, Checksum: 0x3797, HasServer: true, Server: server},
	} {
		m, _, err := Parse(wiretest.Hex(t, dump))
		if diff := cmp.Diff(Message(want), m, codectest.Same); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", dump, err, diff)
		}
	}
}

// Unknown parameters that may be skipped are reported beside the message.
func TestReport(t *testing.T) {
	m, report, err := Parse(wiretest.Hex(t, "07000014 aabbccdd 00000000 55667788 c0770004"))
	want := InitTakeover{toAll, 0x55667788}
	if m != want || err != nil || len(report) != 1 || !bytes.Equal(report[0].Info, []byte{0xc0, 0x77, 0, 4}) {
		t.Errorf("%v, %v, reported %v", m, err, report)
	}
}

func TestAppendFails(t *testing.T) {
	element := wiretest.Elements()[0]
	for _, m := range []Message{
		Presence{HasServer: true},
		Presence{HasServer: true, Server: protocol.Server{Transport: wiretest.Transports()[3]}},
		HandleUpdate{Action: 2, Handle: "abc", Element: element},
		HandleUpdate{Element: element},
		HandleTableResponse{Entries: []PoolEntry{{Handle: "abc"}}},
		ListResponse{Servers: make([]protocol.Server, 1)},
		Error{},
	} {
		if b, err := Append([]byte("before"), m); err == nil || string(b) != "before" {
			t.Errorf("%v: %x, %v", m, b, err)
		}
	}
}

func TestString(t *testing.T) {
	for _, c := range []struct {
		m    Message
		want string
	}{
		{Presence{Route: direct, ReplyRequired: true, HasChecksum: true, Checksum: 0xffff, HasServer: true, Server: server},
			"ENRP_PRESENCE from 0xaabbccdd to 0x11223344 reply required checksum 0xffff, registrar 0xaabbccdd at SCTP 192.0.2.1 port 50000"},
		{HandleTableRequest{toAll, true}, "ENRP_HANDLE_TABLE_REQUEST from 0xaabbccdd own children only"},
		{HandleTableResponse{toAll, true, true, []PoolEntry{{"abc", wiretest.Elements()[:2]}}},
			"ENRP_HANDLE_TABLE_RESPONSE from 0xaabbccdd 1 pools 2 PEs rejected more to come"},
		{HandleUpdate{toAll, DelPE, "abc", wiretest.Elements()[0]},
			`ENRP_HANDLE_UPDATE from 0xaabbccdd DEL_PE "abc" PE 0x01020304 home 0xaabbccdd life -5m0s, DCCP 2001:db8::1 port 1 service 0x63686174, RR`},
		{ListRequest{direct}, "ENRP_LIST_REQUEST from 0xaabbccdd to 0x11223344"},
		{ListResponse{toAll, true, []protocol.Server{server}}, "ENRP_LIST_RESPONSE from 0xaabbccdd rejected, registrar 0xaabbccdd at SCTP 192.0.2.1 port 50000"},
		{InitTakeover{toAll, 1}, "ENRP_INIT_TAKEOVER from 0xaabbccdd of registrar 0x00000001"},
		{InitTakeoverAck{toAll, 1}, "ENRP_INIT_TAKEOVER_ACK from 0xaabbccdd of registrar 0x00000001"},
		{TakeoverServer{toAll, 1}, "ENRP_TAKEOVER_SERVER from 0xaabbccdd of registrar 0x00000001"},
		{Error{toAll, []protocol.Cause{{Code: 9}}}, "ENRP_ERROR from 0xaabbccdd, unknown pool handle"},
	} {
		if got := c.m.String(); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
	if got := Action(2).String(); got != "action 0x0002" {
		t.Error(got)
	}
}
