package chunk

import "encoding/binary"

// Flags of a DATA or I-DATA chunk (section 3.3.1, RFC 8260 section 2.1).
const (
	FlagEnd       = 0x01
	FlagBegin     = 0x02
	FlagUnordered = 0x04
	FlagImmediate = 0x08
)

// Data is a DATA chunk, or with Interleaved an I-DATA chunk.
type Data struct {
	Interleaved bool
	Flags       uint8
	TSN         uint32
	Stream      uint16
	SSN         uint16 // DATA only
	MID         uint32 // I-DATA only: the message's number in its stream
	FSN         uint32 // I-DATA only: the fragment's number in its message; 0 in the first one
	PPID        uint32 // in I-DATA of the first fragment only
	Payload     []byte // empty only in faulty ones (SCTP-3-06)
}

// ParseData reads a DATA or I-DATA chunk.
func ParseData(c Raw) (d Data, err error) {
	d = Data{Flags: c.Flags, Interleaved: c.Type == TypeIData}
	v := c.Value
	switch {
	case !d.Interleaved && c.Type != TypeData:
		return d, ErrType
	case len(v) < DataHeader(d.Interleaved)-chunkHeader:
		return d, ErrLength
	}
	d.TSN = binary.BigEndian.Uint32(v)
	d.Stream = binary.BigEndian.Uint16(v[4:])
	if !d.Interleaved {
		d.SSN = binary.BigEndian.Uint16(v[6:])
		d.PPID = binary.BigEndian.Uint32(v[8:])
		d.Payload = v[12:]
		return d, nil
	}
	d.MID = binary.BigEndian.Uint32(v[8:])
	if d.Flags&FlagBegin != 0 {
		d.PPID = binary.BigEndian.Uint32(v[12:])
	} else {
		d.FSN = binary.BigEndian.Uint32(v[12:])
	}
	d.Payload = v[16:]
	return d, nil
}

// AppendData appends a DATA or I-DATA chunk.
func AppendData(b []byte, d *Data) []byte {
	n := DataHeader(d.Interleaved) + len(d.Payload)
	t := TypeData
	if d.Interleaved {
		t = TypeIData
	}
	b = append(b, byte(t), d.Flags, byte(n>>8), byte(n))
	b = binary.BigEndian.AppendUint32(b, d.TSN)
	b = binary.BigEndian.AppendUint16(b, d.Stream)
	b = binary.BigEndian.AppendUint16(b, d.SSN) // reserved in I-DATA, where it is zero
	last := d.PPID
	if d.Interleaved {
		b = binary.BigEndian.AppendUint32(b, d.MID)
		if d.Flags&FlagBegin == 0 {
			last = d.FSN
		}
	}
	b = binary.BigEndian.AppendUint32(b, last)
	b = append(b, d.Payload...)
	return appendPadding(b, n)
}

// DataHeader is the size of a DATA or I-DATA chunk without its payload.
func DataHeader(interleaved bool) int {
	if interleaved {
		return DataHeaderSize + 4
	}
	return DataHeaderSize
}

// DataSize is the size of a DATA or I-DATA chunk with n bytes of payload, padded.
func DataSize(n int, interleaved bool) int { return DataHeader(interleaved) + Pad(n) }
