package main

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

func sockaddr(family, port uint16, rest ...byte) []byte {
	b := binary.NativeEndian.AppendUint16(nil, family)
	b = binary.BigEndian.AppendUint16(b, port)
	return append(b, rest...)
}

func TestParseAddress(t *testing.T) {
	six := make([]byte, 24)
	six[4], six[19] = 0xfe, 1
	six[5] = 0x80
	binary.NativeEndian.PutUint32(six[20:], 3)
	mapped := make([]byte, 24)
	copy(mapped[14:], []byte{0xff, 0xff, 10, 0, 0, 1})
	tests := []struct {
		name   string
		b      []byte
		domain int
		want   string
		errno  unix.Errno
	}{
		{"IPv4", sockaddr(unix.AF_INET, 7, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0), unix.AF_INET, "127.0.0.1:7", 0},
		{"sin_len in the padding", sockaddr(unix.AF_INET, 7, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0), unix.AF_INET, "0.0.0.0:7", 0},
		{"longer than needed", append(sockaddr(unix.AF_INET, 0, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0), 1, 2, 3), unix.AF_INET, "10.0.0.1:0", 0},
		{"IPv6 with scope", sockaddr(unix.AF_INET6, 9, six...), unix.AF_INET6, "[fe80::1%3]:9", 0},
		{"IPv4-mapped", sockaddr(unix.AF_INET6, 9, mapped...), unix.AF_INET6, "10.0.0.1:9", 0},
		{"empty", nil, unix.AF_INET, "", unix.EINVAL},
		{"short IPv4", sockaddr(unix.AF_INET, 7, 127, 0, 0, 1), unix.AF_INET, "", unix.EINVAL},
		{"short IPv6", sockaddr(unix.AF_INET6, 7, six[:20]...), unix.AF_INET6, "", unix.EINVAL},
		{"IPv6 on IPv4", sockaddr(unix.AF_INET6, 9, six...), unix.AF_INET, "", unix.EAFNOSUPPORT},
		{"IPv4 on IPv6", sockaddr(unix.AF_INET, 7, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0), unix.AF_INET6, "", unix.EAFNOSUPPORT},
		{"no family", sockaddr(0, 7, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0), unix.AF_INET, "", unix.EAFNOSUPPORT},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseAddress(tt.b, tt.domain)
			switch {
			case tt.errno == 0 && (err != nil || got.String() != tt.want):
				t.Errorf("got %v, %v, want %v", got, err, tt.want)
			case tt.errno != 0 && (err == nil || errnoOf(err) != tt.errno):
				t.Errorf("got %v, %v, want %v", got, err, tt.errno)
			}
		})
	}
}

// TestFormatAddress: every byte is what struct sockaddr_in and sockaddr_in6 say, and is
// read back.
func TestFormatAddress(t *testing.T) {
	zeros := make([]byte, 8)
	six := netip.MustParseAddr("2001:db8::1").AsSlice()
	link := netip.MustParseAddr("fe80::1").AsSlice()
	mapped := append(append(make([]byte, 10), 0xff, 0xff), 192, 0, 2, 1)
	for _, c := range []struct {
		at     string
		domain int
		want   []byte
	}{
		{"192.0.2.1:7", unix.AF_INET, sockaddr(unix.AF_INET, 7, append([]byte{192, 0, 2, 1}, zeros...)...)},
		{"[::ffff:192.0.2.1]:7", unix.AF_INET, sockaddr(unix.AF_INET, 7, append([]byte{192, 0, 2, 1}, zeros...)...)},
		{"192.0.2.1:7", unix.AF_INET6, sockaddr(unix.AF_INET6, 7, append(append([]byte{0, 0, 0, 0}, mapped...), 0, 0, 0, 0)...)},
		{"[2001:db8::1]:65535", unix.AF_INET6, sockaddr(unix.AF_INET6, 65535, append(append([]byte{0, 0, 0, 0}, six...), 0, 0, 0, 0)...)},
		{"[fe80::1%258]:7", unix.AF_INET6, sockaddr(unix.AF_INET6, 7, binary.NativeEndian.AppendUint32(append([]byte{0, 0, 0, 0}, link...), 258)...)},
	} {
		at := netip.MustParseAddrPort(c.at)
		got := formatAddress(at, c.domain)
		if !bytes.Equal(got, c.want) {
			t.Errorf("%s: %x, want %x", c.at, got, c.want)
		}
		back, err := parseAddress(got, c.domain)
		if want := netip.AddrPortFrom(at.Addr().Unmap(), at.Port()); back != want || err != nil {
			t.Errorf("%s is read as %v, %v", c.at, back, err)
		}
	}
	for _, domain := range []int{unix.AF_INET, unix.AF_INET6} {
		if a := noAddress(domain); !a.Addr().IsUnspecified() || a.Port() != 0 || a.Addr().Is4() != (domain == unix.AF_INET) {
			t.Errorf("no address of domain %d is %v", domain, a)
		}
	}
}

// TestAddressesInTheirRoom: those that fit are written whole, one behind the other, and
// nothing of others; the length is that of all.
func TestAddressesInTheirRoom(t *testing.T) {
	one, two := netip.MustParseAddrPort("192.0.2.1:7"), netip.MustParseAddrPort("192.0.2.2:7")
	all := append(formatAddress(one, unix.AF_INET), formatAddress(two, unix.AF_INET)...)
	for _, c := range []struct{ room, filled int }{{0, 0}, {15, 0}, {16, 16}, {31, 16}, {32, 32}, {40, 32}} {
		room := bytes.Repeat([]byte{0xee}, c.room)
		want := append(bytes.Clone(all[:c.filled]), room[c.filled:]...)
		if n := writeAddresses(room, []netip.AddrPort{one, two}, unix.AF_INET); n != 32 || !bytes.Equal(room, want) {
			t.Errorf("room %d: %d, %x, want 32, %x", c.room, n, room, want)
		}
	}
	six := formatAddress(netip.MustParseAddrPort("[2001:db8::1]:8"), unix.AF_INET6)
	both := append(bytes.Clone(all[:16]), six...)
	got, err := readAddresses(unsafe.Pointer(&both[0]), 2, unix.AF_INET6)
	if err != nil || len(got) != 2 || got[0] != one || got[1].String() != "[2001:db8::1]:8" {
		t.Errorf("read %v, %v", got, err)
	}
	_, err = readAddresses(unsafe.Pointer(&both[0]), 2, unix.AF_INET)
	wantErrno(t, err, unix.EAFNOSUPPORT)
	if got, err := readAddresses(unsafe.Pointer(&both[0]), 1, unix.AF_INET); err != nil || len(got) != 1 {
		t.Errorf("read %v, %v", got, err)
	}
	other := sockaddr(unix.AF_UNIX, 1, make([]byte, 28)...)
	_, err = readAddresses(unsafe.Pointer(&other[0]), 1, unix.AF_INET6)
	wantErrno(t, err, unix.EAFNOSUPPORT)
	for size, errno := range map[int]unix.Errno{1: unix.EINVAL, 2: unix.EINVAL, 15: unix.EINVAL, 16: 0, 17: 0} {
		_, n, err := readAddress(unsafe.Pointer(&all[0]), size)
		if errno != 0 {
			wantErrno(t, err, errno)
		} else if err != nil || n != 16 {
			t.Errorf("of %d bytes: %d, %v", size, n, err)
		}
	}
}

// TestAddressThatHasOnlyAFamily: what is said of it is how long it should be.
func TestAddressThatHasOnlyAFamily(t *testing.T) {
	for domain, want := range map[int]string{unix.AF_INET: "has 2 bytes, struct sockaddr_in has 16", unix.AF_INET6: "has 2 bytes, struct sockaddr_in6 has 28"} {
		if _, err := parseAddress([]byte{byte(domain), 0}, domain); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("family %d: %v, want: %s", domain, err, want)
		}
	}
}
