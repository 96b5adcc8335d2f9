package wire

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/wiretest"
)

// registration is the layout most tests use.
var registration = Layout{Need: SetOf(ParamPoolHandle, ParamPoolElement)}

const (
	handleABC = "00090007 61626300"
	elementRR = "000a0028 01020304 00000000 0000012c 00040010 1e610000 00010008 c0000201 00080008 00000001"
)

func reason(err error) Reason {
	var e *Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return 0
}

// class is one of the four kinds of unknown parameters: what they look like,
// and what becomes of the message.
type class struct {
	dump     string
	dropped  bool
	reported bool
}

var classes = []class{
	{"00770005 99000000", true, false},  // COM-3-01
	{"40770005 99000000", true, true},   // COM-3-02
	{"80770005 99000000", false, false}, // COM-3-03
	{"c0770005 99000000", false, true},  // COM-3-04, COM-3.12-02
	{"00000005 99000000", true, false},  // reserved
	{"c0090005 99000000", false, true},  // the bits belong to the type: not a handle
	{"ffff0005 99000000", false, true},  // reserved
}

func (c class) check(t *testing.T, where, dump string) {
	t.Helper()
	var r Report
	p, err := registration.Parse(wiretest.Hex(t, dump), &r)
	want := Reason(0)
	if c.dropped {
		want = UnknownParameter
	}
	if reason(err) != want {
		t.Errorf("%s %s: error %v", c.dump[:4], where, err)
	}
	if err == nil && (p.Handle != "abc" || p.Elements[0].ID != 0x01020304) {
		t.Errorf("%s %s: read %+v", c.dump[:4], where, p)
	}
	var reported [][]byte
	for _, cause := range r.Causes {
		if cause.Code != protocol.CauseUnrecognizedParameter {
			t.Errorf("%s %s: cause %v", c.dump[:4], where, cause)
		}
		reported = append(reported, cause.Info)
	}
	var wanted [][]byte
	if c.reported {
		wanted = [][]byte{wiretest.Hex(t, c.dump)[:5]} // the complete TLV, without padding
	}
	if !slices.EqualFunc(reported, wanted, slices.Equal) {
		t.Errorf("%s %s: reported %x, want %x", c.dump[:4], where, reported, wanted)
	}
}

// COM-3-01 to COM-3-04, at every place between the known ones.
func TestUnknownParameter(t *testing.T) {
	for _, c := range classes {
		c.check(t, "first", c.dump+handleABC+elementRR)
		c.check(t, "between", handleABC+c.dump+elementRR)
		c.check(t, "last", handleABC+elementRR+c.dump)
	}
}

// COM-3-05: the same inside of a Pool Element and inside of its transport.
func TestNestedUnknownParameter(t *testing.T) {
	const (
		fixed     = "000a0030 01020304 00000000 0000012c "
		transport = "00040010 1e610000 00010008 c0000201 "
		policy    = "00080008 00000001"
	)
	for _, c := range classes {
		c.check(t, "first in the element", handleABC+fixed+c.dump+transport+policy)
		c.check(t, "in the element", handleABC+fixed+transport+c.dump+policy)
		c.check(t, "last in the element", handleABC+fixed+transport+policy+c.dump)
		c.check(t, "first in the transport", handleABC+fixed+"00040018 1e610000"+c.dump+"00010008 c0000201"+policy)
		c.check(t, "last in the transport", handleABC+fixed+"00040015 1e610000 00010008 c0000201"+c.dump+policy)
		nested := "000b0020 aabbccdd 00040018 c3500000 00010008 c0000201" + c.dump
		var r Report
		p, err := Layout{Need: SetOf(ParamServerInformation)}.Parse(wiretest.Hex(t, nested), &r)
		if (err != nil) != c.dropped || (len(r.Causes) == 1) != c.reported {
			t.Errorf("%s in the server information: %v, reported %v", c.dump[:4], err, r.Causes)
		}
		if err == nil && p.Servers[0].ID != 0xaabbccdd {
			t.Errorf("%s in the server information: read %+v", c.dump[:4], p)
		}
	}
}

// COM-3.12-01: one cause for each.
func TestSeveralUnknownParameters(t *testing.T) {
	var r Report
	dump := "c0010004" + handleABC + "80010004" + elementRR + "c0020006 12340000" + "40030004" + "c0040004"
	_, err := registration.Parse(wiretest.Hex(t, dump), &r)
	if reason(err) != UnknownParameter || len(r.Causes) != 3 {
		t.Errorf("error %v, reported %v; want the message dropped at the third one to report", err, r.Causes)
	}
}

// COM-3-11: a known parameter that is not expected is ignored, whatever is in it.
func TestKnownParameterInStrangePlace(t *testing.T) {
	for t1 := ParamIPv4Address; t1 <= ParamOpaqueTransport; t1++ {
		if t1 == ParamPoolHandle || t1 == ParamPoolElement {
			continue
		}
		var r Report
		dump := handleABC + fmt.Sprintf("%04x0005 99000000", uint16(t1)) + elementRR
		if _, err := registration.Parse(wiretest.Hex(t, dump), &r); err != nil || len(r.Causes) != 0 {
			t.Errorf("%v: %v, reported %v", t1, err, r.Causes)
		}
	}
}

// COM-3-12: any order will do.
func TestAnyOrder(t *testing.T) {
	p, err := registration.Parse(wiretest.Hex(t, elementRR+handleABC), new(Report))
	if err != nil || p.Handle != "abc" || len(p.Elements) != 1 {
		t.Errorf("%+v, %v", p, err)
	}
}

// What a refusal needs is read even though the message is invalid: the pool,
// the PE and the innermost parameter to blame (COM-3-06, COM-3.12-04,
// COM-3.9-02, ASAP-2.2.1-01).
func TestInvalidMessage(t *testing.T) {
	const brokenPolicy = "000a0028 01020304 00000000 0000012c 00040010 1e610000 00010008 c0000201 00080008 00000000"
	for _, c := range []struct {
		name, dump string
		handle     protocol.PoolHandle
		hasID      bool
		tlv        string
		detail     string
	}{
		{"nothing", "", "", false, "", "Pool Handle is missing"},
		{"no element", handleABC, "abc", false, "", "Pool Element is missing"},
		{"no handle", elementRR, "", true, "", "Pool Handle is missing"},
		{"empty handle", "00090004" + elementRR, "", true, "00090004", "empty"},
		{"two handles", handleABC + handleABC + elementRR, "abc", true, "00090007 616263", "twice"},
		{"two elements", handleABC + elementRR + elementRR, "abc", true, elementRR, "twice"},
		{"bad policy before handle", brokenPolicy + handleABC, "abc", true, "00080008 00000000", "Pool Element: Pool Member Selection Policy: policy type"},
		{"bad policy behind handle", handleABC + brokenPolicy, "abc", true, "00080008 00000000", "invalid"},
		{"length 0", handleABC + "000a0000", "abc", false, "", "length 0"},
		{"length 3", handleABC + "000a0003", "abc", false, "", "length 3"},
		{"length too long", handleABC + "000affff 01020304", "abc", false, "", "length 65535"},
		{"too short for a header", handleABC + elementRR + "0077", "abc", true, "", "too short"},
	} {
		_, err := registration.Parse(wiretest.Hex(t, c.dump), new(Report))
		var e *Error
		if !errors.As(err, &e) || e.Reason != Invalid {
			t.Errorf("%s: error %v, want it invalid", c.name, err)
			continue
		}
		if e.Handle != c.handle || e.HasID != c.hasID || e.HasID && e.ID != 0x01020304 {
			t.Errorf("%s: handle %q, ID %v %v", c.name, e.Handle, e.HasID, e.ID)
		}
		if !slices.Equal(e.TLV, wiretest.Hex(t, c.tlv)) {
			t.Errorf("%s: blamed %x, want %s", c.name, e.TLV, c.tlv)
		}
		if cause := e.Cause(); cause.Code != protocol.CauseInvalidValues || !slices.Equal(cause.Info, e.TLV) {
			t.Errorf("%s: cause %v", c.name, cause)
		}
		if !strings.Contains(err.Error(), c.detail) {
			t.Errorf("%s: %q does not say %q", c.name, err, c.detail)
		}
	}
}

// A refusal with the offending parameter in it can always be encoded.
func TestCauseFitsBesideHandle(t *testing.T) {
	e := Error{Reason: Invalid, Handle: protocol.PoolHandle(strings.Repeat("h", 65_000)), TLV: make([]byte, 1000)}
	w := Begin(nil, 3)
	w.Handle(e.Handle)
	w.PEIdentifier(1)
	w.Causes([]protocol.Cause{e.Cause()})
	if _, err := w.Finish(); err != nil {
		t.Error(err)
	}
}
