// Package chunk is the codec of SCTP packets: RFC 9260 section 3, the FORWARD
// TSN chunk of RFC 3758, the PAD chunk of RFC 4820, and the I-DATA and
// I-FORWARD-TSN chunks of RFC 8260.
//
// Parsing returns views into the packet and allocates nothing; whoever keeps a
// view longer than the packet copies it. Building appends to a byte slice.
// Every appended chunk and parameter is padded to four bytes (section 3.2).
package chunk

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// Sizes in bytes.
const (
	HeaderSize     = 12 // common header
	MinPacket      = HeaderSize + chunkHeader
	DataHeaderSize = 16 // DATA chunk without its payload
	chunkHeader    = 4
	paramHeader    = 4
)

// Errors of parsing.
var (
	ErrShort    = errors.New("sctp packet is too short")
	ErrChecksum = errors.New("sctp checksum is wrong")
	ErrPort     = errors.New("sctp port is zero")
	ErrLength   = errors.New("length field of an sctp chunk or parameter is wrong")
	ErrType     = errors.New("sctp chunk has another type")
)

// Header is the common header of a packet (section 3.1), without checksum.
type Header struct {
	SrcPort, DstPort uint16
	Tag              uint32
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var zeroChecksum [4]byte

// Checksum computes the CRC32c of a packet with its checksum field taken as
// zero (section 6.8, appendix A; SCTP-1-03, SCTP-1-04).
func Checksum(p []byte) uint32 {
	crc := crc32.Update(0, castagnoli, p[:8])
	crc = crc32.Update(crc, castagnoli, zeroChecksum[:])
	return crc32.Update(crc, castagnoli, p[HeaderSize:])
}

// ParsePacket verifies length, checksum and ports of a packet, in this order,
// and returns its header and its chunks.
func ParsePacket(p []byte) (h Header, chunks []byte, err error) {
	if len(p) < MinPacket {
		return h, nil, ErrShort
	}
	if binary.LittleEndian.Uint32(p[8:]) != Checksum(p) {
		return h, nil, ErrChecksum
	}
	h = peekHeader(p)
	if h.SrcPort == 0 || h.DstPort == 0 {
		return h, nil, ErrPort // port 0 is nobody's (SCTP-1-01)
	}
	return h, p[HeaderSize:], nil
}

// PeekHeader reads the header of the beginning of a packet that is too short
// to be verified, as an ICMP message quotes it.
func PeekHeader(p []byte) (h Header, ok bool) {
	if len(p) < 8 {
		return h, false
	}
	return peekHeader(p), true
}

func peekHeader(p []byte) Header {
	return Header{
		SrcPort: binary.BigEndian.Uint16(p),
		DstPort: binary.BigEndian.Uint16(p[2:]),
		Tag:     binary.BigEndian.Uint32(p[4:]),
	}
}

// AppendHeader appends a common header whose checksum Seal fills in.
func AppendHeader(b []byte, h Header) []byte {
	b = binary.BigEndian.AppendUint16(b, h.SrcPort)
	b = binary.BigEndian.AppendUint16(b, h.DstPort)
	b = binary.BigEndian.AppendUint32(b, h.Tag)
	return append(b, 0, 0, 0, 0)
}

// Seal writes the checksum of the complete packet p.
func Seal(p []byte) {
	binary.LittleEndian.PutUint32(p[8:], Checksum(p))
}

// Pad rounds a length up to a multiple of four.
func Pad(n int) int { return (n + 3) &^ 3 }

func appendPadding(b []byte, n int) []byte {
	return append(b, zeroChecksum[:Pad(n)-n]...)
}
