package asap

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/librserpool/librserpool/core/internal/wire"
	"github.com/librserpool/librserpool/core/internal/wire/wiretest"
)

// FuzzASAPParse: whatever arrives, there is no panic; there is either a message
// or an error; what can be read can be written, reads the same again, and is
// then the same byte for byte. What has to be reported fits into a message.
func FuzzASAPParse(f *testing.F) {
	for _, m := range samples() {
		if b, err := Append(nil, m); err == nil && len(b) < 1000 {
			f.Add(b)
		}
	}
	for _, c := range golden() {
		f.Add(wiretest.Hex(f, c.strict))
		f.Add(wiretest.Hex(f, c.other))
	}
	f.Add(wiretest.Hex(f, "05000014 00090007 61626300 c0770005 99000000"))
	f.Add(wiretest.Hex(f, "41000004"))
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		m, report, err := Parse(b)
		if !bytes.Equal(b, before) {
			t.Fatal("the input was changed")
		}
		if (m == nil) == (err == nil) {
			t.Fatalf("message %v and error %v", m, err)
		}
		if len(report) > 0 {
			if _, err := Append(nil, Error{Causes: report}); err != nil {
				t.Fatalf("report: %v", err)
			}
		}
		if err != nil {
			if _, ok := err.(*wire.Error); !ok {
				t.Fatalf("error of type %T", err)
			}
			_ = err.Error()
			return
		}
		_ = m.String()
		first, err := Append(nil, m)
		if err != nil {
			if len(b) < wire.MaxMessage-3 {
				t.Fatalf("%v cannot be written: %v", m, err)
			}
			return
		}
		again, report, err := Parse(first)
		if diff := cmp.Diff(m, again, same); diff != "" || err != nil || report != nil {
			t.Fatalf("%v, reported %v\n%s", err, report, diff)
		}
		second, err := Append(nil, again)
		if err != nil || !bytes.Equal(first, second) {
			t.Fatalf("%v\n%x\n%x", err, first, second)
		}
	})
}
