// Package codectest has the checks that the codecs of both protocols must pass.
package codectest

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/librserpool/librserpool/core/internal/protocol"
	"github.com/librserpool/librserpool/core/internal/wire"
	"github.com/librserpool/librserpool/core/internal/wire/wiretest"
)

// Same compares messages.
var Same = cmpopts.EquateComparable(netip.Addr{})

// Codec is the codec of one protocol; M is its interface of all messages.
type Codec[M fmt.Stringer] struct {
	Parse  func([]byte) (M, []protocol.Cause, error)
	Append func([]byte, M) ([]byte, error)
	Error  func([]protocol.Cause) M // the message that reports causes
}

// Golden is a message and its bytes: Strict is what the RFC says and what is
// sent, Other what others send, if that differs.
type Golden[M any] struct {
	Message       M
	Strict, Other string
}

// CheckGolden checks that a message is written as it should be, and read from
// either form.
func (c Codec[M]) CheckGolden(t *testing.T, g Golden[M]) {
	t.Helper()
	b, err := c.Append(nil, g.Message)
	if diff := cmp.Diff(wiretest.Hex(t, g.Strict), b); diff != "" || err != nil {
		t.Errorf("%v: %v\n%s", g.Message, err, diff)
	}
	for _, dump := range []string{g.Strict, g.Other} {
		if dump != "" {
			c.CheckParse(t, wiretest.Hex(t, dump), g.Message)
		}
	}
}

// CheckParse checks that bytes are read as a message that keeps nothing of their
// buffer, and that there is nothing to report.
func (c Codec[M]) CheckParse(t *testing.T, b []byte, want M) {
	t.Helper()
	buffer := bytes.Clone(b)
	got, report, err := c.Parse(buffer)
	clear(buffer)
	if diff := cmp.Diff(want, got, Same); diff != "" || err != nil || report != nil {
		t.Errorf("%x: %v, reported %v\n%s", b, err, report, diff)
	}
}

// CheckRoundTrip checks that a message is appended to what is there, padded, with
// its length, and read as the same again.
func (c Codec[M]) CheckRoundTrip(t *testing.T, m M) {
	t.Helper()
	b, err := c.Append([]byte("odd"), m)
	if err != nil {
		t.Errorf("%v: %v", m, err)
		return
	}
	if b = b[3:]; len(b)%4 != 0 || len(b)-(int(b[2])<<8|int(b[3])) > 3 {
		t.Errorf("%v: %d bytes with length %x", m, len(b), b[2:4])
	}
	c.CheckParse(t, b, m)
}

// CheckAny checks what holds for all bytes: nothing panics; there is either a
// message or an error; what can be read can be written, reads the same again, and
// is then the same byte for byte; what has to be reported fits into a message.
func (c Codec[M]) CheckAny(t *testing.T, b []byte) {
	before := bytes.Clone(b)
	m, report, err := c.Parse(b)
	if !bytes.Equal(b, before) {
		t.Fatal("the input was changed")
	}
	if (any(m) == nil) == (err == nil) {
		t.Fatalf("message %v and error %v", m, err)
	}
	if len(report) > 0 {
		if _, err := c.Append(nil, c.Error(report)); err != nil {
			t.Fatalf("report: %v", err)
		}
	}
	if err != nil {
		var e *wire.Error
		if !errors.As(err, &e) || err.Error() == "" {
			t.Fatalf("error of type %T, %q", err, err)
		}
		return
	}
	_ = m.String()
	first, err := c.Append(nil, m)
	if err != nil {
		if len(b) < wire.MaxMessage-3 {
			t.Fatalf("%v cannot be written: %v", m, err)
		}
		return
	}
	c.CheckParse(t, first, m)
	again, _, _ := c.Parse(first)
	second, err := c.Append(nil, again)
	if err != nil || !bytes.Equal(first, second) {
		t.Fatalf("%v\n%x\n%x", err, first, second)
	}
}

// Seed adds messages, and the bytes of golden ones, to a fuzzer's corpus.
func (c Codec[M]) Seed(f *testing.F, samples []M, golden []Golden[M]) {
	for _, m := range samples {
		if b, err := c.Append(nil, m); err == nil && len(b) < 1000 {
			f.Add(b)
		}
	}
	for _, g := range golden {
		f.Add(wiretest.Hex(f, g.Strict))
		f.Add(wiretest.Hex(f, g.Other))
	}
}
