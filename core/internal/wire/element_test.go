package wire

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/wiretest"
)

// RFC 5354 section 3.10.
func TestParseElement(t *testing.T) {
	const (
		fixed = " 01020304 aabbccdd ffffffff "
		user  = "00040010 1e610001 00010008 c0000201 "
		tcp   = "00050010 00500000 00010008 c0000201 "
		asap  = "00040010 c3500000 00010008 c0000201 "
		rr    = "00080008 00000001 "
	)
	bare := protocol.Element{
		ID: 0x01020304, Home: 0xaabbccdd, Life: protocol.LifeInfinite, // COM-3.10-03
		User:   protocol.Transport{Protocol: protocol.SCTP, Port: 7777, Use: protocol.DataAndControl, Addrs: []netip.Addr{wiretest.V4}},
		Policy: protocol.Policy{Type: protocol.RoundRobin},
	}
	full := bare
	full.ASAP = protocol.Transport{Protocol: protocol.SCTP, Port: 50000, Addrs: []netip.Addr{wiretest.V4}}
	for _, c := range []struct {
		name, dump string
		want       protocol.Element
		fails      string
	}{
		{"bare", "000a0028" + fixed + user + rr, bare, ""},
		{"with ASAP transport, COM-3.10-05", "000a0038" + fixed + user + rr + asap, full, ""},
		{"policy first, COM-3-12", "000a0038" + fixed + rr + user + asap, full, ""},
		{"known but strange inside, COM-3-11", "000a0030" + fixed + user + "00090007 61626300" + rr, bare, ""},
		{"two user transports, COM-3.10-01", "000a0038" + fixed + user + user + rr, bare, "second User Transport"},
		{"two ASAP transports", "000a0048" + fixed + user + rr + asap + asap, bare, "second ASAP Transport"},
		{"ASAP over TCP, COM-3.10-04", "000a0038" + fixed + user + rr + tcp, bare, "always SCTP"},
		{"no policy, COM-3.10-06", "000a0020" + fixed + user, bare, "Policy is missing"},
		{"two policies", "000a0030" + fixed + user + rr + rr, bare, "twice"},
		{"no transport, COM-3.10-01", "000a0018" + fixed + rr, bare, "User Transport is missing"},
		{"garbage at the end, COM-3.10-06", "000a002b" + fixed + user + rr + "000000 00", bare, "too short"},
		{"too short", "000a000f 01020304 aabbccdd ffffff00", bare, "length is 15"},
		{"inner length too long", "000a0028" + fixed + user + "0008000c 00000002", bare, "length 12"},
	} {
		got, err := parseOne(t, c.dump, ParseElement)
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

// An element whose last parameter is not a multiple of 4: the padding is
// between elements but not in the length of the one before (COM-2-02), and may
// be counted all the same on receipt (COM-3-10).
func TestPaddingBetweenElements(t *testing.T) {
	e := protocol.Element{
		ID: 1, Life: 300,
		User:   protocol.Transport{Protocol: protocol.Opaque, Opaque: "x"},
		Policy: protocol.Policy{Type: 0xb0001001, Private: "y"},
	}
	w := Begin(nil, 0x0d)
	w.Element(e)
	w.Element(e)
	b, err := w.Finish()
	const inner = "00000001 00000000 0000012c 00100005 78000000 00080009 b0001001 79"
	want := wiretest.Hex(t, "0d000049 000a0021"+inner+"000000 000a0021"+inner+"000000")
	if diff := cmp.Diff(want, b); diff != "" || err != nil {
		t.Error(err, diff)
	}
	layout := Layout{Many: SetOf(ParamPoolElement)}
	for _, dump := range []string{
		"000a0021" + inner + "000000 000a0021" + inner,
		"000a0021" + inner + "000000 000a0021" + inner + "ffffff", // COM-3-08
		"000a0024" + inner + "000000 000a0024" + inner + "000000",
		"000a0024" + inner + "ffffff 000a0021" + inner + "ffffff",
	} {
		p, err := layout.Parse(wiretest.Hex(t, dump), new(Report))
		if diff := cmp.Diff([]protocol.Element{e, e}, p.Elements, sameAddrs); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", dump, err, diff)
		}
	}
}

// COM-3.10-04.
func TestElementThatCannotBeSent(t *testing.T) {
	good := wiretest.Elements()[1]
	for name, spoil := range map[string]func(*protocol.Element){
		"no user transport":  func(e *protocol.Element) { e.User = protocol.Transport{} },
		"no policy":          func(e *protocol.Element) { e.Policy = protocol.Policy{} },
		"ASAP transport TCP": func(e *protocol.Element) { e.ASAP.Protocol = protocol.TCP },
	} {
		e := good
		spoil(&e)
		w := Begin(nil, 1)
		w.Element(e)
		if _, err := w.Finish(); err == nil {
			t.Errorf("%s: can be sent", name)
		}
	}
}

// RFC 5354 section 3.11, COM-3.11-01.
func TestParseServer(t *testing.T) {
	const sctp = "00040010 c3500000 00010008 c0000201"
	want := protocol.Server{ID: 0xaabbccdd, Transport: protocol.Transport{Protocol: protocol.SCTP, Port: 50000, Addrs: []netip.Addr{wiretest.V4}}}
	got, err := parseOne(t, "000b0018 aabbccdd"+sctp, parseServer)
	if diff := cmp.Diff(want, got, sameAddrs); diff != "" || err != nil {
		t.Error(err, diff)
	}
	for name, dump := range map[string]string{
		"no transport":   "000b0008 aabbccdd",
		"TCP":            "000b0018 aabbccdd 00050010 c3500000 00010008 c0000201",
		"two transports": "000b0028 aabbccdd" + sctp + sctp,
		"too short":      "000b0006 aabb0000",
	} {
		if _, err := parseOne(t, dump, parseServer); reason(err) != Invalid {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}
