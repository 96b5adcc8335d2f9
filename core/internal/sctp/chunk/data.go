package chunk

import "encoding/binary"

// Flags of a DATA chunk (section 3.3.1).
const (
	FlagEnd       = 0x01
	FlagBegin     = 0x02
	FlagUnordered = 0x04
	FlagImmediate = 0x08
)

// Data is a DATA chunk.
type Data struct {
	Flags   uint8
	TSN     uint32
	Stream  uint16
	SSN     uint16
	PPID    uint32
	Payload []byte // empty only in faulty ones (SCTP-3-06)
}

// ParseData reads a DATA chunk.
func ParseData(c Raw) (d Data, err error) {
	if c.Type != TypeData {
		return d, ErrType
	}
	v := c.Value
	if len(v) < DataHeaderSize-chunkHeader {
		return d, ErrLength
	}
	return Data{
		Flags:   c.Flags,
		TSN:     binary.BigEndian.Uint32(v),
		Stream:  binary.BigEndian.Uint16(v[4:]),
		SSN:     binary.BigEndian.Uint16(v[6:]),
		PPID:    binary.BigEndian.Uint32(v[8:]),
		Payload: v[12:],
	}, nil
}

// AppendData appends a DATA chunk.
func AppendData(b []byte, d *Data) []byte {
	n := DataHeaderSize + len(d.Payload)
	b = append(b, byte(TypeData), d.Flags, byte(n>>8), byte(n))
	b = binary.BigEndian.AppendUint32(b, d.TSN)
	b = binary.BigEndian.AppendUint16(b, d.Stream)
	b = binary.BigEndian.AppendUint16(b, d.SSN)
	b = binary.BigEndian.AppendUint32(b, d.PPID)
	b = append(b, d.Payload...)
	return appendPadding(b, n)
}

// DataSize is the size of a DATA chunk with n bytes of payload, padded.
func DataSize(n int) int { return DataHeaderSize + Pad(n) }
