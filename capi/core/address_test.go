package main

import (
	"encoding/binary"
	"testing"

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
