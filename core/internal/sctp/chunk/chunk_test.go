package chunk

import (
	"bytes"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func unhex(t testing.TB, s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestChecksumVectors(t *testing.T) { // SCTP-1-04
	if c := crc32.Checksum([]byte("123456789"), castagnoli); c != 0xE3069283 {
		t.Errorf("CRC32c %08x", c)
	}
	p := AppendHeader(nil, Header{1, 2, 0x01020304})
	p = AppendRaw(p, TypeCookieAck, 0, nil)
	Seal(p)
	if want := unhex(t, "00010002 01020304 8f1f018b 0b000004"); !bytes.Equal(p, want) {
		t.Errorf("COOKIE ACK packet %x", p)
	}
	h, chunks, err := ParsePacket(p)
	if err != nil || h != (Header{1, 2, 0x01020304}) || len(chunks) != 4 {
		t.Errorf("%+v, %x, %v", h, chunks, err)
	}
}

func TestPacketErrors(t *testing.T) { // SCTP-1-01, SCTP-1-03, SCTP-1-06
	good := AppendRaw(AppendHeader(nil, Header{1, 2, 3}), TypeCookieAck, 0, nil)
	Seal(good)
	for n := range len(good) {
		if _, _, err := ParsePacket(good[:n]); !errors.Is(err, ErrShort) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
	for bit := range 8 * len(good) {
		bad := slices.Clone(good)
		bad[bit/8] ^= 1 << (bit % 8)
		if _, _, err := ParsePacket(bad); !errors.Is(err, ErrChecksum) {
			t.Errorf("bit %d: %v", bit, err)
		}
	}
	for _, h := range []Header{{0, 2, 3}, {1, 0, 3}} {
		p := AppendRaw(AppendHeader(nil, h), TypeCookieAck, 0, nil)
		Seal(p)
		if _, _, err := ParsePacket(p); !errors.Is(err, ErrPort) {
			t.Errorf("%+v: %v", h, err)
		}
	}
}

// golden are the bytes of every chunk that is built here, with the parser that
// reads them.
var golden = []struct {
	name, bytes string
	build       func([]byte) []byte
	parse       func(Raw) (any, error)
	want        any
}{
	{
		"DATA", "00070015 01020304 0005 0006 00000007 68656c6c6f000000",
		func(b []byte) []byte {
			return AppendData(b, &Data{Flags: FlagBegin | FlagEnd | FlagUnordered, TSN: 0x01020304, Stream: 5, SSN: 6, PPID: 7, Payload: []byte("hello")})
		},
		func(c Raw) (any, error) { return ParseData(c) },
		Data{Flags: FlagBegin | FlagEnd | FlagUnordered, TSN: 0x01020304, Stream: 5, SSN: 6, PPID: 7, Payload: []byte("hello")},
	}, {
		"INIT", "01000018 0a0b0c0d 00010000 0010 0020 01020304 c0000004",
		func(b []byte) []byte {
			return AppendInit(b, TypeInit, &Init{0x0a0b0c0d, 0x10000, 16, 32, 0x01020304, AppendParam(nil, ParamForwardTSN, nil)}, 0)
		},
		func(c Raw) (any, error) { return ParseInit(c) },
		Init{0x0a0b0c0d, 0x10000, 16, 32, 0x01020304, []byte{0xc0, 0, 0, 4}},
	}, {
		"INIT ACK, last padding uncounted", "0200001b 0a0b0c0d 00010000 0010 0020 01020304 00070007 61626300",
		func(b []byte) []byte {
			return AppendInit(b, TypeInitAck, &Init{0x0a0b0c0d, 0x10000, 16, 32, 0x01020304, AppendParam(nil, ParamStateCookie, []byte("abc"))}, 1)
		},
		func(c Raw) (any, error) { return ParseInit(c) },
		Init{0x0a0b0c0d, 0x10000, 16, 32, 0x01020304, []byte{0, 7, 0, 7, 'a', 'b', 'c'}},
	}, {
		"SACK", "03000020 00000009 00001000 0002 0002 00020003 00050005 00000008 00000009",
		func(b []byte) []byte { return AppendSack(b, 9, 0x1000, []Gap{{2, 3}, {5, 5}}, []uint32{8, 9}) },
		func(c Raw) (any, error) {
			s, err := ParseSack(c)
			var l []any
			for i := range s.Gaps() {
				l = append(l, s.Gap(i))
			}
			for i := range s.Dups() {
				l = append(l, s.Dup(i))
			}
			return append(l, s.CumTSN, s.Window), err
		},
		[]any{Gap{2, 3}, Gap{5, 5}, uint32(8), uint32(9), uint32(9), uint32(0x1000)},
	}, {
		"HEARTBEAT", "0400000c 00010008 01020304",
		func(b []byte) []byte { return AppendHeartbeat(b, []byte{1, 2, 3, 4}) },
		func(c Raw) (any, error) { return HeartbeatInfo(c) },
		[]byte{1, 2, 3, 4},
	}, {
		"ABORT", "06000009 000c0005 78000000",
		func(b []byte) []byte { return AppendAbort(b, 0, CauseUserAbort, []byte("x")) },
		parseCause, []any{CauseUserAbort, []byte("x"), uint8(0)},
	}, {
		"ABORT without cause", "06010004",
		func(b []byte) []byte { return AppendAbort(b, FlagT, 0, nil) },
		func(c Raw) (any, error) { return c.Flags, nil }, uint8(FlagT),
	}, {
		"ERROR, invalid stream", "0900000c 00010008 01020000",
		func(b []byte) []byte { return AppendError(b, CauseInvalidStream, StreamInfo(0x102)) },
		parseCause, []any{CauseInvalidStream, []byte{1, 2, 0, 0}, uint8(0)},
	}, {
		"ERROR, missing parameter", "0900000e 0002000a 00000001 00070000",
		func(b []byte) []byte { return AppendError(b, CauseMissingParam, MissingInfo(ParamStateCookie)) },
		parseCause, []any{CauseMissingParam, []byte{0, 0, 0, 1, 0, 7}, uint8(0)},
	}, {
		"ERROR, stale cookie", "0900000c 00030008 00000102",
		func(b []byte) []byte { return AppendError(b, CauseStaleCookie, StaleInfo(0x102)) },
		parseCause, []any{CauseStaleCookie, []byte{0, 0, 1, 2}, uint8(0)},
	}, {
		"ABORT, no user data", "0600000c 00090008 00000102",
		func(b []byte) []byte { return AppendAbort(b, 0, CauseNoUserData, TSNInfo(0x102)) },
		parseCause, []any{CauseNoUserData, []byte{0, 0, 1, 2}, uint8(0)},
	}, {
		"SHUTDOWN", "07000008 01020304",
		func(b []byte) []byte { return AppendShutdown(b, 0x01020304) },
		func(c Raw) (any, error) { return ParseShutdown(c) }, uint32(0x01020304),
	}, {
		"FORWARD TSN", "c0000010 01020304 00010002 00030004",
		func(b []byte) []byte {
			return AppendForwardTSN(b, 0x01020304, []Skip{{Stream: 1, MID: 2}, {Stream: 3, MID: 4}}, false)
		},
		func(c Raw) (any, error) {
			f, err := ParseForwardTSN(c)
			l := []any{f.CumTSN}
			for i := range f.Streams() {
				l = append(l, f.Stream(i))
			}
			return l, err
		},
		[]any{uint32(0x01020304), Skip{Stream: 1, MID: 2}, Skip{Stream: 3, MID: 4}},
	}, {
		"I-DATA, first fragment", "400a0017 01020304 0005 0000 01000002 00000007 616263 00",
		func(b []byte) []byte {
			return AppendData(b, &Data{
				Interleaved: true, Flags: FlagBegin | FlagImmediate, TSN: 0x01020304, Stream: 5, MID: 0x01000002, PPID: 7, Payload: []byte("abc"),
			})
		},
		func(c Raw) (any, error) { return ParseData(c) },
		Data{Interleaved: true, Flags: FlagBegin | FlagImmediate, TSN: 0x01020304, Stream: 5, MID: 0x01000002, PPID: 7, Payload: []byte("abc")},
	}, {
		"I-DATA, last fragment", "40050015 01020305 0005 0000 01000002 00010203 64 000000",
		func(b []byte) []byte {
			return AppendData(b, &Data{
				Interleaved: true, Flags: FlagUnordered | FlagEnd, TSN: 0x01020305, Stream: 5, MID: 0x01000002, FSN: 0x10203, PPID: 7, Payload: []byte("d"),
			})
		},
		func(c Raw) (any, error) { return ParseData(c) },
		Data{Interleaved: true, Flags: FlagUnordered | FlagEnd, TSN: 0x01020305, Stream: 5, MID: 0x01000002, FSN: 0x10203, Payload: []byte("d")},
	}, {
		"I-FORWARD-TSN", "c2000018 01020304 0001 0000 01000002 0003 0001 00000004",
		func(b []byte) []byte {
			return AppendForwardTSN(b, 0x01020304, []Skip{{Stream: 1, MID: 0x01000002}, {Stream: 3, Unordered: true, MID: 4}}, true)
		},
		func(c Raw) (any, error) {
			f, err := ParseForwardTSN(c)
			l := []any{f.Interleaved, f.CumTSN}
			for i := range f.Streams() {
				l = append(l, f.Stream(i))
			}
			return l, err
		},
		[]any{true, uint32(0x01020304), Skip{Stream: 1, MID: 0x01000002}, Skip{Stream: 3, Unordered: true, MID: 4}},
	},
}

func parseCause(c Raw) (any, error) {
	code, info, _, err := NextCause(c.Value)
	return []any{code, info, c.Flags}, err
}

func TestGolden(t *testing.T) {
	for _, g := range golden {
		t.Run(g.name, func(t *testing.T) {
			want := unhex(t, g.bytes)
			got := g.build([]byte("before"))[6:]
			if !bytes.Equal(got, want) {
				t.Fatalf("built %x, want %x", got, want)
			}
			c, rest, err := Next(got)
			if err != nil || len(rest) != 0 {
				t.Fatalf("rest %x, %v", rest, err)
			}
			v, err := g.parse(c)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(g.want, v); d != "" {
				t.Error(d)
			}
			// Every other type is refused, and no prefix panics.
			for n := range len(want) {
				if c, _, err := Next(want[:n]); err == nil {
					_, _ = g.parse(c)
				}
				if n >= 4 && n < len(c.Whole) {
					short := slices.Clone(want[:n])
					short[2], short[3] = 0, byte(n)
					c, _, err := Next(short)
					if err != nil {
						t.Fatal(err)
					}
					_, _ = g.parse(c)
				}
			}
		})
	}
}

func TestFixedPartsAreComplete(t *testing.T) {
	for typ, size := range map[Type]int{TypeData: 12, TypeInit: 16, TypeInitAck: 16, TypeSack: 12, TypeShutdown: 4, TypeForwardTSN: 4} {
		for n := range size {
			c := Raw{Type: typ, Value: make([]byte, n)}
			var err error
			switch typ {
			case TypeData:
				_, err = ParseData(c)
			case TypeInit, TypeInitAck:
				_, err = ParseInit(c)
			case TypeSack:
				_, err = ParseSack(c)
			case TypeShutdown:
				_, err = ParseShutdown(c)
			case TypeForwardTSN:
				_, err = ParseForwardTSN(c)
			}
			if !errors.Is(err, ErrLength) {
				t.Errorf("type %d with %d bytes: %v", typ, n, err)
			}
		}
	}
	wrong := Raw{Type: TypePad, Value: make([]byte, 20)}
	_, e1 := ParseData(wrong)
	_, e2 := ParseInit(wrong)
	_, e3 := ParseSack(wrong)
	_, e4 := ParseShutdown(wrong)
	_, e5 := ParseForwardTSN(wrong)
	_, e6 := HeartbeatInfo(wrong)
	for i, err := range []error{e1, e2, e3, e4, e5, e6} {
		if !errors.Is(err, ErrType) {
			t.Errorf("parser %d takes a PAD chunk: %v", i, err)
		}
	}
}

func TestNextLengths(t *testing.T) { // SCTP-1-10, SCTP-1-12
	for _, c := range []struct {
		in   string
		rest int
		err  error
	}{
		{"0b000004", 0, nil},
		{"84000005 01", 0, nil}, // padding missing at the end
		{"84000005 01000000", 0, nil},
		{"84000005 01ffffff 0b000004", 4, nil}, // padding of any content
		{"84000008 01000000 0b000004", 4, nil}, // padding counted
		{"84000003 0b000004", 0, ErrLength},
		{"84000000 0b000004", 0, ErrLength},
		{"84000009 01020304", 0, ErrLength},
		{"840000", 0, ErrShort},
	} {
		_, rest, err := Next(unhex(t, c.in))
		if !errors.Is(err, c.err) || len(rest) != c.rest {
			t.Errorf("%s: rest %d, %v", c.in, len(rest), err)
		}
	}
}

// usrsctp puts a parameter of nine bytes in the middle of its INIT: a walk
// goes by rounded lengths (SCTP-1-11).
func TestNextParamRounds(t *testing.T) {
	b := unhex(t, "80080009 c1808240 c2000000 c0000004")
	p, rest, err := NextParam(b)
	if err != nil || p.Type != ParamExtensions || len(p.Value) != 5 {
		t.Fatalf("%+v, %v", p, err)
	}
	if p, rest, err = NextParam(rest); err != nil || p.Type != ParamForwardTSN || len(rest) != 0 {
		t.Fatalf("%+v, %x, %v", p, rest, err)
	}
	for _, bad := range []string{"8008", "80080003 00", "80080009 c1808240"} {
		if _, _, err := NextParam(unhex(t, bad)); !errors.Is(err, ErrLength) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestActionBits(t *testing.T) { // SCTP-1-15, SCTP-1-30
	for typ, want := range map[Type][2]bool{0x3f: {false, false}, 0x7f: {false, true}, 0xbf: {true, false}, 0xff: {true, true}} {
		if got := [2]bool{typ.Skip(), typ.Report()}; got != want {
			t.Errorf("chunk %x: %v", typ, got)
		}
		p := ParamType(typ) << 8
		if got := [2]bool{p.Skip(), p.Report()}; got != want {
			t.Errorf("parameter %x: %v", p, got)
		}
	}
}

func TestAddresses(t *testing.T) {
	for _, s := range []string{"192.0.2.1", "2001:db8::1"} {
		a := netip.MustParseAddr(s)
		p, rest, err := NextParam(AppendAddr(nil, a))
		if err != nil || len(rest) != 0 {
			t.Fatal(err)
		}
		if got, ok := p.Addr(); !ok || got != a {
			t.Errorf("%v became %v", a, got)
		}
	}
	for _, bad := range []Param{
		{Type: ParamIPv4, Value: make([]byte, 3)}, {Type: ParamIPv6, Value: make([]byte, 4)}, {Type: ParamHostName, Value: make([]byte, 4)},
		{Type: ParamIPv6, Value: netip.MustParseAddr("::ffff:192.0.2.1").AsSlice()},
	} {
		if a, ok := bad.Addr(); ok {
			t.Errorf("%+v is %v", bad, a)
		}
	}
	p, _, err := NextParam(AppendAddr(nil, netip.MustParseAddr("::ffff:192.0.2.1")))
	if a, _ := p.Addr(); err != nil || a != netip.MustParseAddr("192.0.2.1") {
		t.Errorf("mapped address is written as %v", a)
	}
}

func TestSackLengthMustFit(t *testing.T) { // SCTP-3-50
	b := AppendSack(nil, 1, 2, []Gap{{2, 3}}, []uint32{4})
	c, _, _ := Next(b)
	for _, n := range []int{12, 16} {
		c := c
		c.Value = c.Value[:n]
		if _, err := ParseSack(c); !errors.Is(err, ErrLength) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

func TestCauseNames(t *testing.T) {
	if CauseUserAbort.String() != "user-initiated abort" || Cause(99).String() != "unknown error cause" || Cause(0).String() != "unknown error cause" {
		t.Error(CauseUserAbort, Cause(99), Cause(0))
	}
}

// FuzzPacket checks that whatever parses is built again to something that
// parses to the same, and that nothing panics (SCTP-6-11 a and b).
func FuzzPacket(f *testing.F) {
	for _, g := range golden {
		f.Add(g.build(nil))
	}
	f.Add(slices.Concat(golden[0].build(nil), golden[3].build(nil), golden[0].build(nil)))
	f.Fuzz(func(t *testing.T, b []byte) {
		for len(b) > 0 {
			c, rest, err := Next(b)
			if err != nil {
				return
			}
			if len(rest) >= len(b) {
				t.Fatal("no progress")
			}
			b = rest
			again, _, err := Next(rebuild(c))
			if err != nil || again.Type != c.Type || !bytes.Equal(again.Value, c.Value) {
				t.Fatalf("%x became %x, %v", c.Whole, again.Whole, err)
			}
			walk(t, c)
		}
	})
}

// rebuild parses a chunk and builds it from its fields.
func rebuild(c Raw) []byte {
	if d, err := ParseData(c); err == nil && !reserved(c) {
		return AppendData(nil, &d)
	}
	if f, err := ParseForwardTSN(c); err == nil && c.Flags == 0 {
		var skips []Skip
		for i := range f.Streams() {
			skips = append(skips, f.Stream(i))
		}
		if b := AppendForwardTSN(nil, f.CumTSN, skips, f.Interleaved); !reserved(c) {
			return b
		}
	}
	if i, err := ParseInit(c); err == nil {
		return AppendInit(nil, c.Type, &i, 0)
	}
	if s, err := ParseSack(c); err == nil {
		var gaps []Gap
		var dups []uint32
		for i := range s.Gaps() {
			gaps = append(gaps, s.Gap(i))
		}
		for i := range s.Dups() {
			dups = append(dups, s.Dup(i))
		}
		return AppendSack(nil, s.CumTSN, s.Window, gaps, dups)
	}
	return AppendRaw(nil, c.Type, c.Flags, c.Value)
}

// reserved says that a chunk of RFC 8260 has bits set that mean nothing: they are
// not built again.
func reserved(c Raw) bool {
	switch c.Type {
	case TypeIData:
		return c.Value[6] != 0 || c.Value[7] != 0
	case TypeIForwardTSN:
		for v := c.Value[4:]; len(v) > 0; v = v[8:] {
			if v[2] != 0 || v[3]&^1 != 0 {
				return true
			}
		}
	}
	return false
}

func walk(t *testing.T, c Raw) {
	for rest := c.Value; len(rest) > 0; {
		p, more, err := NextParam(rest)
		if err != nil {
			return
		}
		if len(more) >= len(rest) {
			t.Fatal("no progress")
		}
		_, _ = p.Addr()
		rest = more
	}
	_, _ = HeartbeatInfo(c)
	_, _, _, _ = NextCause(c.Value)
	if f, err := ParseForwardTSN(c); err == nil {
		for i := range f.Streams() {
			f.Stream(i)
		}
	}
}
