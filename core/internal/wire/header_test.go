package wire

import (
	"bytes"
	"errors"
	"testing"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire/wiretest"
)

// COM-4-02, COM-4-03, COM-4-07, COM-3-10.
func TestParseHeader(t *testing.T) {
	for _, c := range []struct {
		name, dump string
		body       int // -1: error
	}{
		{"empty", "", -1},
		{"three bytes", "050000", -1},
		{"header only", "05000004", 0},
		{"length 0", "05000000", -1},
		{"length 3", "05000003", -1},
		{"length beyond the end", "05000005", -1},
		{"length ffff", "0500ffff 00000000", -1},
		{"padding not counted", "0500000b 00090007 616263 00", 7},
		{"padding counted", "0500000c 00090007 616263 00", 8},
		{"padding is not zero", "0500000b 00090007 616263 ff", 7},
		{"padding left out", "0500000b 00090007 616263", 7},
		{"more than padding", "0500000b 00090007 616263 0000000000", -1},
		{"second message", "05000004 05000004", -1},
	} {
		h, err := ParseHeader(wiretest.Hex(t, c.dump))
		var e *Error
		switch {
		case c.body < 0 && (!errors.As(err, &e) || e.Reason != Framing):
			t.Errorf("%s: error is %v, want a framing error", c.name, err)
		case c.body >= 0 && (err != nil || len(h.Body) != c.body || h.Type != 5):
			t.Errorf("%s: got %+v, %v", c.name, h, err)
		}
	}
}

func TestFrameSize(t *testing.T) {
	for length, want := range map[byte]int{4: 4, 5: 8, 8: 8, 11: 12, 12: 12} {
		if n, err := FrameSize([4]byte{5, 0, 0, length}); n != want || err != nil {
			t.Errorf("length %d: %d, %v", length, n, err)
		}
	}
	if n, err := FrameSize([4]byte{5, 0, 0xff, 0xff}); n != 0x10000 || err != nil {
		t.Errorf("length ffff: %d, %v", n, err)
	}
	if _, err := FrameSize([4]byte{5, 0, 0, 3}); err == nil {
		t.Error("length 3 is accepted") // COM-4-07
	}
}

// COM-4-04, COM-4-05, COM-4-06, COM-3.12-03.
func TestUnrecognizedMessage(t *testing.T) {
	for _, c := range []struct {
		messageType uint8
		reported    bool
	}{{0x11, false}, {0x41, true}, {0x7f, true}, {0x81, false}, {0xc1, false}, {0xff, false}} {
		b := append([]byte{c.messageType}, wiretest.Hex(t, "000009 0001000599 000000")...)
		var r Report
		err := Unrecognized(c.messageType, b, &r)
		var e *Error
		if !errors.As(err, &e) || e.Reason != UnknownMessage || e.Type != c.messageType {
			t.Errorf("type %#02x: error %v", c.messageType, err)
		}
		if got := len(r.Causes) == 1; got != c.reported {
			t.Errorf("type %#02x: reported %v", c.messageType, r.Causes)
		}
		if c.reported && (r.Causes[0].Code != protocol.CauseUnrecognizedMessage || !bytes.Equal(r.Causes[0].Info, b[:9])) {
			t.Errorf("type %#02x: cause %v", c.messageType, r.Causes[0])
		}
	}
}

// COM-3.12-03: whatever is reported fits into one ERROR message, also with the
// route of ENRP in it.
func TestReportFitsOneMessage(t *testing.T) {
	big := make([]byte, MaxMessage)
	for _, fill := range []func(*Report){
		func(r *Report) { r.unrecognizedMessage(big) },
		func(r *Report) {
			for range 3 {
				r.unrecognizedParameter(TLV{Raw: big[:40_001]})
			}
		},
		func(r *Report) {
			for range 20_000 {
				r.unrecognizedParameter(TLV{Raw: big[:4]})
			}
		},
	} {
		var r Report
		fill(&r)
		w := Begin(nil, 0x0e)
		w.Uint32(1)
		w.Uint32(2)
		w.Causes(r.Causes)
		if _, err := w.Finish(); err != nil || len(r.Causes) == 0 || len(r.Causes) > maxReported {
			t.Errorf("%d causes: %v", len(r.Causes), err)
		}
	}
}
