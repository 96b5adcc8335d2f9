package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCites(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"nothing: RFC 9260 section 3.4-03, ASAP-3.4, SHA-256, UTF-8, SCTP-7", ""},
		{"COM-3-01", "COM-3-01"},
		{"(ASAP-3.4-03).", "ASAP-3.4-03"},
		{"OWN-05 and UDP-R-01 and ENRP-3.3.1-06", "OWN-05 UDP-R-01 ENRP-3.3.1-06"},
		{"SCTP-3-110", "SCTP-3-110"},
		{"XASAP-3.4-03 ASAP-3.4-0300", ""},
		{"ASAP-3.1-15, -16", "ASAP-3.1-15 ASAP-3.1-16"},
		{"ASAP-3.1-16, 23, 24: a first registration", "ASAP-3.1-16 ASAP-3.1-23 ASAP-3.1-24"},
		{"COM-4-04, COM-4-05, ASAP-2.2.14-01, 02: reports", "COM-4-04 COM-4-05 ASAP-2.2.14-01 ASAP-2.2.14-02"},
		{"(SCTP-2-08, 4-07)", "SCTP-2-08 SCTP-4-07"},
		{"SCTP-2-08, 4-07, and 4-08.", "SCTP-2-08 SCTP-4-07 SCTP-4-08"},
		{"ASAP-3.9-01/02; 03", "ASAP-3.9-01 ASAP-3.9-02 ASAP-3.9-03"},
		{"SCTP-7-20..23", "SCTP-7-20..SCTP-7-23"},
		{"SCTP-7-01..7-10", "SCTP-7-01..SCTP-7-10"},
		{"SCTP-4-01 to 4-03, 7-02)", "SCTP-4-01..SCTP-4-03 SCTP-7-02"},
		{"ASAP-3.1-03 to -07, 12", "ASAP-3.1-03..ASAP-3.1-07 ASAP-3.1-12"},
		{"ASAP-3.1-03..ASAP-3.1-07", "ASAP-3.1-03..ASAP-3.1-07"},
		{"ASAP-3.3-11,\n\t// 12, 13:", "ASAP-3.3-11 ASAP-3.3-12 ASAP-3.3-13"},
		{"SCTP-3-62,\n\t// -63\n\tx := 1", "SCTP-3-62 SCTP-3-63"},
		{"ASAP-3.6-14, 10 s and 20 s", "ASAP-3.6-14"},
		{"SCTP-3-30, 200 ms", "SCTP-3-30"},
		{"SCTP-3-30, 1.5 s", "SCTP-3-30"},
		{"ASAP-3.1-5", "ASAP-3.1-5"},
	} {
		var got []string
		for _, c := range cites(test.text) {
			s := c.id(c.first)
			if c.last != c.first {
				s += ".." + c.id(c.last)
			}
			at := test.text[c.offset:min(len(test.text), c.offset+16)]
			if !strings.Contains(at, fmt.Sprintf("%0*d", c.width, c.first)) {
				t.Errorf("%q: %s said to be at %d", test.text, s, c.offset)
			}
			got = append(got, s)
		}
		if diff := cmp.Diff(test.want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%q: %s", test.text, diff)
		}
	}
}

func TestNamedIDs(t *testing.T) {
	for name, want := range map[string]string{
		"ASAP_3_4_03":   "ASAP-3.4-03",
		"OWN_05":        "OWN-05",
		"SCTP_3_62_100": "SCTP-3.62-100 SCTP-3-62",
		"COM_3":         "",
	} {
		area, numbers, _ := strings.Cut(name, "_")
		if diff := cmp.Diff(want, strings.Join(namedIDs(area, "_"+numbers), " ")); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
