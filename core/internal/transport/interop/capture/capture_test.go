package capture

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
)

// packet is an SCTP packet with one chunk and a good checksum.
func packet(chunk ...byte) []byte {
	b := append([]byte{0, 7, 0, 9, 1, 2, 3, 4, 0, 0, 0, 0}, chunk...)
	binary.LittleEndian.PutUint32(b[8:], crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
	return b
}

func TestDissect(t *testing.T) {
	cookieAck, payload := []byte{11, 0, 0, 4}, []byte{0, 3, 0, 18, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 'h', 'i', 0, 0}
	bad := packet(cookieAck...)
	bad[11]++
	for _, test := range []struct {
		name, from, to string
		packets        [][]byte
		chunks         map[int]int
		fails          string
	}{
		{"IPv4", "127.0.0.1:5", "127.0.0.2:65535", [][]byte{packet(cookieAck...), packet(payload...), packet(payload...)}, map[int]int{0: 2, 11: 1}, ""},
		{"IPv6", "[::1]:1", "[2001:db8::2]:9899", [][]byte{packet(append(cookieAck, payload...)...)}, map[int]int{0: 1, 11: 1}, ""},
		{"checksum", "127.0.0.1:5", "127.0.0.1:6", [][]byte{packet(cookieAck...), bad}, nil, "no sound SCTP"},
		{"cut", "127.0.0.1:5", "127.0.0.1:6", [][]byte{packet(payload[:9]...)}, nil, "no sound SCTP"},
		{"too short", "127.0.0.1:5", "127.0.0.1:6", [][]byte{{1, 2, 3}}, nil, "no sound SCTP"},
	} {
		t.Run(test.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "test.pcap")
			f, err := Create(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, b := range test.packets {
				f.Packet(netip.MustParseAddrPort(test.from), netip.MustParseAddrPort(test.to), b)
			}
			if err := errors.Join(f.Close(), f.Close()); err != nil {
				t.Fatal(err)
			}
			d, err := Dissect(name)
			switch {
			case errors.Is(err, ErrNoTshark):
				t.Skip("not run:", err)
			case test.fails != "":
				if err == nil || !strings.Contains(err.Error(), test.fails) {
					t.Fatalf("error %v, want one with %q", err, test.fails)
				}
				return
			case err != nil:
				t.Fatal(err)
			}
			for kind, n := range test.chunks {
				if d.Chunks[kind] != n {
					t.Errorf("%d chunks of type %d, want %d", d.Chunks[kind], kind, n)
				}
			}
			if d.Packets != len(test.packets) {
				t.Errorf("%d packets, want %d", d.Packets, len(test.packets))
			}
		})
	}
}

func TestCreateFails(t *testing.T) {
	if _, err := Create(filepath.Join(t.TempDir(), "no", "such", "directory")); err == nil {
		t.Error("a file in a directory that is not there")
	}
}
